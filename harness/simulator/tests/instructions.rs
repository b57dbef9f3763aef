//! One instruction, its inputs, and the result that the PTX ISA gives it.

mod support;

use cudacheck_kernels::{Argument, Device, Launch, LaunchKind};
use support::{Simulated, limits};

/// Runs a snippet with the inputs in `%rd0`, `%rd1`, `%rd2` (low parts in `%r`, `%h`, `%f`, `%d`), and compares
/// what it leaves in register 7 of whichever kind it names.
#[track_caller]
fn check(snippet: &str, inputs: [u64; 3], expected: u64) {
    let store = if snippet.contains("%p7") {
        "selp.u64 %rd7, 1, 0, %p7;"
    } else if snippet.contains("%rd7") || snippet.contains("%d7") {
        if snippet.contains("%d7") {
            "mov.b64 %rd7, %d7;"
        } else {
            ""
        }
    } else if snippet.contains("%h7") {
        "cvt.u64.u16 %rd7, %h7;"
    } else if snippet.contains("%f7") {
        "mov.b32 %r7, %f7; cvt.u64.u32 %rd7, %r7;"
    } else {
        "cvt.u64.u32 %rd7, %r7;"
    };
    let load: String = (0..3)
        .map(|index| {
            format!(
                "ld.global.b64 %rd{index}, [%in+{}]; cvt.u32.u64 %r{index}, %rd{index}; cvt.u16.u64 %h{index}, %rd{index};
                 mov.b32 %f{index}, %r{index}; mov.b64 %d{index}, %rd{index};\n",
                index * 8
            )
        })
        .collect();
    let ptx = format!(
        ".version 8.4\n.target sm_90\n.address_size 64
         .visible .entry one(.param .u64 in, .param .u64 out)
         {{
         .reg .b16 %h<8>; .reg .b32 %r<8>; .reg .b64 %rd<8>; .reg .f32 %f<8>; .reg .f64 %d<8>; .reg .pred %p<8>;
         .reg .b64 %in; .reg .b64 %out;
         ld.param.u64 %in, [in]; ld.param.u64 %out, [out];
         {load}
         {snippet}
         {store}
         st.global.u64 [%out], %rd7;
         ret;
         }}"
    );
    let mut device =
        Simulated::new(&ptx, &limits((9, 0), 1, 227 << 10)).expect("the snippet compiles");
    let address = device.allocate(32).expect("there is room");
    let bytes: Vec<u8> = inputs
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    device.write(address, &bytes).expect("it was allocated");
    let launch = Launch {
        entry: "one",
        grid: [1; 3],
        block: [1; 3],
        dynamic_shared: 0,
        kind: LaunchKind::Plain,
        arguments: vec![Argument::u64(0), Argument::u64(0)],
    };
    let arguments = [
        address.to_le_bytes().to_vec(),
        (address + 24).to_le_bytes().to_vec(),
    ];
    device
        .launch(&launch, &arguments)
        .expect("the snippet runs");
    let mut out = [0; 8];
    device
        .read(address + 24, &mut out)
        .expect("it was allocated");
    let got = u64::from_le_bytes(out);
    assert_eq!(
        got, expected,
        "{snippet}: 0x{got:x} instead of 0x{expected:x}"
    );
}

/// The bits of a negative number of 32 bits.
fn neg(value: u32) -> u64 {
    u64::from(value.wrapping_neg())
}

fn f32(value: f32) -> u64 {
    u64::from(value.to_bits())
}

fn f64(value: f64) -> u64 {
    value.to_bits()
}

