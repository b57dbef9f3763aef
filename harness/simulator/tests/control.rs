//! Divergence, meeting again, calls, barriers, and the ways in which a kernel dies.

mod support;

use cudacheck_kernels::{Argument, Device, Launch, LaunchKind};
use support::{Simulated, limits};

/// Runs a body with one block of so many threads; `%t` is the thread, `%out` its own 4 bytes of the output,
/// `%all` where the output begins. Gives every thread's word, or why the kernel died.
fn run(functions: &str, body: &str, threads: u32) -> Result<Vec<u32>, String> {
    let ptx = format!(
        ".version 7.8\n.target sm_90\n.address_size 64
         {functions}
         .visible .entry one(.param .u64 out)
         {{
         .reg .b32 %r<16>; .reg .b64 %rd<8>; .reg .pred %p<8>; .reg .b32 %t; .reg .b64 %out; .reg .b64 %all;
         ld.param.u64 %all, [out]; mov.u32 %t, %tid.x; mul.wide.u32 %out, %t, 4; add.u64 %out, %out, %all;
         {body}
         }}"
    );
    let mut device =
        Simulated::new(&ptx, &limits((9, 0), 4, 227 << 10)).map_err(|error| error.to_string())?;
    device.step_limit = Some(2_000_000);
    let address = device.allocate(u64::from(threads) * 4)?;
    device.write(address, &vec![0; threads as usize * 4])?;
    let launch = Launch {
        entry: "one",
        grid: [1; 3],
        block: [threads, 1, 1],
        dynamic_shared: 64,
        kind: LaunchKind::Plain,
        arguments: vec![Argument::u64(0)],
    };
    device.launch(&launch, &[address.to_le_bytes().to_vec()])?;
    let mut bytes = vec![0; threads as usize * 4];
    device.read(address, &mut bytes)?;
    let words = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    Ok(words.collect())
}

#[track_caller]
fn check(functions: &str, body: &str, threads: u32, expected: impl Fn(u32) -> u32) {
    let wanted: Vec<u32> = (0..threads).map(expected).collect();
    assert_eq!(run(functions, body, threads), Ok(wanted), "{body}");
}

#[track_caller]
fn dies(functions: &str, body: &str, of: &str) {
    let why = run(functions, body, 64).expect_err(body);
    assert!(why.contains(of), "{body}: {why}");
}

#[test]
fn paths_meet_behind_a_branch() {
    let body = "and.b32 %r0, %t, 3; setp.eq.u32 %p0, %r0, 0; @%p0 bra zero; setp.eq.u32 %p1, %r0, 1; @%p1 bra one;
        mov.u32 %r1, 7; bra done; one: mov.u32 %r1, 5; bra done; zero: mov.u32 %r1, 3;
        done: activemask.b32 %r2; popc.b32 %r2, %r2; mad.lo.u32 %r1, %r2, 10, %r1; st.global.u32 [%out], %r1; ret;";
    check("", body, 32, |thread| {
        320 + [3, 5, 7, 7][thread as usize % 4]
    });
    check("", body, 40, |thread| {
        (if thread < 32 { 320 } else { 80 }) + [3, 5, 7, 7][thread as usize % 4]
    });
}

#[test]
fn loops_of_different_lengths_meet() {
    let body = "mov.u32 %r0, 0; mov.u32 %r1, 0; again: add.u32 %r1, %r1, %r0; add.u32 %r0, %r0, 1;
        setp.le.u32 %p0, %r0, %t; @%p0 bra again; activemask.b32 %r2; setp.eq.u32 %p1, %r2, -1;
        @!%p1 mov.u32 %r1, 9999; st.global.u32 [%out], %r1; ret;";
    check("", body, 64, |thread| thread * (thread + 1) / 2);
}

