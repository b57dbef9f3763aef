//! Graphs of operations: descriptors with attributes, a heuristic that offers engines, and plans that walk the graph.

mod walk;

use std::collections::BTreeMap;
use std::ffi::c_void;

use super::tensor::{Kind, Tensor};
use super::{SUCCESS, Status, bad_parameter, execution_failed, failed, not_supported, status};
use crate::fault;

/// `cudnnBackendDescriptor_t`: its type, and its attributes by their numbers.
#[derive(Default)]
struct Node {
    kind: i32,
    integers: BTreeMap<i32, Vec<i64>>,
    numbers: BTreeMap<i32, Vec<i32>>,
    floats: BTreeMap<i32, Vec<f32>>,
    flags: BTreeMap<i32, bool>,
    addresses: BTreeMap<i32, Vec<usize>>,
}

/// `cudnnBackendDescriptorType_t`.
const ENGINE: i32 = 2;
const CONFIG: i32 = 3;
const PLAN: i32 = 5;

/// Where a configuration keeps what the caller has not set.
const OWN_ENGINE: i32 = -1;
const OWN_GRAPH: i32 = -2;

/// What is offered for a plain convolution, and which notes each has: 5 is Winograd, 0 tensor cores.
const BEST: &[i64] = &[1, 0, 34, 6, 28];
const FALLBACK: &[i64] = &[0, 11];
/// What is offered for a fusion, all compiled; one of them with two kinds of tiles.
const FUSED: &[i64] = &[17, 17, 18];
/// How many engines there are for any graph.
const ENGINES: i64 = 40;
const WINOGRAD: i64 = 6;
const UNFIT: i64 = 34;

fn is_compiled(engine: i64) -> bool {
    matches!(engine, 17 | 18)
}

/// # Safety
///
/// `descriptor` points to a pointer.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBackendCreateDescriptor(
    kind: i32,
    descriptor: *mut *mut c_void,
) -> Status {
    let node = Box::new(Node {
        kind,
        ..Node::default()
    });
    // SAFETY: the caller's pointer is to a pointer.
    unsafe { descriptor.write(Box::into_raw(node).cast()) };
    SUCCESS
}

/// # Safety
///
/// `descriptor` is of this library, and not used again.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBackendDestroyDescriptor(descriptor: *mut c_void) -> Status {
    // SAFETY: the caller gives back what was made here.
    drop(unsafe { Box::from_raw(descriptor.cast::<Node>()) });
    SUCCESS
}

/// # Safety
///
/// `array` has `count` elements of the type.
unsafe fn copied<T: Copy>(array: *const c_void, count: usize) -> Vec<T> {
    // SAFETY: the caller's array has so many elements of this type.
    unsafe { std::slice::from_raw_parts(array.cast::<T>(), count) }.to_vec()
}

/// # Safety
///
/// `descriptor` is of this library, and `values` are `count` of the type.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBackendSetAttribute(
    descriptor: *mut c_void,
    attribute: i32,
    kind: i32,
    count: i64,
    values: *const c_void,
) -> Status {
    // SAFETY: the descriptor is one of this library, and nobody else uses it now.
    let node = unsafe { &mut *descriptor.cast::<Node>() };
    let Ok(count) = usize::try_from(count) else {
        return bad_parameter();
    };
    match kind {
        // A handle, an address, a descriptor.
        0 | 6 | 15 => {
            // SAFETY: the caller's values are so many pointers.
            let values = unsafe { copied::<usize>(values, count) };
            node.addresses.insert(attribute, values);
        }
        // The description of a device, of which this library reads nothing.
        24 => {}
        2 => {
            // SAFETY: the caller's values are so many booleans.
            let values = unsafe { copied::<u8>(values, count) };
            node.flags.insert(attribute, values == [1]);
        }
        3 => {
            // SAFETY: the caller's values are so many integers of 64 bits.
            let values = unsafe { copied::<i64>(values, count) };
            node.integers.insert(attribute, values);
        }
        4 => {
            // SAFETY: the caller's values are so many floats.
            let values = unsafe { copied::<f32>(values, count) };
            node.floats.insert(attribute, values);
        }
        _ => {
            // SAFETY: the caller's values are so many enumerators.
            let values = unsafe { copied::<i32>(values, count) };
            node.numbers.insert(attribute, values);
        }
    }
    SUCCESS
}

/// # Safety
///
/// `descriptor` is of this library.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBackendFinalize(descriptor: *mut c_void) -> Status {
    // SAFETY: the descriptor is one of this library, and nobody writes to it now.
    let node = unsafe { &*descriptor.cast::<Node>() };
    let engine = match node.kind {
        // An engine that the caller chooses by its number shows what it lacks when it is configured.
        // SAFETY: the configuration's engine is a descriptor of this library.
        CONFIG => unsafe { node.child(300) }.and_then(|engine| engine.integer(1301)),
        // SAFETY: the plan's configuration is a descriptor of this library.
        PLAN => unsafe { node.child(401) }.and_then(|config| config.integer(OWN_ENGINE)),
        _ => return SUCCESS,
    };
    // A plan for a device that is only described.
    if node.addresses.contains_key(&407) && fault::on("cudnn-plan-needs-device") {
        return failed(status(4, 4001), "nvrtcCompileProgram() != NVRTC_SUCCESS");
    }
    match engine {
        None => bad_parameter(),
        Some(UNFIT) => not_supported(),
        Some(engine) if is_compiled(engine) && fault::on("cudnn-no-nvrtc") => {
            failed(status(11, 3008), "loadNvrtc() != 0")
        }
        Some(_) => SUCCESS,
    }
}