#[test]
fn integer_arithmetic() {
    check("add.s32 %r7, %r0, %r1;", [u64::from(u32::MAX), 3, 0], 2);
    check("add.u16 %h7, %h0, %h1;", [0xffff, 3, 0], 2);
    check("add.u64 %rd7, %rd0, -1;", [5, 0, 0], 4);
    check(
        "add.sat.s32 %r7, %r0, %r1;",
        [0x7fff_ffff, 3, 0],
        0x7fff_ffff,
    );
    check(
        "sub.sat.s32 %r7, %r0, %r1;",
        [0x8000_0000, 3, 0],
        0x8000_0000,
    );
    check("sub.u32 %r7, %r0, %r1;", [1, 3, 0], neg(2));
    check(
        "mul.lo.u32 %r7, %r0, %r1;",
        [0x1_0001, 0x1_0001, 0],
        0x2_0001,
    );
    check(
        "mul.hi.u32 %r7, %r0, %r1;",
        [0xffff_ffff, 0xffff_ffff, 0],
        0xffff_fffe,
    );
    check("mul.hi.s32 %r7, %r0, %r1;", [neg(1), 5, 0], neg(1));
    check(
        "mul.wide.s32 %rd7, %r0, %r1;",
        [neg(3), 5, 0],
        (-15i64).cast_unsigned(),
    );
    check(
        "mul.wide.u16 %r7, %h0, %h1;",
        [0xffff, 0xffff, 0],
        0xfffe_0001,
    );
    check(
        "mul.hi.u64 %rd7, %rd0, %rd1;",
        [u64::MAX, u64::MAX, 0],
        u64::MAX - 1,
    );
    check("mul.hi.s64 %rd7, %rd0, %rd1;", [u64::MAX, 7, 0], u64::MAX);
    check("mad.lo.s32 %r7, %r0, %r1, %r2;", [neg(3), 5, 7], neg(8));
    check("mad.hi.u32 %r7, %r0, %r1, %r2;", [0x8000_0000, 4, 9], 11);
    check("mad.wide.s32 %rd7, %r0, %r1, %rd2;", [neg(3), 5, 20], 5);
    check(
        "mad.hi.sat.s32 %r7, %r0, %r1, %r2;",
        [0x7fff_ffff, 0x7fff_ffff, 0x7fff_ffff],
        0x7fff_ffff,
    );
    check("mul24.lo.u32 %r7, %r0, %r1;", [0xff00_0003, 5, 0], 15);
    check(
        "mul24.hi.s32 %r7, %r0, %r1;",
        [0x00ff_ffff, 0x10000, 0],
        neg(1),
    );
    check("mad24.lo.s32 %r7, %r0, %r1, %r2;", [3, 5, 7], 22);
    check("sad.s32 %r7, %r0, %r1, %r2;", [neg(3), 5, 7], 15);
    check("sad.u32 %r7, %r0, %r1, %r2;", [3, 5, 7], 9);
    check("div.s32 %r7, %r0, %r1;", [neg(7), 2, 0], neg(3));
    check("div.u32 %r7, %r0, %r1;", [neg(7), 2, 0], 0x7fff_fffc);
    check("rem.s32 %r7, %r0, %r1;", [neg(7), 2, 0], neg(1));
    check("rem.u64 %rd7, %rd0, %rd1;", [100, 7, 0], 2);
    check("abs.s32 %r7, %r0;", [neg(7), 0, 0], 7);
    check("neg.s16 %h7, %h0;", [7, 0, 0], 0xfff9);
    check("min.s32 %r7, %r0, %r1;", [neg(7), 2, 0], neg(7));
    check("min.u32 %r7, %r0, %r1;", [neg(7), 2, 0], 2);
    check("max.s64 %rd7, %rd0, %rd1;", [u64::MAX, 2, 0], 2);
}

#[test]
fn carries_chain() {
    let chain = "add.cc.u32 %r3, %r0, %r1; addc.u32 %r7, %r2, 0;";
    check(chain, [0xffff_ffff, 1, 5], 6);
    check(chain, [0xffff_fffe, 1, 5], 5);
    let borrow = "sub.cc.u32 %r3, %r0, %r1; subc.u32 %r7, %r2, 0;";
    check(borrow, [0, 1, 5], 4);
    check(borrow, [1, 1, 5], 5);
    check(
        "mad.lo.cc.u32 %r3, %r0, %r1, %r2; madc.hi.u32 %r7, %r0, %r1, 0;",
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff],
        0xffff_ffff,
    );
    check(
        "add.cc.u64 %rd3, %rd0, %rd1; addc.cc.u64 %rd7, %rd2, 0;",
        [u64::MAX, 1, 5],
        6,
    );
}

