//! The engines that cuDNN offers for a graph: their configurations, what they say of themselves, and how one is run.

use cudacheck_model::journal::CheckResult;

use super::super::super::{Bench, Stop, Verdict};
use super::super::ffi::{Attribute, BehaviorNote, HeuristicMode, Kind, NumericalNote, Type};
use super::super::last_error;
use super::super::says_not_supported;
use super::super::session::Session;
use super::descriptor::{Descriptor, heuristic};
use crate::library::{DevicePointer, Handle, Out, Status};

/// How many configurations are asked for at most. Each is a descriptor that the caller creates beforehand.
const MOST: usize = 64;

/// An engine with its configuration.
pub(super) struct Engine {
    config: Handle,
    /// Its number among the engines for the graph.
    pub(super) index: i64,
    numerical: Vec<i32>,
    behavior: Vec<i32>,
}

impl Engine {
    /// Whether it sums products as they are: without transforms, and in f32.
    pub(super) fn is_exact(&self) -> bool {
        let rounding = [
            NumericalNote::REDUCED_PRECISION_REDUCTION,
            NumericalNote::FFT,
            NumericalNote::WINOGRAD,
            NumericalNote::WINOGRAD_TILE_4,
            NumericalNote::WINOGRAD_TILE_6,
            NumericalNote::WINOGRAD_TILE_13,
        ];
        rounding
            .iter()
            .all(|note| !self.numerical.contains(&note.0))
    }

    /// Whether its kernel is compiled when the plan is made.
    pub(super) fn is_compiled_at_run_time(&self) -> bool {
        self.behavior.contains(&BehaviorNote::RUNTIME_COMPILATION.0)
    }
}

/// The configurations for a graph, the one that cuDNN thinks best first. It leaves out what cannot run here: without
/// NVRTC there is no engine that is compiled at run time, and no status that says why.
pub(super) fn offered(
    session: &Session<'_>,
    graph: Handle,
    mode: HeuristicMode,
) -> Result<Vec<Engine>, Stop> {
    let Session { opened, api, .. } = session;
    let chosen = heuristic(session, graph, mode)?;
    let (attribute, kind) = (Attribute::HEURISTIC_RESULTS, Type::DESCRIPTOR);
    let mut there = 0;
    opened.ok(api.descriptors(chosen, attribute, kind, 0, &mut there, Out::NULL))?;
    let wanted = usize::try_from(there).unwrap_or_default().min(MOST);
    let configs = (0..wanted)
        .map(|_| Ok(Descriptor::new(session, Kind::ENGINE_CONFIG)?.handle))
        .collect::<Result<Vec<Handle>, Stop>>()?;
    let mut filled = configs.clone();
    let mut count = 0;
    let requested = i64::try_from(wanted).unwrap_or_default();
    if wanted > 0 {
        opened.ok(api.descriptors(
            chosen,
            attribute,
            kind,
            requested,
            &mut count,
            Out::from(filled.as_mut_slice()),
        ))?;
    }
    filled.truncate(usize::try_from(count).unwrap_or_default());
    filled
        .into_iter()
        .map(|config| described(session, config))
        .collect()
}

fn described(session: &Session<'_>, config: Handle) -> Result<Engine, Stop> {
    let Session { opened, api, .. } = session;
    let mut engine = [Descriptor::new(session, Kind::ENGINE)?.handle];
    let mut count = 0;
    let into = Out::from(&mut engine);
    let (attribute, kind) = (Attribute::CONFIG_ENGINE, Type::DESCRIPTOR);
    opened.ok(api.descriptors(config, attribute, kind, 1, &mut count, into))?;
    let [engine] = engine;
    let mut index = [-1];
    let into = Out::from(&mut index);
    let (attribute, kind) = (Attribute::ENGINE_GLOBAL_INDEX, Type::INT64);
    opened.ok(api.integers(engine, attribute, kind, 1, &mut count, into))?;
    let notes = |attribute, kind| {
        let mut notes = [-1; 32];
        let (mut count, most) = (0, 32);
        let into = Out::from(&mut notes);
        opened.ok(api.numbers(engine, attribute, kind, most, &mut count, into))?;
        let count = usize::try_from(count).unwrap_or_default();
        Ok::<Vec<i32>, Stop>(notes.into_iter().take(count).collect())
    };
    let numerical = notes(Attribute::ENGINE_NUMERICAL_NOTE, Type::NUMERICAL_NOTE)?;
    let behavior = notes(Attribute::ENGINE_BEHAVIOR_NOTE, Type::BEHAVIOR_NOTE)?;
    opened.ok(api.destroy_descriptor(engine))?;
    Ok(Engine {
        config,
        index: index[0],
        numerical,
        behavior,
    })
}

