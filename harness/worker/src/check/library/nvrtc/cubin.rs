//! Reads the head of machine code: an ELF file that says for which architecture it is.
//!
//! The layout of `e_flags` changed with CUDA 12.8 for new architectures and with 13.0 for all: `EI_OSABI` tells which
//! one a file has. Both were seen in what the compilers of CUDA 11.8 to 13.5 write.

/// The bytes before the program headers of a 64-bit ELF file.
const HEAD: usize = 64;

/// `EM_CUDA`.
const MACHINE: u16 = 190;

/// `EI_OSABI` of the layout in which the lowest byte of `e_flags` is the architecture.
const OLD_LAYOUT: u8 = 0x33;

/// `EI_OSABI` of the layout in which the second byte is.
const NEW_LAYOUT: u8 = 0x41;

/// The architecture that machine code is for: 90 for `sm_90`. Otherwise what is wrong with it, as the end of a
/// sentence that begins with `it`.
pub(in crate::check::library) fn architecture(cubin: &[u8]) -> Result<u8, String> {
    let head = cubin
        .get(..HEAD)
        .ok_or_else(|| format!("has {} bytes, too few for an ELF file", cubin.len()))?;
    // The magic number, then ELFCLASS64 and ELFDATA2LSB.
    if !head.starts_with(b"\x7fELF\x02\x01") {
        let begin: Vec<String> = head[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        return Err(format!(
            "is no 64-bit ELF file: it begins with {}",
            begin.join(" ")
        ));
    }
    let machine = u16::from_le_bytes([head[18], head[19]]);
    if machine != MACHINE {
        return Err(format!("is for machine {machine}, not {MACHINE} (EM_CUDA)"));
    }
    match head[7] {
        OLD_LAYOUT => Ok(head[48]),
        NEW_LAYOUT => Ok(head[49]),
        other => Err(format!(
            "has the unknown EI_OSABI {other:#x}, so that its architecture cannot be read"
        )),
    }
}

/// Whether machine code has a section with the instructions of a kernel of this name.
pub(in crate::check::library) fn has_kernel(cubin: &[u8], name: &str) -> bool {
    let section = format!(".text.{name}\0");
    cubin
        .windows(section.len())
        .any(|window| window == section.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of what `nvrtcGetCUBIN` of CUDA 12.9 gives for sm_50 and of 13.5 for sm_75, cut to what is read.
    fn head(osabi: u8, flags: [u8; 4]) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, osabi, 7];
        bytes.resize(HEAD, 0);
        bytes[16] = 2;
        bytes[18] = 0xbe;
        bytes[48..52].copy_from_slice(&flags);
        bytes
    }

    #[track_caller]
    fn check(cubin: &[u8], expected: Result<u8, &str>) {
        assert_eq!(architecture(cubin), expected.map_err(str::to_owned));
    }

    #[test]
    fn both_layouts_of_the_flags_are_read() {
        check(&head(0x33, [0x32, 0x05, 0x32, 0x00]), Ok(50));
        check(&head(0x41, [0x04, 0x4b, 0x00, 0x06]), Ok(75));
        check(&head(0x41, [0x02, 0x79, 0x00, 0x06]), Ok(121));
    }

    #[test]
    fn what_is_no_machine_code_is_told() {
        check(b"", Err("has 0 bytes, too few for an ELF file"));
        check(
            &[b'.'; 64],
            Err("is no 64-bit ELF file: it begins with 2e 2e 2e 2e 2e 2e"),
        );
        let mut host = head(0, [0; 4]);
        host[18] = 62;
        check(&host, Err("is for machine 62, not 190 (EM_CUDA)"));
        check(
            &head(9, [0; 4]),
            Err("has the unknown EI_OSABI 0x9, so that its architecture cannot be read"),
        );
    }

    #[test]
    fn a_kernel_is_found_by_its_section() {
        assert!(has_kernel(b"\0.text.axpy\0", "axpy"));
        assert!(!has_kernel(b"\0.text.axpy2\0", "axpy"));
    }
}
