//! Graphs of operations: descriptors with attributes, a heuristic that offers engines, and plans that walk the graph.

use std::collections::BTreeMap;
use std::ffi::c_void;

use super::convolution::forward;
use super::descriptor::{Convolution, Kind, Tensor};
use super::{SUCCESS, Status, bad_parameter, execution_failed, failed, not_supported, status};
use crate::{fault, memory};

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
const CONVOLUTION_FORWARD: i32 = 10;
const POINTWISE_OPERATION: i32 = 13;

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
    let done = unsafe { walk(plan, pack) };
    match done {
        Some(()) => SUCCESS,
        None => execution_failed(),
    }
}

/// The tensors of a graph by their numbers: those in memory when they are asked for, the others when they are made.
struct Values<'a> {
    pack: &'a Node,
    between: BTreeMap<i64, Vec<f32>>,
}

impl Values<'_> {
    fn place(&self, number: i64) -> Option<u64> {
        let at = self
            .pack
            .integers
            .get(&1000)?
            .iter()
            .position(|it| *it == number)?;
        self.pack.addresses.get(&1001)?.get(at).map(|it| *it as u64)
    }

    fn get(&self, node: &Node) -> Option<(Tensor, Vec<f32>)> {
        let tensor = node.tensor()?;
        let number = node.integer(906)?;
        let values = match self.between.get(&number) {
            Some(values) => values.clone(),
            None => tensor.read(self.place(number)?)?,
        };
        Some((tensor, values))
    }

    fn put(&mut self, node: &Node, values: Vec<f32>) -> Option<()> {
        let number = node.integer(906)?;
        if node.flags.get(&907) == Some(&true) {
            self.between.insert(number, values);
            return Some(());
        }
        node.tensor()?.write(self.place(number)?, &values)
    }
}

/// # Safety
///
/// All descriptors that the plan leads to still exist.
unsafe fn walk(plan: &Node, pack: &Node) -> Option<()> {
    // SAFETY: the caller says so.
    let config = unsafe { plan.child(401) }?;
    let engine = config.integer(OWN_ENGINE)?;
    if engine == 11 && fault::on("cudnn-fallback-silent") {
        return Some(());
    }
    // SAFETY: the caller says so.
    let graph = unsafe { config.child(OWN_GRAPH) }?;
    let workspace = *pack.addresses.get(&1003)?.first()?;
    memory::write(workspace as u64, &[0_u8; 512])?;
    let mut values = Values {
        pack,
        between: BTreeMap::new(),
    };
    for operation in graph.addresses.get(&801)? {
        // SAFETY: the graph's operations are descriptors of this library.
        let operation = unsafe { &*(*operation as *const Node) };
        match operation.kind {
            // SAFETY: the operation's tensors still exist.
            CONVOLUTION_FORWARD => unsafe { convolve(operation, engine, &mut values) }?,
            // SAFETY: the operation's tensors still exist.
            POINTWISE_OPERATION => unsafe { pointwise(operation, &mut values) }?,
            _ => return None,
        }
    }
    Some(())
}

/// # Safety
///
/// All descriptors that the operation leads to still exist.
unsafe fn convolve(operation: &Node, engine: i64, values: &mut Values<'_>) -> Option<()> {
    // SAFETY: the caller says so.
    let how = unsafe { operation.child(702) }?;
    let pair = |attribute| <[i64; 2]>::try_from(how.integers.get(&attribute)?.as_slice()).ok();
    let geometry = Convolution {
        pad: pair(105)?,
        step: pair(103)?,
        dilation: pair(102)?,
        groups: 1,
        math: 0,
    };
    let scaling = (operation.floats.get(&700)?, operation.floats.get(&701)?);
    if scaling != (&vec![1.0], &vec![0.0]) || pair(104)? != geometry.pad {
        return None;
    }
    // SAFETY: the caller says so.
    let (images, x) = values.get(unsafe { operation.child(704) }?)?;
    // SAFETY: the caller says so.
    let (filters, w) = values.get(unsafe { operation.child(703) }?)?;
    // SAFETY: the caller says so.
    let result = unsafe { operation.child(705) }?;
    let layout = result.tensor()?;
    let sums = forward((&images, &x), (&filters, &w), &layout, &geometry);
    let mut y = vec![0.0; layout.elements()];
    let mut index = 0;
    layout.walk(|n, k, h, w| {
        y[layout.at(n, k, h, w)] = sums[index];
        index += 1;
    });
    if engine == WINOGRAD {
        y[5] += 0.125;
    }
    if engine == 1 && fault::on("cudnn-engine-wrong") {
        y[1234] = f32::from_bits(y[1234].to_bits() ^ (1 << 12));
    }
    values.put(result, y)
}

/// # Safety
///
/// All descriptors that the operation leads to still exist.
unsafe fn pointwise(operation: &Node, values: &mut Values<'_>) -> Option<()> {
    // SAFETY: the caller says so.
    let how = unsafe { operation.child(750) }?;
    let mode = *how.numbers.get(&0)?.first()?;
    // SAFETY: the caller says so.
    let (layout, mut x) = values.get(unsafe { operation.child(751) }?)?;
    match mode {
        0 | 1 => {
            // SAFETY: the caller says so.
            let (bias, b) = values.get(unsafe { operation.child(752) }?)?;
            let [images, channels, rows, columns] = bias.size;
            layout.walk(|n, c, h, w| {
                let other = b[bias.at(n % images, c % channels, h % rows, w % columns)];
                let value = &mut x[layout.at(n, c, h, w)];
                match mode {
                    1 => *value *= other,
                    _ if fault::on("cudnn-bias-forgotten") => {}
                    _ => *value += other,
                }
            });
        }
        100 => {
            for value in &mut x {
                *value = if *value > 0.0 { *value } else { 0.0 };
            }
        }
        _ => return None,
    }
    // SAFETY: the caller says so.
    values.put(unsafe { operation.child(753) }?, x)
}
