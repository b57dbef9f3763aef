//! The driver's own files: what they said counts more than the tables, and where both differ the answer says so.

use super::code;
use super::driver::{self, Loaded, Origin};
use crate::compat::answer::{Domain, Prospect, Rule, Step};
use crate::compat::bound::{Bound, Known};
use crate::compat::gpu::Gpu;
use crate::compat::machine::Machine;
use crate::compat::package::Package;
use crate::compat::tables::{self, Confidence};
use crate::oracle::{
    CompilerStatus, JitQuestion, JitVerdict, OracleAnswer, RuntimeAnswer, RuntimeVerdict,
};
use crate::version::{PtxIsa, Target, ToolkitVersion};

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

/// What the compiler said that a program would use.
fn answered(question: JitQuestion, machine: &Machine, loaded: Loaded) -> Option<&JitVerdict> {
    asked(machine, loaded)?.jit(question)
}

/// What the files said that a program would load. A forward compatibility package brings its own: what the driver's
/// said is nothing about them, and the other way round.
fn asked(machine: &Machine, loaded: Loaded) -> Option<&OracleAnswer> {
    let answer = machine.oracle.as_ref()?;
    let theirs = match loaded.from {
        Origin::Driver => machine.compat.is_none_or(|cuda| !answer.is_of(cuda)),
        Origin::Compat(cuda) => answer.is_of(cuda),
    };
    theirs.then_some(answer)
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
    if machine.compat == Some(cuda) {
        let text = format!(
            "`cuDriverGetVersion` of the forward compatibility package answers that it supports CUDA {cuda}"
        );
        return Some(Step::new(Rule::OracleDriver, Prospect::Runs, text));
    }
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

/// What the package's libcudart says of the driver, beside or in place of what the tables say.
pub(crate) fn runtime(machine: &Machine, loaded: Loaded, by_tables: Option<Step>) -> Vec<Step> {
    let answer = asked(machine, loaded).and_then(|asked| asked.runtime.as_ref());
    let Some(answer) = answer else {
        return by_tables.into_iter().collect();
    };
    match answer.verdict() {
        RuntimeVerdict::FoundNone => by_tables.into_iter().collect(),
        RuntimeVerdict::Takes => taken(answer, loaded, by_tables),
        RuntimeVerdict::Refuses => refused(answer, by_tables),
        RuntimeVerdict::Other => {
            let text = format!(
                "{}, which says nothing about the driver's version",
                returned(answer)
            );
            let remark = Step::new(Rule::OracleRuntime, Prospect::Runs, text);
            by_tables.into_iter().chain([remark]).collect()
        }
    }
}

fn returned(answer: &RuntimeAnswer) -> String {
    let (name, status) = (answer.name(), answer.status);
    format!("`cudaGetDeviceCount` of the package's {name} returns {status}")
}

fn taken(answer: &RuntimeAnswer, loaded: Loaded, by_tables: Option<Step>) -> Vec<Step> {
    let told = format!("{}: it takes the driver", returned(answer));
    let step = |prospect, text| Step::new(Rule::OracleRuntime, prospect, text);
    // The runtime takes an older driver of its major version.
    let older = answer.version.is_none() || answer.version > answer.driver;
    let taken = if older {
        Prospect::RunsMinorCompat
    } else {
        Prospect::Runs
    };
    match by_tables {
        None => vec![step(Prospect::Runs, told)],
        Some(table) if table.prospect < Prospect::Unknown => {
            vec![table, step(Prospect::Runs, told + ", as the tables say")]
        }
        Some(table) if matches!(table.rule, Rule::UnknownToolkit | Rule::UnknownDriver) => {
            vec![step(taken, told)]
        }
        Some(table) if table.rule == Rule::DriverTooOld => {
            // Within a major version the lowest driver is NVIDIA's word, which the runtime does not check.
            let supported = loaded.ability.cuda.exact().map(|cuda| cuda.major);
            let same_major = answer.version.map(|version| version.major) == supported;
            let (prospect, counts) = if same_major {
                (Prospect::NotSupported, "NVIDIA does not support it")
            } else {
                (taken, "libcudart counts")
            };
            let text = format!("{told}; by the tables {}; {counts}", table.text);
            vec![step(prospect, text)]
        }
        // That NVIDIA does not support it is nothing that the runtime could know.
        Some(table) => vec![table, step(Prospect::Runs, told)],
    }
}

fn refused(answer: &RuntimeAnswer, by_tables: Option<Step>) -> Vec<Step> {
    let supports = answer
        .driver
        .map_or_else(String::new, |cuda| format!(", which supports CUDA {cuda}"));
    let told = format!("{}: it refuses the driver{supports}", returned(answer));
    let step = |text| {
        let step = Step::new(Rule::OracleRuntime, Prospect::Fails, text);
        step.error(Domain::Cudart, 35)
    };
    match by_tables {
        Some(table) if table.prospect < Prospect::Unknown => vec![
            table,
            step(told + "; the tables say that it takes it, and libcudart counts"),
        ],
        Some(table) if table.prospect == Prospect::Fails => {
            vec![table, step(told + ", as the tables say")]
        }
        Some(_) | None => vec![step(told)],
    }
}

/// What the note in a forward compatibility package says of the kernel module, beside or in place of NVIDIA's matrix.
pub(crate) fn note(
    machine: &Machine,
    cuda: ToolkitVersion,
    name: &str,
    by_matrix: Option<Step>,
) -> Option<Step> {
    let note = machine
        .oracle
        .as_ref()
        .and_then(|answer| answer.forward.as_ref())
        .filter(|note| note.cuda == Some(cuda));
    let driver = machine.driver.as_ref();
    let Some((note, driver, admitted)) = note
        .zip(driver)
        .and_then(|(note, driver)| Some((note, driver, note.admits(driver.branch())?)))
    else {
        return by_matrix;
    };
    let by_matrix = by_matrix?;
    let works = by_matrix.prospect == Prospect::RunsWithCompat;
    let branches: Vec<String> = note.branches.iter().map(ToString::to_string).collect();
    let branches = branches.join(", ");
    if admitted {
        let counts = if works {
            ""
        } else {
            "; NVIDIA's matrix does not list it, and the note counts"
        };
        let text = format!(
            "{name} brings CUDA {cuda} to driver {driver}: the note in its libcuda names branches {branches}{counts}"
        );
        return Some(Step::new(
            Rule::OracleForward,
            Prospect::RunsWithCompat,
            text,
        ));
    }
    let counts = if works {
        "; NVIDIA's matrix lists it, and the note counts"
    } else {
        ""
    };
    let text = format!(
        "the note in the libcuda of {name} names branches {branches}, and not that of driver {driver}{counts}"
    );
    let step = Step::new(
        Rule::OracleForward,
        by_matrix.prospect.max(Prospect::NotSupported),
        text,
    );
    // Which error a program meets is not tried: none is the note's.
    Some(Step {
        error: by_matrix.error,
        ..step.doubted(
            Confidence::Medium,
            "NVIDIA's container tools refuse it by this note; what the driver does was not tried",
        )
    })
}
