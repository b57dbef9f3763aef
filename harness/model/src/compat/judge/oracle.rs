//! The driver's own files: what they said counts more than the tables, and where both differ the answer says so.

use super::code;
use super::driver::{self, Loaded, Origin};
use crate::compat::answer::{Domain, Prospect, Rule, Step};
use crate::compat::bound::{Bound, Known};
use crate::compat::gpu::Gpu;
use crate::compat::machine::Machine;
use crate::compat::package::Package;
use crate::compat::tables;
use crate::oracle::{CompilerStatus, JitQuestion, JitVerdict};
use crate::version::{PtxIsa, Target};

/// What the driver's compiler is to be asked about a package on a GPU; nothing without PTX of a known version.
pub(crate) fn question(package: &Package, gpu: &Gpu) -> Option<JitQuestion> {
    let (target, isa) = code::candidate(package, gpu)?;
    exact(target, isa, gpu)
}

fn exact(target: Target, isa: Bound<PtxIsa>, gpu: &Gpu) -> Option<JitQuestion> {
    Some(JitQuestion {
        isa: isa.exact()?,
        target,
        device: gpu.capability,
    })
}

/// What the machine's compiler said. A forward compatibility package brings its own, which was not asked.
fn answered(question: JitQuestion, machine: &Machine, loaded: Loaded) -> Option<&JitVerdict> {
    match loaded.from {
        Origin::Driver => machine.oracle.as_ref()?.jit(question),
        Origin::Compat(_) => None,
    }
}

/// What it said of the package's PTX.
pub(crate) fn answer_for_package<'m>(
    package: &Package,
    machine: &'m Machine,
    gpu: &Gpu,
    loaded: Loaded,
) -> Option<&'m JitVerdict> {
    answered(question(package, gpu)?, machine, loaded)
}

/// The step for PTX without which nothing runs.
pub(crate) fn decides(
    target: Target,
    isa: Bound<PtxIsa>,
    machine: &Machine,
    gpu: &Gpu,
    loaded: Loaded,
) -> Option<Step> {
    let question = exact(target, isa, gpu)?;
    let verdict = answered(question, machine, loaded)?;
    let words = words(
        question,
        verdict,
        tables_say(question, machine, gpu, loaded),
    );
    let label = gpu.label();
    let step = |but: &str, prospect| {
        let text = format!("there is no machine code for {label}, {but} {words}");
        Step::new(Rule::OracleJit, prospect, text)
    };
    Some(match verdict {
        JitVerdict::Accepted => step("but", Prospect::RunsJit),
        JitVerdict::Refused {
            status: CompilerStatus::UNSUPPORTED_VERSION,
            ..
        } => step("and", Prospect::Fails).error(Domain::Cuda, 222),
        // Which error a program meets then is not known without a device.
        JitVerdict::Refused { .. } | JitVerdict::Ended { .. } => step("and", Prospect::Fails),
    })
}

/// What the compiler said of PTX that is not needed, because there is machine code.
pub(crate) fn remark(
    package: &Package,
    machine: &Machine,
    gpu: &Gpu,
    loaded: Loaded,
) -> Option<Step> {
    let question = question(package, gpu)?;
    let verdict = answered(question, machine, loaded)?;
    let text = words(
        question,
        verdict,
        tables_say(question, machine, gpu, loaded),
    );
    Some(Step::new(Rule::OracleJit, Prospect::Runs, text))
}

/// Whether the compiler accepts it by the tables. Of a GPU that the driver does not know they say nothing of PTX.
fn tables_say(question: JitQuestion, machine: &Machine, gpu: &Gpu, loaded: Loaded) -> Known {
    let by_version = loaded.ability.ptx.reaches(Bound::exactly(question.isa));
    match by_version {
        Known::Yes if driver::knows_gpu(machine, loaded, gpu).is_some() => Known::Maybe,
        Known::Yes | Known::No | Known::Maybe => by_version,
    }
}

/// The verdict in words, and whether the tables say something else.
fn words(question: JitQuestion, verdict: &JitVerdict, tables: Known) -> String {
    let compiler = "the driver's own compiler";
    let told = match verdict {
        JitVerdict::Accepted => format!("{compiler} compiles {question}"),
        JitVerdict::Refused { status, log } => {
            let log = log.split_whitespace().collect::<Vec<_>>().join(" ");
            let colon = if log.is_empty() { "" } else { ": " };
            format!("{compiler} refuses {question} with {status}{colon}{log}")
        }
        JitVerdict::Ended { how } => format!("{compiler} {how} over {question}"),
    };
    let other = match (verdict, tables) {
        (JitVerdict::Accepted, Known::No) => "refuses it",
        (JitVerdict::Refused { .. } | JitVerdict::Ended { .. }, Known::Yes) => "compiles it",
        (_, _) => return told,
    };
    format!("{told}; the tables say that it {other}, and the compiler counts")
}

/// What the driver said of its CUDA version.
pub(crate) fn version(machine: &Machine) -> Option<Step> {
    let cuda = machine.oracle.as_ref()?.cuda?;
    let told = format!("`cuDriverGetVersion` answers that the driver supports CUDA {cuda}");
    let table = machine
        .driver
        .as_ref()
        .map(|driver| tables::cuda_of(driver.branch()));
    let text = match table {
        Some(table) if table == Bound::exactly(cuda) => format!("{told}, as the tables say"),
        Some(table) if table.exact().is_some() => {
            format!("{told}; the tables say {table}, and the driver counts")
        }
        Some(_) | None => told,
    };
    Some(Step::new(Rule::OracleDriver, Prospect::Runs, text))
}