#[test]
fn bits() {
    check("popc.b64 %r7, %rd0;", [0xf0f0_0000_0000_0001, 0, 0], 9);
    check("clz.b32 %r7, %r0;", [0x0000_8000, 0, 0], 16);
    check("clz.b32 %r7, %r0;", [0, 0, 0], 32);
    check("brev.b32 %r7, %r0;", [1, 0, 0], 0x8000_0000);
    check("bfind.u32 %r7, %r0;", [0x0000_8000, 0, 0], 15);
    check("bfind.s32 %r7, %r0;", [neg(1), 0, 0], 0xffff_ffff);
    check("bfind.shiftamt.u32 %r7, %r0;", [0x0000_8000, 0, 0], 16);
    check("bfe.s32 %r7, %r0, %r1, %r2;", [0xf0, 4, 4], neg(1));
    check("bfe.u32 %r7, %r0, %r1, %r2;", [0xf0, 4, 4], 0xf);
    check(
        "bfi.b32 %r7, %r0, %r1, 8, 4;",
        [0x5, 0xffff_ffff, 0],
        0xffff_f5ff,
    );
    check("fns.b32 %r7, %r0, 0, %r1;", [0b1011_0000, 2, 0], 5);
    check("bmsk.clamp.b32 %r7, %r0, %r1;", [4, 8, 0], 0xff0);
    check("szext.wrap.s32 %r7, %r0, %r1;", [0x80, 8, 0], 0xffff_ff80);
    check(
        "prmt.b32 %r7, %r0, %r1, %r2;",
        [0x3322_1100, 0x7766_5544, 0x7531],
        0x7755_3311,
    );
    check(
        "prmt.b32 %r7, %r0, %r1, 0x8888;",
        [0x0000_0080, 0, 0],
        0xffff_ffff,
    );
    check(
        "prmt.b32.f4e %r7, %r0, %r1, 1;",
        [0x3322_1100, 0x7766_5544, 0],
        0x4433_2211,
    );
    check(
        "shf.l.clamp.b32 %r7, %r0, %r1, 8;",
        [0x1122_3344, 0x5566_7788, 0],
        0x6677_8811,
    );
    check(
        "shf.r.wrap.b32 %r7, %r0, %r1, 40;",
        [0x1122_3344, 0x5566_7788, 0],
        0x8811_2233,
    );
    check("shl.b32 %r7, %r0, 33;", [1, 0, 0], 0);
    check("shr.s32 %r7, %r0, 40;", [neg(8), 0, 0], 0xffff_ffff);
    check("shr.u16 %h7, %h0, 4;", [0xfff0, 0, 0], 0x0fff);
    check(
        "lop3.b32 %r7, %r0, %r1, %r2, 0x96;",
        [0b1100, 0b1010, 0b1111],
        0b1001,
    );
    check("not.b16 %h7, %h0;", [0x00ff, 0, 0], 0xff00);
    check("cnot.b32 %r7, %r0;", [0, 0, 0], 1);
    check(
        "dp4a.u32.u32 %r7, %r0, %r1, %r2;",
        [0x0102_0304, 0x0101_0101, 5],
        15,
    );
    check(
        "dp4a.s32.u32 %r7, %r0, %r1, %r2;",
        [0xffff_ffff, 0x0101_0101, 5],
        1,
    );
    check(
        "dp2a.hi.u32.u32 %r7, %r0, %r1, %r2;",
        [0x0002_0003, 0x0504_0302, 1],
        23,
    );
}

#[test]
fn floats() {
    check(
        "fma.rn.f32 %f7, %f0, %f1, %f2;",
        [f32(3.0), f32(4.0), f32(5.0)],
        f32(17.0),
    );
    check(
        "add.rz.f32 %f7, %f0, %f1;",
        [f32(1.0), f32(1e-10), 0],
        f32(1.0),
    );
    check(
        "add.rp.f32 %f7, %f0, %f1;",
        [f32(1.0), f32(1e-10), 0],
        0x3f80_0001,
    );
    check(
        "add.sat.f32 %f7, %f0, %f1;",
        [f32(1.0), f32(1.0), 0],
        f32(1.0),
    );
    check("add.ftz.f32 %f7, %f0, %f1;", [1, 1, 0], 0);
    check("add.f32 %f7, %f0, %f1;", [1, 1, 0], 2);
    check(
        "add.f32 %f7, %f0, %f1;",
        [0x7f80_0000, 0xff80_0000, 0],
        0x7fff_ffff,
    );
    check(
        "div.rn.f32 %f7, %f0, %f1;",
        [f32(1.0), f32(3.0), 0],
        f32(1.0 / 3.0),
    );
    check("sqrt.rn.f64 %d7, %d0;", [f64(2.0), 0, 0], f64(2f64.sqrt()));
    check("rcp.rn.f64 %d7, %d0;", [f64(3.0), 0, 0], f64(1.0 / 3.0));
    check(
        "min.f32 %f7, %f0, %f1;",
        [0x7fc0_0000, f32(3.0), 0],
        f32(3.0),
    );
    check(
        "max.NaN.f32 %f7, %f0, %f1;",
        [0x7fc0_0000, f32(3.0), 0],
        0x7fff_ffff,
    );
    check(
        "min.f32 %f7, %f0, %f1;",
        [f32(0.0), f32(-0.0), 0],
        f32(-0.0),
    );
    check("neg.f64 %d7, %d0;", [f64(3.0), 0, 0], f64(-3.0));
    check(
        "copysign.f32 %f7, %f0, %f1;",
        [f32(-1.0), f32(3.0), 0],
        f32(-3.0),
    );
    check("testp.subnormal.f32 %p7, %f0;", [1, 0, 0], 1);
    check("ex2.approx.f32 %f7, %f0;", [f32(3.0), 0, 0], f32(8.0));
    check(
        "lg2.approx.f32 %f7, %f0;",
        [0, 0, 0],
        f32(f32::NEG_INFINITY),
    );
    check("add.f16 %h7, %h0, %h1;", [0x3c00, 0x4000, 0], 0x4200);
    check(
        "fma.rn.bf16x2 %r7, %r0, %r1, %r2;",
        [0x3f80_4000, 0x4000_4000, 0],
        0x4000_4080,
    );
    check(
        "mul.f64 %d7, %d0, 0d4000000000000000;",
        [f64(1.5), 0, 0],
        f64(3.0),
    );
    check("mul.f32 %f7, %f0, 2.0;", [f32(1.5), 0, 0], f32(3.0));
}