/// Why an engine for a graph is not offered, if one is refused for another reason than that it is not made for this:
/// each is asked by its number.
pub(super) fn why_not_offered(session: &Session<'_>, graph: Handle) -> Verdict {
    let Session { opened, api, .. } = session;
    // The library still has words on all engines that it left out, and forgets what it has told.
    let _ = last_error(&opened.library);
    let mut engines = [0];
    let mut count = 0;
    let into = Out::from(&mut engines);
    let (attribute, kind) = (Attribute::GRAPH_ENGINE_COUNT, Type::INT64);
    opened.ok(api.integers(graph, attribute, kind, 1, &mut count, into))?;
    for index in 0..engines[0] {
        let engine = Descriptor::new(session, Kind::ENGINE)?
            .descriptors(Attribute::ENGINE_GRAPH, &[graph])?
            .integers(Attribute::ENGINE_GLOBAL_INDEX, &[index])?
            .device(Attribute::ENGINE_DEVICE)?;
        let mut status = engine.status_of_finishing()?;
        if status == Status(0) {
            // Only a configuration makes the engine look for what it needs.
            let config = Descriptor::new(session, Kind::ENGINE_CONFIG)?
                .descriptors(Attribute::CONFIG_ENGINE, &[engine.handle])?;
            status = config.status_of_finishing()?;
        }
        if is_missing_library(status) {
            return Err(with_compiler(session, "cudnnBackendFinalize", status));
        }
    }
    Ok(())
}

/// An engine that is ready to run.
pub(super) struct Plan {
    handle: Handle,
    /// In bytes.
    pub(super) workspace: usize,
}

/// What became of making a plan.
pub(super) enum Planned {
    Ready(Plan),
    /// The engine cannot do it after all. The heuristic may offer such engines, and the next one is to be tried:
    /// <https://docs.nvidia.com/deeplearning/cudnn/backend/latest/developer/graph-api.html>.
    NotSupported(Status),
}

/// Makes a plan, which compiles the kernel of an engine that is compiled at run time.
pub(super) fn plan(session: &Session<'_>, engine: &Engine) -> Result<Planned, Stop> {
    let Session { opened, api, .. } = session;
    let made = Descriptor::new(session, Kind::EXECUTION_PLAN)?
        .library(Attribute::PLAN_HANDLE)?
        .descriptors(Attribute::PLAN_CONFIG, &[engine.config])?
        .device(Attribute::PLAN_DEVICE)?;
    match made.status_of_finishing()? {
        Status(0) => {}
        status if says_not_supported(status) => {
            opened.note(
                "engine-not-supported",
                format!("{}: {}", engine.index, status.0),
            );
            made.destroyed()?;
            return Ok(Planned::NotSupported(status));
        }
        status => return Err(with_compiler(session, "cudnnBackendFinalize", status)),
    }
    let mut workspace = [0];
    let mut count = 0;
    let into = Out::from(&mut workspace);
    let (attribute, kind) = (Attribute::PLAN_WORKSPACE_SIZE, Type::INT64);
    opened.ok(api.integers(made.handle, attribute, kind, 1, &mut count, into))?;
    Ok(Planned::Ready(Plan {
        handle: made.handle,
        workspace: usize::try_from(workspace[0]).unwrap_or(usize::MAX),
    }))
}

