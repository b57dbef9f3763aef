//! What the programs of the checks compile to, written by hand.

use crate::fault;

/// On which way the code comes to the device.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Path {
    /// As PTX.
    Ptx,
    /// In place of machine code.
    Cubin,
}

/// The PTX of a program's kernels.
pub(super) fn ptx(source: &str, architecture: i32, path: Path) -> String {
    let target = match (architecture, fault::on("nvrtc-ptx-target")) {
        (86, true) => 80,
        (other, _) => other,
    };
    let mut text = format!(".version 7.8\n.target sm_{target}\n.address_size 64\n\n");
    if source.contains("void axpy(") {
        let wrong = path == Path::Cubin && fault::on("nvrtc-cubin-wrong");
        text.push_str(&AXPY.replace("ADDEND", if wrong { "%x" } else { "%y" }));
    }
    if source.contains("void mix(") {
        let wrong = path == Path::Ptx && fault::on("nvrtc-ptx-wrong");
        text.push_str(&MIX.replace("DISTANCE", if wrong { "2" } else { "1" }));
    }
    if source.contains("void scale(") && !fault::on("nvrtc-instance-missing") {
        text.push_str(SCALE);
    }
    text
}

/// The head of a cubin as CUDA 12.9 writes it, with the name of the section of one kernel.
pub(super) fn cubin(architecture: i32) -> Vec<u8> {
    let number = match (architecture, fault::on("nvrtc-cubin-architecture")) {
        (120, true) => 100,
        (other, _) => other,
    };
    let number = number.to_le_bytes()[0];
    let (layout, abi, flags) = match architecture {
        100.. => (0x41, 8, [0x02, number, 0x00, 0x06]),
        _ => (0x33, 7, [number, 0x05, number, 0x00]),
    };
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, layout, abi];
    bytes.resize(64, 0);
    bytes[16] = 2;
    bytes[18] = 190;
    bytes[48..52].copy_from_slice(&flags);
    bytes.extend(b"\0.text.axpy\0");
    bytes
}

const AXPY: &str = "\
.visible .entry axpy(
    .param .f32 a, .param .u64 xs, .param .u64 ys, .param .u32 n
)
{
    .reg .pred %end;
    .reg .b32 %i, %n, %step, %block, %thread;
    .reg .f32 %a, %x, %y;
    .reg .b64 %xs, %ys, %at, %place;
    ld.param.f32 %a, [a];
    ld.param.u64 %xs, [xs];
    ld.param.u64 %ys, [ys];
    ld.param.u32 %n, [n];
    mov.u32 %block, %ctaid.x;
    mov.u32 %step, %ntid.x;
    mov.u32 %thread, %tid.x;
    mad.lo.u32 %i, %block, %step, %thread;
    mov.u32 %block, %nctaid.x;
    mul.lo.u32 %step, %step, %block;
again:
    setp.ge.u32 %end, %i, %n;
    @%end bra done;
    mul.wide.u32 %at, %i, 4;
    add.u64 %place, %xs, %at;
    ld.global.f32 %x, [%place];
    add.u64 %place, %ys, %at;
    ld.global.f32 %y, [%place];
    fma.rn.f32 %y, %a, %x, ADDEND;
    st.global.f32 [%place], %y;
    add.u32 %i, %i, %step;
    bra again;
done:
    ret;
}
";

const MIX: &str = "\
.visible .entry mix(
    .param .u64 xs, .param .u64 ys, .param .u32 n
)
{
    .shared .align 4 .b8 near[256];
    .reg .pred %inside;
    .reg .b32 %i, %n, %block, %thread, %own, %next, %high, %low;
    .reg .b64 %xs, %ys, %at, %place, %near;
    ld.param.u64 %xs, [xs];
    ld.param.u64 %ys, [ys];
    ld.param.u32 %n, [n];
    mov.u32 %block, %ctaid.x;
    mov.u32 %i, %ntid.x;
    mov.u32 %thread, %tid.x;
    mad.lo.u32 %i, %block, %i, %thread;
    setp.lt.u32 %inside, %i, %n;
    mul.wide.u32 %at, %i, 4;
    add.u64 %place, %xs, %at;
    mov.u32 %own, 0;
    @%inside ld.global.u32 %own, [%place];
    mov.u64 %near, near;
    mul.wide.u32 %place, %thread, 4;
    add.u64 %place, %near, %place;
    st.shared.u32 [%place], %own;
    bar.sync 0;
    add.u32 %thread, %thread, DISTANCE;
    and.b32 %thread, %thread, 63;
    mul.wide.u32 %place, %thread, 4;
    add.u64 %place, %near, %place;
    ld.shared.u32 %next, [%place];
    shl.b32 %high, %own, 5;
    shr.u32 %low, %own, 27;
    or.b32 %own, %high, %low;
    mul.lo.u32 %own, %own, 0x9E3779B1;
    shr.u32 %next, %next, 7;
    xor.b32 %own, %own, %next;
    add.u64 %place, %ys, %at;
    @%inside st.global.u32 [%place], %own;
    ret;
}
";

const SCALE: &str = "\
.visible .entry _Z5scaleIfLi3EEvPT_(
    .param .u64 xs
)
{
    ret;
}
";
