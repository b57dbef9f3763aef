//! What a library's first bytes tell: enough to know that the dynamic loader could take it.
//!
//! The loader itself is a bad witness: of a library for another architecture it says that it does not
//! exist, and a truncated one makes it die of SIGBUS.

use cudacheck_model::package::Machine;

/// The processors that drivers are made for here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Architecture {
    /// `x86_64`.
    X86,
    /// `aarch64`.
    Arm,
}

impl Architecture {
    /// The architecture that this program is built for.
    pub(super) fn own() -> Option<Self> {
        Self::named(std::env::consts::ARCH)
    }

    /// The architecture of this name, as `uname -m` prints it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "x86_64" => Some(Self::X86),
            "aarch64" => Some(Self::Arm),
            _ => None,
        }
    }

    /// The name, as `uname -m` prints it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "aarch64",
        }
    }

    /// What its libraries are made for.
    pub(super) fn machine(self) -> Machine {
        match self {
            Self::X86 => Machine::X86_64,
            Self::Arm => Machine::Aarch64,
        }
    }

    fn of_machine(machine: u16) -> Option<Self> {
        match machine {
            62 => Some(Self::X86),
            183 => Some(Self::Arm),
            _ => None,
        }
    }
}

/// What a library is made for, by its first bytes.
pub(super) fn architecture(head: &[u8]) -> Option<Architecture> {
    let wide = head.starts_with(b"\x7fELF\x02");
    half(head, 18)
        .filter(|_| wide)
        .and_then(Architecture::of_machine)
}

/// Bytes that are enough for [`complaint`]: the header, and the program headers that follow it.
pub(super) const HEAD: u64 = 4096;

/// Why a file cannot be a library for `wanted`, given its first [`HEAD`] bytes and its size.
pub(super) fn complaint(head: &[u8], size: u64, wanted: Option<Architecture>) -> Option<String> {
    if size == 0 {
        return Some("the file is empty".to_owned());
    }
    if !head.starts_with(b"\x7fELF") {
        return Some("it is no ELF file".to_owned());
    }
    let (Some(class), Some(machine)) = (head.get(4), half(head, 18)) else {
        return Some("the file ends within its ELF header".to_owned());
    };
    if let Some(wanted) = wanted
        && (*class != 2 || Architecture::of_machine(machine) != Some(wanted))
    {
        let made_for = match (class, Architecture::of_machine(machine)) {
            (2, Some(architecture)) => architecture.name().to_owned(),
            (1, _) => "a 32-bit processor".to_owned(),
            _ => format!("ELF machine {machine}"),
        };
        return Some(format!("it is for {made_for}, not {}", wanted.name()));
    }
    match end(head) {
        Some(end) if end > size => Some(format!(
            "the file is truncated: it has {size} bytes of at least {end}"
        )),
        _ => None,
    }
}

/// Where the last loaded segment ends, in bytes from the start of the file. See `Elf64_Phdr` in `elf.h`.
fn end(head: &[u8]) -> Option<u64> {
    const LOAD: u32 = 1;
    let table = usize::try_from(word(head, 32)?).ok()?;
    let size = usize::from(half(head, 54)?);
    let count = usize::from(half(head, 56)?);
    (0..count)
        .map_while(|index| {
            let at = table.checked_add(index.checked_mul(size)?)?;
            let kind = u32::from_le_bytes(bytes(head, at)?);
            let end =
                word(head, at.checked_add(8)?)?.checked_add(word(head, at.checked_add(32)?)?)?;
            Some(if kind == LOAD { end } else { 0 })
        })
        .max()
}

fn bytes<const N: usize>(head: &[u8], at: usize) -> Option<[u8; N]> {
    head.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn half(head: &[u8], at: usize) -> Option<u16> {
    bytes(head, at).map(u16::from_le_bytes)
}

fn word(head: &[u8], at: usize) -> Option<u64> {
    bytes(head, at).map(u64::from_le_bytes)
}

/// The smallest file that passes for a library.
#[cfg(test)]
pub(super) fn smallest(architecture: Architecture) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    bytes[16] = 3;
    bytes[18] = match architecture {
        Architecture::X86 => 62,
        Architecture::Arm => 183,
    };
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(head: &[u8], size: u64, expected: Option<&str>) {
        let complaint = complaint(head, size, Some(Architecture::X86));
        assert_eq!(complaint.as_deref(), expected);
    }

    #[test]
    fn a_file_that_cannot_be_loaded_is_told_by_its_head() {
        let good = smallest(Architecture::X86);
        check(&good, 64, None);
        check(b"", 0, Some("the file is empty"));
        check(b"/* GNU ld script */", 19, Some("it is no ELF file"));
        check(&good[..10], 10, Some("the file ends within its ELF header"));
        check(
            &smallest(Architecture::Arm),
            64,
            Some("it is for aarch64, not x86_64"),
        );
        let mut narrow = good.clone();
        narrow[4] = 1;
        check(
            &narrow,
            64,
            Some("it is for a 32-bit processor, not x86_64"),
        );
        let mut cut = good;
        cut[32] = 64;
        cut[54] = 56;
        cut[56] = 1;
        cut.resize(120, 0);
        cut[64] = 1;
        cut[64 + 32] = 200;
        check(&cut, 200, None);
        check(
            &cut,
            120,
            Some("the file is truncated: it has 120 bytes of at least 200"),
        );
    }

    #[test]
    fn a_library_tells_what_it_is_made_for() {
        let arm = smallest(Architecture::Arm);
        assert_eq!(architecture(&arm), Some(Architecture::Arm));
        assert_eq!(architecture(&arm[..10]), None);
        assert_eq!(architecture(b"text that is long enough for a header"), None);
    }

    #[test]
    fn this_program_passes() {
        let own = std::env::current_exe().unwrap();
        let bytes = std::fs::read(own).unwrap();
        let head = &bytes[..4096];
        assert_eq!(
            complaint(head, bytes.len() as u64, Architecture::own()),
            None
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes: Vec<u8>, size: u64) {
            let _ = complaint(&bytes, size, Some(Architecture::Arm));
            let mut with_magic = b"\x7fELF\x02".to_vec();
            with_magic.append(&mut bytes);
            let _ = complaint(&with_magic, size, None);
        }
    }
}