#[test]
fn a_lock_within_a_warp_makes_progress() {
    let body = ".shared .align 4 .b32 lock; .shared .align 4 .b32 total; setp.ne.u32 %p0, %t, 0; @%p0 bra ready;
        st.shared.u32 [lock], 0; st.shared.u32 [total], 0; ready: bar.sync 0;
        spin: atom.shared.cas.b32 %r0, [lock], 0, 1; setp.ne.u32 %p1, %r0, 0; @%p1 bra spin;
        ld.volatile.shared.u32 %r1, [total]; add.u32 %r1, %r1, 1; st.volatile.shared.u32 [total], %r1;
        membar.cta; atom.shared.exch.b32 %r2, [lock], 0;
        bar.sync 0; ld.shared.u32 %r1, [total]; st.global.u32 [%out], %r1; ret;";
    check("", body, 64, |_| 64);
}

const FIBONACCI: &str = ".func (.reg .u32 %result) fibonacci (.reg .u32 %n) {
    .reg .pred %p; .reg .b32 %a; .reg .b32 %b; .reg .b32 %c; setp.lt.u32 %p, %n, 2; mov.u32 %result, %n; @%p ret;
    sub.u32 %a, %n, 1; call (%b), fibonacci, (%a); sub.u32 %a, %n, 2; call (%c), fibonacci, (%a);
    add.u32 %result, %b, %c; ret; }";

#[test]
fn recursion_of_a_different_depth_in_each_lane() {
    let body = "and.b32 %r0, %t, 7; call (%r1), fibonacci, (%r0); activemask.b32 %r2; setp.ne.u32 %p0, %r2, -1;
        @%p0 mov.u32 %r1, 99; st.global.u32 [%out], %r1; ret;";
    check(FIBONACCI, body, 32, |thread| {
        [0, 1, 1, 2, 3, 5, 8, 13][thread as usize % 8]
    });
}

#[test]
fn guarded_and_indirect_calls() {
    let functions =
        ".func (.param .b32 out) twice (.param .b32 in) { .reg .b32 %a; ld.param.u32 %a, [in];
        add.u32 %a, %a, %a; st.param.b32 [out], %a; ret; }
        .func (.param .b32 out) next (.param .b32 in) { .reg .b32 %a; ld.param.u32 %a, [in];
        add.u32 %a, %a, 1; st.param.b32 [out], %a; ret; }
        .global .align 8 .u64 table[2] = {twice, next};";
    let body = "and.b32 %r0, %t, 1; mul.wide.u32 %rd0, %r0, 8; mov.u64 %rd1, table; add.u64 %rd1, %rd1, %rd0;
        ld.global.u64 %rd2, [%rd1]; prototype: .callprototype (.param .b32 _) _ (.param .b32 _);
        { .param .b32 a; .param .b32 b; st.param.b32 [a], %t; call (b), %rd2, (a), prototype; ld.param.b32 %r1, [b]; }
        setp.gt.u32 %p0, %t, 15;
        { .param .b32 a; .param .b32 b; st.param.b32 [b], 0; st.param.b32 [a], %r1; @%p0 call (b), twice, (a);
          ld.param.b32 %r2, [b]; }
        add.u32 %r1, %r1, %r2; st.global.u32 [%out], %r1; ret;";
    check(functions, body, 64, |thread| {
        let first = if thread % 2 == 0 {
            2 * thread
        } else {
            thread + 1
        };
        if thread > 15 { 3 * first } else { first }
    });
}

#[test]
fn a_table_of_branches() {
    let body = "targets: .branchtargets one, two, three; rem.u32 %r0, %t, 3; brx.idx %r0, targets;
        one: mov.u32 %r1, 10; bra done; two: mov.u32 %r1, 20; bra done; three: mov.u32 %r1, 30;
        done: st.global.u32 [%out], %r1; ret;";
    check("", body, 64, |thread| (thread % 3 + 1) * 10);
}

