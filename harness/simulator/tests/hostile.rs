//! Text that is wrong, or meant to do harm: an error with its line, and never a panic or an endless run.

mod support;

use cudacheck_kernels::all;
use proptest::prelude::*;
use support::{Simulated, limits};

fn compile(text: &str) -> Result<(), String> {
    let device = limits((9, 0), 1, 227 << 10);
    Simulated::new(text, &device)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// The complaint about a kernel with this body, at PTX 6.0 and sm_50 unless the body begins with a header.
#[track_caller]
fn refused(body: &str, line: u32, complaint: &str) {
    let head = ".version 6.0\n.target sm_50\n.address_size 64\n";
    let text = format!(
        "{head}.visible .entry k(.param .u64 p) {{\n.reg .b16 %h<4>; .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .f32 %f<4>; .reg .f64 %d<4>; .reg .pred %p<4>;\n{body}\nret; }}"
    );
    let error = compile(&text).expect_err(body);
    let prefix = format!("ptxas application ptx input, line {line}; error   : ");
    assert!(
        error.starts_with(&prefix) && error.contains(complaint),
        "{body}: {error}"
    );
}

#[test]
fn complaints_name_the_line_and_the_cause() {
    refused("add.s32 %r0, %r1, %r9;", 6, "Unknown symbol '%r9'");
    refused(
        "\nadd.s32 %r0, %r1;",
        7,
        "Arguments mismatch for instruction 'add'",
    );
    refused("add.s32 %r0, %r1, %f0;", 6, "Arguments mismatch");
    refused("add.s32 %r0, %r1, %rd0;", 6, "Arguments mismatch");
    refused("add.f32 %f0, %f1, 1;", 6, "Arguments mismatch");
    refused(
        "add.wide.s32 %r0, %r1, %r2;",
        6,
        "Illegal modifier '.wide' for instruction 'add'",
    );
    refused(
        "add %r0, %r1, %r2;",
        6,
        "Unexpected instruction types specified for 'add'",
    );
    refused(
        "frobnicate.u32 %r0;",
        6,
        "Not a name of any known instruction: 'frobnicate'",
    );
    refused("bra nowhere;", 6, "unknown label 'nowhere'");
    refused("mov.u32 %r0, %r1", 7, "Parsing error near 'ret'");
    refused("ld.global.u32 %r0, [%r1];", 6, "Arguments mismatch");
    refused("ld.shared.u32 %r0, [p];", 6, "State space mismatch");
    refused(
        "redux.sync.add.u32 %r0, %r1, -1;",
        6,
        "Feature 'redux' requires PTX ISA .version 7.0 or later",
    );
    refused(
        "atom.global.add.f64 %d0, [%rd0], %d1;",
        6,
        "Feature 'atom.add.f64' requires .target sm_60 or higher",
    );
    refused("bar.sync 16;", 6, "Barrier number out of range");
    refused(
        ".reg .b32 %r;.reg .b32 %r;",
        6,
        "Duplicate definition of '%r'",
    );
    refused("x: x:", 6, "Duplicate definition of label 'x'");
    refused(".frob 1;", 6, "Parsing error near '.frob'");
    refused("call missing;", 6, "Function expected");
    refused("mul.s32 %r0, %r1, %r2;", 6, "requires .lo, .hi, or .wide");
    refused("div.f32 %f0, %f1, %f2;", 6, "Rounding modifier required");
    refused(
        "cvt.f32.f64 %f0, %d0;",
        6,
        "Unexpected instruction types or modifiers",
    );
    refused("@%r0 bra x; x:", 6, "predicate");
    refused(".shared .b8 s[60000];", 4, "uses too much shared data");
    refused(
        "tex.1d.v4.f32.s32 {%f0,%f1,%f2,%f3}, [p, {%r0}];",
        6,
        "the simulator does not support `tex.1d",
    );
}

#[test]
fn headers_are_checked() {
    #[track_caller]
    fn check(text: &str, complaint: &str) {
        let error = compile(text).expect_err(text);
        assert!(error.contains(complaint), "{text}: {error}");
    }
    check("", "Missing .version directive");
    check(
        ".version 99.0\n.target sm_50\n",
        "Unsupported .version 99.0; current version is '9.0'",
    );
    check(
        ".version 6.0\n.target sm_100\n",
        "PTX .version 8.6 or later is required",
    );
    check(
        ".version 8.6\n.target sm_100\n",
        "SM version specified by .target is higher",
    );
    check(".version 7.0\n.target sm_77\n", "Unknown target 'sm_77'");
    check(".version 7.0\n.target gpu\n", "Unknown target 'gpu'");
    check("this is not PTX at all", "Missing .version directive");
}

#[test]
fn enormous_things_are_refused_quickly() {
    let deep = "{".repeat(100_000);
    assert!(compile(&format!(".version 6.0\n.target sm_50\n.entry k() {deep}")).is_err());
    let parentheses = "(".repeat(100_000);
    for text in [
        format!(".entry k() {{ .reg .b32 %r<4>; mov.u32 %r0, {parentheses}1; ret; }}"),
        format!(
            ".entry k() {{ .reg .b32 %r<4>; mov.u32 %r0, {}1; ret; }}",
            "-".repeat(100_000)
        ),
        format!(
            ".entry k() {{ .reg .b32 %r<4>; mov.u32 %r0, {}%r1; ret; }}",
            "{".repeat(100_000)
        ),
        format!(".global .u32 x[2] = {}1", "{".repeat(100_000)),
        ".global .b8 x[99999999999999999];".to_owned(),
        ".global .b8 x[4294967296][4294967296];".to_owned(),
        ".entry k() { .local .b8 x[99999999999]; ret; }".to_owned(),
        ".entry k(.param .b8 x[99999999999]) { ret; }".to_owned(),
        ".const .b8 x[65537];".to_owned(),
    ] {
        assert!(
            compile(&format!(".version 6.0\n.target sm_50\n{text}")).is_err(),
            "{}",
            &text[..40]
        );
    }
    let many = ".version 6.0\n.target sm_50\n.entry k() { .reg .b32 %r<4000000000>; mov.u32 %r3999999999, 1; ret; }";
    assert_eq!(compile(many), Ok(()));
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "\\PC{0,200}") {
        let _ = compile(&text);
        let _ = compile(&format!(".version 7.0\n.target sm_80\n{text}"));
    }

    #[test]
    fn no_body_makes_the_compiler_panic(text in "[a-z0-9%.{}();:,@!\\[\\] +|_<>-]{0,120}") {
        let _ = compile(&format!(".version 7.0\n.target sm_80\n.entry k(.param .u64 p) {{ .reg .b32 %r<4>; {text}; ret; }}"));
    }

    #[test]
    fn no_change_of_a_kernel_makes_the_compiler_panic(
        kernel in 0usize..100, at in 0usize..20_000, length in 0usize..12, other in "[a-z0-9%.{};:,@!\\[\\]-]{0,6}",
    ) {
        let kernels: Vec<_> = all().collect();
        let text = kernels[kernel % kernels.len()].ptx;
        let start = at % text.len();
        let end = (start + length).min(text.len());
        if let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) {
            let _ = compile(&format!("{before}{other}{after}"));
        }
    }
}
