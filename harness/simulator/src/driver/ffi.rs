//! The exported functions of the driver API: they turn pointers into values, and answers into codes.
//!
//! Each is made by `exported!`, which puts the same guard around all of them: injected faults come first, a panic
//! answers `CUDA_ERROR_UNKNOWN`, and what never ends does not return.

/// Defines exported functions, each behind a guard, and the table in which they are found by name.
macro_rules! exported {
    ($guard:path => $status:ty; $($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)*) => {
        $(
            $(#[$attribute])*
            #[unsafe(no_mangle)]
            pub(super) extern "C" fn $name($($argument: $type),*) -> $status {
                $guard(stringify!($name), move || $body)
            }
        )*

        /// The functions of this module, by name.
        pub(super) fn symbols() -> impl Iterator<Item = (&'static str, usize)> {
            [$((stringify!($name), $name as *const () as usize)),*].into_iter()
        }
    };
}
pub(crate) use exported;

mod context;
mod device;
pub(crate) mod effects;
mod launch;
mod memory;
mod module;
mod stream;
pub(crate) mod value;

use std::cell::RefCell;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::configuration::Setup;
use super::machine::{Handle, Machine};
use super::status::Status;

/// The names of the exported functions.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    symbols().map(|(name, _)| name)
}

fn symbols() -> impl Iterator<Item = (&'static str, usize)> {
    device::symbols()
        .chain(context::symbols())
        .chain(module::symbols())
        .chain(memory::symbols())
        .chain(launch::all_symbols())
        .chain(stream::symbols())
}

/// The driver of this process, made from the environment at the first call.
fn machine() -> MutexGuard<'static, Machine> {
    static MACHINE: OnceLock<Mutex<Machine>> = OnceLock::new();
    MACHINE
        .get_or_init(|| {
            let setup = setup();
            if let Setup::Broken(complaint) = &setup {
                // The codes that follow cannot say it, and a closed standard error must not stop them.
                let _ = writeln!(std::io::stderr(), "cudacheck simulator: {complaint}");
            }
            Mutex::new(Machine::new(setup))
        })
        .lock()
        // A panic in a call answers 999, and must not make every later call panic.
        .unwrap_or_else(PoisonError::into_inner)
}

#[cfg(not(test))]
fn setup() -> Setup {
    Setup::from_environment()
}

/// The tests of a process share its driver, and the environment of a test run says nothing about it.
#[cfg(test)]
fn setup() -> Setup {
    let profile = |name: &str| (name == "CUDACHECK_SIMULATE").then(|| "h100".to_owned());
    Setup::from_variables(&profile)
}

/// Does something with the driver, in whatever state it is.
pub(crate) fn with_machine<Answer>(action: impl FnOnce(&mut Machine) -> Answer) -> Answer {
    action(&mut machine())
}

/// The guard of the driver's functions.
pub(crate) fn call(function: &str, body: impl FnOnce() -> Result<(), Status>) -> Status {
    let injected = with_machine(|machine| machine.injected(function));
    if let Some(effect) = injected {
        return Status(effects::instead_of_call(effect));
    }
    // What the closures hold is copied from the caller, and the driver's state is replaced value by value.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Status::SUCCESS,
        Ok(Err(Status::NEVER)) => effects::hang(),
        Ok(Err(status)) => status,
        Err(_) => Status::UNKNOWN,
    }
}

/// Does something that needs `cuInit`.
fn initialised<Answer>(
    action: impl FnOnce(&mut Machine) -> Result<Answer, Status>,
) -> Result<Answer, Status> {
    let mut machine = machine();
    machine.require_initialised()?;
    action(&mut machine)
}

/// Does something that needs a current context.
fn in_context<Answer>(
    action: impl FnOnce(&mut Machine, Handle) -> Result<Answer, Status>,
) -> Result<Answer, Status> {
    initialised(|machine| {
        let current = current().ok_or(Status::INVALID_CONTEXT)?;
        action(machine, current)
    })
}

thread_local! {
    /// The calling thread's contexts; the last one is current.
    static CONTEXTS: RefCell<Vec<Handle>> = const { RefCell::new(Vec::new()) };
}

/// The calling thread's current context.
fn current() -> Option<Handle> {
    contexts(|stack| stack.last().copied())
}

/// Does something with the calling thread's contexts; a thread that is ending has none.
fn contexts<Answer: Default>(action: impl FnOnce(&mut Vec<Handle>) -> Answer) -> Answer {
    CONTEXTS
        .try_with(|stack| action(&mut stack.borrow_mut()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
