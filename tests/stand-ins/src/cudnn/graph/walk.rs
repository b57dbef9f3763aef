//! Computes a graph, operation by operation.

use std::collections::BTreeMap;

use super::super::convolution::forward;
use super::super::descriptor::Convolution;
use super::super::tensor::Tensor;
use super::{Node, OWN_ENGINE, OWN_GRAPH, WINOGRAD};
use crate::{fault, memory};

/// `cudnnBackendDescriptorType_t`.
const CONVOLUTION_FORWARD: i32 = 10;
const POINTWISE_OPERATION: i32 = 13;

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
pub(super) unsafe fn walk(plan: &Node, pack: &Node) -> Option<()> {
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