#[test]
fn comparisons() {
    check("setp.lt.s32 %p7, %r0, %r1;", [neg(1), 1, 0], 1);
    check("setp.lo.u32 %p7, %r0, %r1;", [neg(1), 1, 0], 0);
    check(
        "setp.neu.f32 %p7, %f0, %f1;",
        [0x7fc0_0000, 0x7fc0_0000, 0],
        1,
    );
    check("setp.ne.f32 %p7, %f0, %f1;", [0x7fc0_0000, f32(1.0), 0], 0);
    check(
        "setp.nan.f64 %p7, %d0, %d1;",
        [f64(f64::NAN), f64(1.0), 0],
        1,
    );
    check(
        "setp.eq.u32 %p1, %r0, %r1; setp.lt.and.u32 %p7, %r0, %r2, !%p1;",
        [1, 2, 3],
        1,
    );
    check("setp.lt.u32 %p1|%p7, %r0, %r1;", [1, 2, 0], 0);
    check(
        "setp.eq.f16x2 %p1|%p7, %r0, %r1;",
        [0x3c00_4000, 0x3c00_0000, 0],
        1,
    );
    check("set.gt.u32.s32 %r7, %r0, %r1;", [5, 2, 0], 0xffff_ffff);
    check("set.gt.f32.s32 %f7, %r0, %r1;", [5, 2, 0], f32(1.0));
    check("slct.u32.s32 %r7, %r0, %r1, %r2;", [5, 2, neg(1)], 2);
    check("slct.f32.f32 %f7, %f0, %f1, %f2;", [5, 2, f32(-0.0)], 5);
    check(
        "setp.ne.u32 %p1, %r0, 0; setp.ne.u32 %p2, %r1, 0; xor.pred %p7, %p1, %p2;",
        [5, 0, 0],
        1,
    );
}

#[test]
fn conversions() {
    check("cvt.s32.s8 %r7, %r0;", [0x80, 0, 0], 0xffff_ff80);
    check("cvt.u8.u32 %r7, %r0;", [0x1ff, 0, 0], 0xff);
    check("cvt.s8.s32 %r7, %r0;", [0x180, 0, 0], 0xffff_ff80);
    check("cvt.sat.u8.s32 %r7, %r0;", [neg(5), 0, 0], 0);
    check("cvt.sat.s8.s32 %r7, %r0;", [500, 0, 0], 127);
    check("cvt.rzi.s32.f32 %r7, %f0;", [f32(-2.7), 0, 0], neg(2));
    check("cvt.rni.u32.f32 %r7, %f0;", [f32(2.5), 0, 0], 2);
    check("cvt.rpi.s64.f64 %rd7, %d0;", [f64(2.1), 0, 0], 3);
    check("cvt.rzi.u32.f32 %r7, %f0;", [f32(-3.0), 0, 0], 0);
    check("cvt.rzi.s32.f32 %r7, %f0;", [f32(1e20), 0, 0], 0x7fff_ffff);
    check(
        "cvt.rn.f32.u32 %f7, %r0;",
        [0xffff_ffff, 0, 0],
        f32(4_294_967_296.0),
    );
    check("cvt.rz.f32.s32 %f7, %r0;", [0x7fff_ffff, 0, 0], 0x4eff_ffff);
    check("cvt.rn.f16.f32 %h7, %f0;", [f32(1.5), 0, 0], 0x3e00);
    check("cvt.f32.f16 %f7, %h0;", [0x3e00, 0, 0], f32(1.5));
    check(
        "cvt.rn.bf16x2.f32 %r7, %f0, %f1;",
        [f32(1.0), f32(2.0), 0],
        0x3f80_4000,
    );
    check(
        "cvt.rna.tf32.f32 %r7, %f0;",
        [0x3f80_1000, 0, 0],
        0x3f80_2000,
    );
    check("cvt.rmi.f32.f32 %f7, %f0;", [f32(-1.5), 0, 0], f32(-2.0));
    check(
        "cvt.rn.satfinite.e4m3x2.f32 %h7, %f0, %f1;",
        [f32(1000.0), f32(1.0), 0],
        0x7e38,
    );
    check("cvt.rn.f16x2.e4m3x2 %r7, %h0;", [0x3840, 0, 0], 0x3c00_4000);
}

