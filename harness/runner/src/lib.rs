//! What happens in a run: plan, schedule, supervise, classify. Loads no NVIDIA library.
//!
//! Deciding is pure and doing is thin: [`plan`] and [`classify`] have no clock and touch no file, and
//! everything that starts, waits for, or ends a process lies in one module. The caller provides a
//! current-thread tokio runtime with all drivers enabled; no wait in here is without a limit.
#![forbid(unsafe_code)]

mod classify;
mod clock;
mod config;
mod device;
mod door;
mod ending;
mod interrupt;
mod lock;
mod oracle;
mod plan;
mod probe;
mod run;
pub mod stub;
mod supervise;
mod tester;
pub mod tool;
mod variables;
mod worker;

pub use classify::{Context, Examines, classify};
pub use config::Config;
pub use ending::Ending;
pub use interrupt::unless_interrupted;
pub use oracle::oracle;
pub use plan::{
    DeviceFilter, Filter, PackageGiven, Packages, asks_for_files, packages, plan, platform,
};
pub use probe::probe;
pub use run::{interrupted, run};
pub use tester::has_tester;
