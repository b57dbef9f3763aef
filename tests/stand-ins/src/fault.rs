//! Which faults are switched on.

use std::env;

/// Whether a fault is switched on: `cublas-beta-ignored`.
#[expect(
    clippy::disallowed_methods,
    reason = "a library under test is told by its environment, as NVIDIA's are"
)]
pub(crate) fn on(name: &str) -> bool {
    let list = env::var("CUDACHECK_STAND_IN").unwrap_or_default();
    list.split(',').any(|fault| fault == name)
}

/// Whether the driver's switches leave a library that has only this kind of code without any: the faults
/// `LIBRARY-no-machine-code` and `LIBRARY-no-ptx` take one kind away.
#[expect(
    clippy::disallowed_methods,
    reason = "the driver's switches are variables of the environment"
)]
pub(crate) fn no_code(library: &str) -> bool {
    let set = |name: &str| env::var(name).is_ok_and(|value| value == "1");
    let native = !on(&format!("{library}-no-machine-code"));
    let ptx = !on(&format!("{library}-no-ptx"));
    let runs_native = native && !set("CUDA_FORCE_PTX_JIT");
    let runs_ptx = ptx && !set("CUDA_DISABLE_PTX_JIT");
    !runs_native && !runs_ptx
}