/// Whether a status says that something could not be opened: 11 of version 8, the others of version 9.
pub(super) fn is_missing_library(status: Status) -> bool {
    matches!(status, Status(11 | 1008 | 3008 | 3009))
}

/// Says in addition what became of the compiler, where a library was missing at run time.
fn with_compiler(session: &Session<'_>, function: &str, status: Status) -> Stop {
    let mut stop = session.opened.refused(function, status);
    if let CheckResult::Library { log, code, .. } = &mut *stop
        && matches!(code, 11 | 3008)
    {
        let mut parts = session.opened.subject.parts.iter();
        let compiler = parts.find(|part| part.name.starts_with("libnvrtc."));
        *log = match compiler.map(|part| &part.found) {
            Some(Some(path)) => format!(
                "it compiles with libnvrtc, for which the loader takes {}",
                path.display()
            ),
            Some(None) => {
                "it compiles with libnvrtc, which is on no search path of its parts".to_owned()
            }
            None => "it compiles with libnvrtc, which it opens by name".to_owned(),
        };
    }
    stop
}

/// Runs a plan on tensors, each with its number and its address.
pub(super) fn run(
    session: &Session<'_>,
    bench: &Bench<'_>,
    plan: &Plan,
    tensors: &[(i64, DevicePointer)],
) -> Verdict {
    let Session {
        opened,
        api,
        handle,
        ..
    } = session;
    let workspace = match plan.workspace {
        0 => None,
        bytes => Some(bench.poisoned::<u8>(bytes)?),
    };
    let numbers: Vec<i64> = tensors.iter().map(|(number, _)| *number).collect();
    let places: Vec<DevicePointer> = tensors.iter().map(|(_, place)| *place).collect();
    let scratch = workspace.map_or(DevicePointer::NULL, |buffer| buffer.at);
    let pack = Descriptor::new(session, Kind::VARIANT_PACK)?
        .pointers(Attribute::PACK_DATA_POINTERS, &places)?
        .integers(Attribute::PACK_UNIQUE_IDS, &numbers)?
        .pointers(Attribute::PACK_WORKSPACE, &[scratch])?
        .finished()?;
    let status = opened.value(api.execute(*handle, plan.handle, pack))?;
    if status != Status(0) {
        return Err(with_compiler(session, "cudnnBackendExecute", status));
    }
    bench.synchronize()?;
    if let Some(workspace) = workspace {
        // Its content is the engine's; what lies around it is not.
        bench.download::<u8>(&workspace)?;
    }
    opened.ok(api.destroy_descriptor(pack))?;
    opened.ok(api.destroy_descriptor(plan.handle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: i32, expected: bool) {
        assert_eq!(says_not_supported(Status(status)), expected, "{status}");
    }

    #[test]
    fn a_missing_library_is_not_taken_for_a_trait_of_an_engine() {
        check(9, true);
        check(3000, true);
        check(3007, true);
        check(3014, true);
        check(11, false);
        check(3008, false);
        check(3009, false);
        check(8, false);
        check(4001, false);
        check(5000, false);
        for status in [11, 1008, 3008, 3009] {
            assert!(is_missing_library(Status(status)), "{status}");
        }
        for status in [0, 9, 14, 3000, 3007, 4001] {
            assert!(!is_missing_library(Status(status)), "{status}");
        }
    }

    #[test]
    fn an_engine_that_transforms_is_not_exact() {
        let engine = |numerical: &[i32]| Engine {
            config: Handle::NULL,
            index: 0,
            numerical: numerical.to_vec(),
            behavior: vec![0],
        };
        // Tensor cores, converted operands, and atomic sums give the same for small integers.
        assert!(engine(&[0, 1, 4]).is_exact());
        assert!(!engine(&[0, 5]).is_exact());
        assert!(!engine(&[3]).is_exact());
        assert!(engine(&[]).is_compiled_at_run_time());
    }
}
