//! Why each surviving mutant cannot be told from its kernel.
//!
//! A rule names what it covers as narrowly as its reason holds: by kernel, and by a part of the survivor's
//! line. A survivor without a rule fails the test.

/// The kernel, or nothing for all; a part of the survivor's line; and why it survives.
type Rule = (&'static str, &'static str, &'static str);

const RULES: &[Rule] = &[
    // The same bits on every input that a kernel can have.
    (
        "",
        "shr.u32 %",
        "thread and lane indices are below 2^31, where both shifts are the same",
    ),
    (
        "",
        "shr.u64 %",
        "addresses and sizes are below 2^63, where both shifts are the same",
    ),
    (
        "",
        "rem.u32 %",
        "what is divided is below 2^31, where both remainders are the same",
    ),
    (
        "",
        "cvt.u64.u32 %",
        "indices are below 2^31, where both extensions are the same",
    ),
    ("shared-static", "min.u32", "counts of words are below 2^31"),
    (
        "convert-integer",
        "cvt.rn.f64.",
        "every 32-bit integer is exact in f64, so nothing is rounded",
    ),
    (
        "convert-integer",
        "cvt.s64.s32",
        "the sign of the result type does not change the extension",
    ),
    (
        "convert-integer",
        "cvt.s32.s",
        "the sign of the result type does not change the extension",
    ),
    (
        "convert-integer",
        "cvt.u32.u",
        "the sign of the result type does not change the bits that stay",
    ),
    (
        "convert-half",
        "cvt.s64.s32",
        "the sign of the result type does not change the extension",
    ),
    (
        "convert-half",
        "cvt.rn.f16.f32 %k, %g",
        "the value came from half precision, so nothing is rounded",
    ),
    (
        "vector-access",
        "prefetch.",
        "a prefetch is a hint and computes nothing",
    ),
    (
        "clock",
        "mov.u32 %warp, %warpid",
        "a warp may move to another slot at any time, so only the range is certain",
    ),
    // Interchangeable choices.
    (
        "fences",
        "%reader",
        "the roles of the two blocks are interchangeable",
    ),
    (
        "fences-scoped",
        "%reader",
        "the roles of the two blocks are interchangeable",
    ),
    (
        "grid-barrier",
        "setp.ne.u32 %other, %thread, 0",
        "any one thread may speak for its block",
    ),
    ("mbarrier", "%at", "any thread may prepare the barrier"),
    (
        "mbarrier",
        "%other",
        "any thread, and several, may prepare the barrier with the same count",
    ),
    // What only a device with weak memory or another schedule could show.
    (
        "",
        "membar.gl; -> (dropped)",
        "the interpreter's memory is sequentially consistent",
    ),
    (
        "",
        "fence.acq_rel.gpu; -> (dropped)",
        "the interpreter's memory is sequentially consistent",
    ),
    (
        "",
        "fence.sc.gpu; -> (dropped)",
        "the interpreter's memory is sequentially consistent",
    ),
    (
        "fences",
        "%patience",
        "no lane of a correct device loses its patience",
    ),
    (
        "fences-scoped",
        "%patience",
        "no lane of a correct device loses its patience",
    ),
    (
        "fences",
        "@%waiting mov",
        "no lane of a correct device loses its patience",
    ),
    (
        "fences-scoped",
        "@%waiting mov",
        "no lane of a correct device loses its patience",
    ),
    (
        "grid-barrier",
        "bar.sync 0; -> (dropped)",
        "a warp would have to be later than a whole time slice",
    ),
    (
        "async-copy",
        "bar.sync 0; -> (dropped)",
        "the interpreter's copies land at the wait, never before",
    ),
];

/// Why a mutant survives, if it is known. A survivor reads `KERNEL:LINE: BEFORE -> AFTER`.
pub(crate) fn explanation(survivor: &str) -> Option<&'static str> {
    let kernel = survivor.split(':').next()?;
    let covers =
        |rule: &&Rule| (rule.0.is_empty() || rule.0 == kernel) && survivor.contains(rule.1);
    RULES.iter().find(covers).map(|rule| rule.2)
}

/// The rules that no survivor needs any more.
pub(crate) fn idle(survivors: &[&String]) -> Vec<&'static str> {
    let needed = |rule: &&Rule| {
        survivors.iter().any(|survivor| {
            let kernel = survivor.split(':').next().unwrap_or_default();
            (rule.0.is_empty() || rule.0 == kernel) && survivor.contains(rule.1)
        })
    };
    RULES
        .iter()
        .filter(|rule| !needed(rule))
        .map(|rule| rule.1)
        .collect()
}