#[test]
fn barriers_wait_for_paths_that_are_apart() {
    let body = ".shared .align 4 .b32 words[64]; shl.b32 %r0, %t, 2; mov.u32 %r1, words; add.u32 %r1, %r1, %r0;
        and.b32 %r2, %t, 1; setp.eq.u32 %p0, %r2, 0; @%p0 bra even; st.shared.u32 [%r1], %t; bar.sync 0; bra done;
        even: add.u32 %r3, %t, 100; st.shared.u32 [%r1], %r3; bar.sync 0;
        done: xor.b32 %r0, %r0, 252; mov.u32 %r1, words; add.u32 %r1, %r1, %r0; ld.shared.u32 %r4, [%r1];
        st.global.u32 [%out], %r4; ret;";
    check("", body, 64, |thread| {
        let other = thread ^ 63;
        if other % 2 == 0 { other + 100 } else { other }
    });
}

#[test]
fn lanes_that_are_apart_exchange_values() {
    let body = "setp.lt.u32 %p0, %t, 16; @%p0 bra low; shfl.sync.bfly.b32 %r0, %t, 16, 31, -1; bra done;
        low: add.u32 %r1, %t, 100; shfl.sync.bfly.b32 %r0, %r1, 16, 31, -1; done: st.global.u32 [%out], %r0; ret;";
    check("", body, 32, |thread| {
        if thread < 16 {
            thread + 16
        } else {
            thread - 16 + 100
        }
    });
}

#[test]
fn exited_threads_are_not_waited_for() {
    let body = "setp.gt.u32 %p0, %t, 39; @%p0 exit; bar.sync 0; vote.sync.ballot.b32 %r0, 1, -1;
        popc.b32 %r0, %r0; st.global.u32 [%out], %r0; ret;";
    check("", body, 64, |thread| match thread {
        0..32 => 32,
        32..40 => 8,
        _ => 0,
    });
}

#[test]
fn barriers_reduce() {
    let body = "and.b32 %r0, %t, 3; setp.eq.u32 %p0, %r0, 0; bar.red.popc.u32 %r1, 0, %p0;
        bar.red.and.pred %p1, 1, %p0; bar.red.or.pred %p2, 2, %p0; selp.u32 %r2, 100, 0, %p1; selp.u32 %r3, 1000, 0, %p2;
        add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3; st.global.u32 [%out], %r1; ret;";
    check("", body, 64, |_| 1016);
}

#[test]
fn kernels_die_as_on_a_device() {
    dies(
        "",
        "st.global.u32 [%all+4096], %t; ret;",
        "illegal access of 4 bytes at 0x",
    );
    dies(
        "",
        "st.global.u32 [%all+2], %t; ret;",
        "misaligned access of 4 bytes",
    );
    dies(
        "",
        "mov.u64 %rd0, 0; ld.global.u32 %r0, [%rd0]; ret;",
        "illegal access of 4 bytes at 0x0 ",
    );
    dies(
        "",
        "st.shared.u32 [4096], %t; ret;",
        "illegal access of 4 bytes",
    );
    dies(
        "",
        "setp.eq.u32 %p0, %t, 33; @%p0 trap; ret;",
        "`@%p0 trap` in line 9 of `one`, block (0, 0, 0), thread (33, 0, 0)",
    );
    dies(
        "",
        "mov.u64 %rd0, 77; p: .callprototype _ (); call %rd0, p; ret;",
        "0x4d, which is no code",
    );
    dies(
        "",
        "mov.u32 %r0, 16; bar.sync %r0; ret;",
        "barrier number beyond 15",
    );
    dies(
        "",
        "setp.lt.u32 %p0, %t, 32; @%p0 bra low; bar.sync 1; ret; low: bar.sync 2, 64; ret;",
        "deadlock",
    );
    dies("", "again: bra again;", "stopped after");
    dies(
        ".func deep () { .local .b8 x[1024]; call deep; ret; }",
        "call deep; ret;",
        "stack overflow",
    );
}