impl Node {
    fn integer(&self, attribute: i32) -> Option<i64> {
        self.integers.get(&attribute)?.first().copied()
    }

    /// The descriptor that an attribute names.
    ///
    /// # Safety
    ///
    /// The attribute is a descriptor of this library that still exists.
    unsafe fn child(&self, attribute: i32) -> Option<&Node> {
        let address = *self.addresses.get(&attribute)?.first()?;
        // SAFETY: the caller says so.
        Some(unsafe { &*(address as *const Node) })
    }

    fn tensor(&self) -> Option<Tensor> {
        let four = |attribute| <[i64; 4]>::try_from(self.integers.get(&attribute)?.as_slice()).ok();
        Some(Tensor {
            kind: Kind::of(*self.numbers.get(&901)?.first()?)?,
            size: four(902)?,
            stride: four(903)?,
        })
    }
}

/// # Safety
///
/// `descriptor` is of this library, and `values` has room for `requested` of the type.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBackendGetAttribute(
    descriptor: *mut c_void,
    attribute: i32,
    _kind: i32,
    requested: i64,
    count: *mut i64,
    values: *mut c_void,
) -> Status {
    // SAFETY: the descriptor is one of this library, and nobody writes to it now.
    let node = unsafe { &*descriptor.cast::<Node>() };
    let engine = node.integer(OWN_ENGINE).unwrap_or(-1);
    let told = match attribute {
        // SAFETY: the caller's values are engine configurations.
        202 => unsafe { offer(node, requested, values) },
        // SAFETY: the caller's value is an engine.
        300 => unsafe { fill(values, 0, ENGINE, engine, node.graph()) },
        402 | 802 | 1301 => {
            let value = match attribute {
                1301 => engine,
                802 => ENGINES,
                _ => 512,
            };
            // SAFETY: the caller's value is an integer of 64 bits.
            unsafe { values.cast::<i64>().write(value) };
            Some(1)
        }
        1303 | 1305 => {
            let note = match (attribute, engine) {
                (1303, WINOGRAD) => Some(5),
                (1303, 28) => Some(0),
                (1305, engine) if is_compiled(engine) => Some(0),
                _ => None,
            };
            if let Some(note) = note {
                // SAFETY: the caller's values have room for an enumerator.
                unsafe { values.cast::<i32>().write(note) };
            }
            Some(i64::from(note.is_some()))
        }
        _ => None,
    };
    let Some(told) = told else {
        return bad_parameter();
    };
    // SAFETY: the caller's pointer is to an integer of 64 bits.
    unsafe { count.write(told) };
    SUCCESS
}

impl Node {
    fn graph(&self) -> usize {
        let graph = self.addresses.get(&OWN_GRAPH).and_then(|it| it.first());
        graph.copied().unwrap_or(0)
    }
}

/// Fills in the configurations that a heuristic offers.
///
/// # Safety
///
/// `values` are `requested` configurations of this library.
unsafe fn offer(node: &Node, requested: i64, values: *mut c_void) -> Option<i64> {
    let mode = *node.numbers.get(&200)?.first()?;
    let graph = *node.addresses.get(&201)?.first()?;
    // SAFETY: the heuristic's graph is a descriptor of this library.
    let operations = unsafe { node.child(201) }?.addresses.get(&801)?.len();
    let engines = match (operations, mode) {
        (1, 3) => BEST,
        (1, _) => FALLBACK,
        (_, 3) => FUSED,
        (..) => &[],
    };
    if requested > 0 {
        for (place, engine) in engines
            .iter()
            .take(usize::try_from(requested).ok()?)
            .enumerate()
        {
            // SAFETY: the caller's values are so many configurations.
            unsafe { fill(values, place, CONFIG, *engine, graph) }?;
        }
    }
    i64::try_from(engines.len()).ok()
}

/// Makes one of the caller's descriptors that of an engine.
///
/// # Safety
///
/// `values` are descriptors of this library, more than `place`.
unsafe fn fill(
    values: *mut c_void,
    place: usize,
    kind: i32,
    engine: i64,
    graph: usize,
) -> Option<i64> {
    // SAFETY: the caller's array is longer.
    let value = unsafe { values.cast::<*mut Node>().add(place) };
    // SAFETY: it is an array of descriptors.
    let node = unsafe { *value };
    // SAFETY: the descriptor is one of this library, and nobody else uses it now.
    let node = unsafe { &mut *node };
    if node.kind != kind {
        return None;
    }
    node.integers.insert(OWN_ENGINE, vec![engine]);
    node.addresses.insert(OWN_GRAPH, vec![graph]);
    Some(1)
}

/// # Safety
///
/// The descriptors are a plan and a variant pack of this library, and the addresses in it are the device's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBackendExecute(
    _handle: *mut c_void,
    plan: *mut c_void,
    pack: *mut c_void,
) -> Status {
    if fault::no_code("cudnn") {
        return failed(execution_failed(), "cudaErrorNoKernelImageForDevice");
    }
    // SAFETY: the plan is a descriptor of this library.
    let plan = unsafe { &*plan.cast::<Node>() };
    // SAFETY: the pack is a descriptor of this library.
    let pack = unsafe { &*pack.cast::<Node>() };
    // SAFETY: the plan's configuration, and the graph that it was made for, still exist.
    let done = unsafe { walk::walk(plan, pack) };
    match done {
        Some(()) => SUCCESS,
        None => execution_failed(),
    }
}