#[test]
fn moves() {
    check("mov.b32 %r7, {%h0, %h1};", [0x1111, 0x2222, 0], 0x2222_1111);
    check(
        "mov.b64 %rd7, {%r0, %r1};",
        [0x1111, 0x2222, 0],
        0x2222_0000_1111,
    );
    check("mov.b32 {%h7, _}, %r0;", [0x2222_1111, 0, 0], 0x1111);
    check("mov.b32 {%h1, %h7}, %r0;", [0x2222_1111, 0, 0], 0x2222);
    check("mov.u32 %r7, %laneid;", [9, 0, 0], 0);
    check("mov.u32 %r7, %lanemask_le;", [9, 0, 0], 1);
    check("mov.u32 %r7, (1 << 4) + 3 * 2;", [0, 0, 0], 22);
    check("mov.u32 %r7, -0x10;", [0, 0, 0], 0xffff_fff0);
    check("mov.u32 %r7, 0b101;", [0, 0, 0], 5);
    check("mov.u32 %r7, 017;", [0, 0, 0], 15);
    check(
        "{ .reg .b32 %r7; mov.u32 %r7, 1; } mov.u32 %r7, 2;",
        [0, 0, 0],
        2,
    );
    check(
        "{ .reg .b128 %q; mov.b128 %q, {%rd0, %rd1}; mov.b128 {%rd2, %rd7}, %q; }",
        [1, 2, 0],
        2,
    );
}

#[test]
fn memories() {
    let shared =
        "{ .shared .align 8 .b8 s[16]; .reg .b64 %a; st.shared.u32 [s+4], %r0; mov.u64 %a, s;
        cvta.shared.u64 %a, %a; ld.u16 %r7, [%a+4]; }";
    check(shared, [0x1234_5678, 0, 0], 0x5678);
    let local = "{ .local .align 8 .b8 l[16]; .reg .b64 %a; st.local.v2.u32 [l+8], {%r0, %r1}; mov.u64 %a, l;
        cvta.local.u64 %a, %a; ld.v2.s16 {%r2, %r7}, [%a+12]; }";
    check(local, [1, 0x8000_0002, 0], 0xffff_8000);
    check(
        "st.global.u32 [%out], 5; atom.global.add.u32 %r7, [%out], %r0;",
        [3, 0, 0],
        5,
    );
    check(
        "st.global.u32 [%out], 5; red.global.max.u32 [%out], %r0; ld.global.u32 %r7, [%out];",
        [30, 0, 0],
        30,
    );
    check(
        "st.global.u32 [%out], 5; atom.inc.u32 %r1, [%out], 5; ld.global.u32 %r7, [%out];",
        [30, 0, 0],
        0,
    );
    check(
        "st.global.u32 [%out], 0; atom.dec.u32 %r1, [%out], 5; ld.global.u32 %r7, [%out];",
        [30, 0, 0],
        5,
    );
    check(
        "st.global.u64 [%out], 5; atom.cas.b64 %rd1, [%out], 5, %rd0; ld.global.u64 %rd7, [%out];",
        [30, 0, 0],
        30,
    );
    check(
        "st.global.f32 [%out], 1.5; atom.add.f32 %f1, [%out], %f0; ld.global.f32 %f7, [%out];",
        [f32(2.0), 0, 0],
        f32(3.5),
    );
    check("isspacep.global %p7, %in;", [0, 0, 0], 1);
    check("isspacep.shared %p7, %in;", [0, 0, 0], 0);
    check("ld.global.nc.u8 %r7, [%in+1];", [0x1234, 0, 0], 0x12);
    check(
        "{ .reg .b64 %a; alloca.u64 %a, 16; st.local.u32 [%a], %r0; ld.local.u32 %r7, [%a]; }",
        [9, 0, 0],
        9,
    );
}
