//! The operations, computed by walking over all values of all modes.

use std::collections::BTreeMap;

use super::tensor::{Kind, Shape};
use crate::fault;

/// A tensor in an operation.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) shape: Shape,
    pub(super) modes: Vec<i32>,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Contraction {
        a: Term,
        b: Term,
        d: Term,
    },
    Reduction {
        a: Term,
        d: Term,
        reduce: i32,
    },
    Permutation {
        a: Term,
        b: Term,
    },
    Binary {
        a: Term,
        c: Term,
        d: Term,
        combine: i32,
    },
    Trinary {
        operands: [Term; 3],
        d: Term,
        combine: [i32; 2],
    },
}

/// The value of each mode, in the order of their letters.
struct Index {
    modes: Vec<i32>,
    values: Vec<i64>,
}

/// Where the elements of a tensor lie for a value of each mode.
struct Places(Vec<(usize, i64)>);

impl Places {
    fn offset(&self, index: &Index) -> usize {
        let mut offset = 0;
        for (mode, stride) in &self.0 {
            offset += index.values[*mode] * stride;
        }
        usize::try_from(offset).unwrap_or(0)
    }
}

impl Term {
    fn read(&self, at: u64) -> Option<Vec<f64>> {
        self.shape.kind.read(at, self.shape.reach())
    }

    fn places(&self, index: &Index) -> Places {
        let mut places = Vec::new();
        for (mode, stride) in self.modes.iter().zip(&self.shape.strides) {
            for (number, known) in index.modes.iter().enumerate() {
                if known == mode {
                    places.push((number, *stride));
                }
            }
        }
        Places(places)
    }
}

/// Calls for every value of every mode of some tensors, with where each tensor's element lies.
fn walk<const N: usize>(terms: [&Term; N], mut visit: impl FnMut([usize; N])) {
    let mut extents: BTreeMap<i32, i64> = BTreeMap::new();
    for term in terms {
        for (mode, extent) in term.modes.iter().zip(&term.shape.extents) {
            extents.insert(*mode, *extent);
        }
    }
    let mut index = Index {
        modes: extents.keys().copied().collect(),
        values: vec![0; extents.len()],
    };
    let places = terms.map(|term| term.places(&index));
    let extents: Vec<i64> = extents.into_values().collect();
    loop {
        visit(places.each_ref().map(|places| places.offset(&index)));
        let mut advanced = false;
        for (value, extent) in index.values.iter_mut().zip(&extents) {
            *value += 1;
            if *value < *extent {
                advanced = true;
                break;
            }
            *value = 0;
        }
        if !advanced {
            return;
        }
    }
}

/// `CUTENSOR_OP_ADD`, `_MUL`, `_MAX`, `_MIN`.
fn combined(operator: i32, left: f64, right: f64) -> f64 {
    match operator {
        3 => left + right,
        5 => left * right,
        6 => left.max(right),
        7 => left.min(right),
        _ => f64::NAN,
    }
}

/// Keeps so many bits after the leading one.
fn shortened(value: f64, bits: u32) -> f64 {
    let unit = (value.abs().log2().floor() - f64::from(bits)).exp2();
    if value == 0.0 {
        0.0
    } else {
        (value / unit).round() * unit
    }
}

impl Operation {
    pub(super) fn needs_workspace(&self) -> bool {
        matches!(self, Self::Contraction { .. } | Self::Reduction { .. })
    }

    /// The type of its scalars.
    pub(super) fn scalar(&self) -> Kind {
        match self.result().shape.kind {
            Kind::Double => Kind::Double,
            Kind::Single | Kind::Half => Kind::Single,
        }
    }

    fn result(&self) -> &Term {
        match self {
            Self::Contraction { d, .. }
            | Self::Reduction { d, .. }
            | Self::Binary { d, .. }
            | Self::Trinary { d, .. } => d,
            Self::Permutation { b, .. } => b,
        }
    }

    /// Computes and stores; none if the driver refuses.
    pub(super) fn run(
        &self,
        compiled: bool,
        scalars: &[f64],
        operands: &[u64],
        result: u64,
    ) -> Option<()> {
        let mut found = match self {
            Self::Contraction { a, b, d } => contraction([a, b, d], scalars, operands)?,
            Self::Reduction { a, d, reduce } => reduction(a, d, *reduce, scalars, operands)?,
            Self::Permutation { a, b } => permutation(a, b, scalars, operands)?,
            Self::Binary { a, c, d, combine } => {
                let (first, second) = (a.read(operands[0])?, c.read(operands[1])?);
                let mut found = BTreeMap::new();
                walk([a, c, d], |[at_a, at_c, at_d]| {
                    let (left, right) = (scalars[0] * first[at_a], scalars[1] * second[at_c]);
                    found.insert(at_d, combined(*combine, left, right));
                });
                if fault::on("cutensor-binary-overwrites") {
                    a.shape.kind.write(operands[0], 3, &[0.5])?;
                }
                found
            }
            Self::Trinary {
                operands: terms,
                d,
                combine,
            } => trinary(terms, d, *combine, scalars, operands)?,
        };
        let kind = self.result().shape.kind;
        self.spoil(compiled, &mut found);
        let mut run: Vec<f64> = Vec::new();
        let mut begin = 0;
        for (offset, value) in found {
            if offset != begin + run.len() {
                kind.write(result, begin, &run)?;
                run.clear();
                begin = offset;
            }
            run.push(value);
        }
        kind.write(result, begin, &run)
    }

    /// What goes wrong on the way to memory.
    fn spoil(&self, compiled: bool, found: &mut BTreeMap<usize, f64>) {
        let kind = self.result().shape.kind;
        match self {
            Self::Contraction { .. } if kind == Kind::Single => {
                let wrong = if compiled {
                    fault::on("cutensor-compiled-wrong")
                } else {
                    fault::on("cutensor-last-bit")
                };
                if wrong && let Some((_, value)) = found.iter_mut().nth(7) {
                    *value += value.abs() * f64::from(f32::EPSILON);
                }
            }
            Self::Contraction { .. } if kind == Kind::Half => {
                if fault::on("cutensor-f16-tile") {
                    let tile: Vec<usize> = found.keys().rev().take(16).copied().collect();
                    for offset in tile {
                        found.remove(&offset);
                    }
                }
            }
            Self::Contraction { .. } => {
                if fault::on("cutensor-f64-as-f32") {
                    for value in found.values_mut() {
                        *value = shortened(*value, 23);
                    }
                }
            }
            Self::Trinary { .. } => {
                // The place after the first run of elements belongs to nobody.
                let gap = found.keys().zip(0..).find(|(key, count)| **key != *count);
                if fault::on("cutensor-trinary-gap")
                    && let Some((_, gap)) = gap
                {
                    found.insert(gap, 1.0);
                }
            }
            Self::Reduction { .. } => {
                let after = found.keys().max().map_or(0, |last| last + 1);
                if fault::on("cutensor-reduction-stray") {
                    found.insert(after, 1.0);
                }
            }
            Self::Permutation { .. } | Self::Binary { .. } => {}
        }
    }
}

fn contraction(
    [a, b, d]: [&Term; 3],
    scalars: &[f64],
    operands: &[u64],
) -> Option<BTreeMap<usize, f64>> {
    let (mut first, mut second) = (a.read(operands[0])?, b.read(operands[1])?);
    let third = d.read(operands[2])?;
    if d.shape.kind == Kind::Single {
        let bits = if fault::on("cutensor-tf32") {
            Some(10)
        } else if fault::on("cutensor-14-bits") {
            Some(13)
        } else {
            None
        };
        if let Some(bits) = bits {
            for value in first.iter_mut().chain(&mut second) {
                *value = shortened(*value, bits);
            }
        }
    }
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    walk([a, b, d], |[at_a, at_b, at_d]| {
        *sums.entry(at_d).or_default() += first[at_a] * second[at_b];
    });
    let beta = if fault::on("cutensor-beta") {
        0.0
    } else {
        scalars[1]
    };
    for (offset, sum) in &mut sums {
        *sum = scalars[0] * *sum + beta * third[*offset];
    }
    Some(sums)
}

fn reduction(
    a: &Term,
    d: &Term,
    reduce: i32,
    scalars: &[f64],
    operands: &[u64],
) -> Option<BTreeMap<usize, f64>> {
    let (first, third) = (a.read(operands[0])?, d.read(operands[1])?);
    let mut reduced: BTreeMap<usize, f64> = BTreeMap::new();
    walk([a, d], |[at_a, at_d]| {
        let mut value = first[at_a];
        if reduce == 6 && fault::on("cutensor-max-of-sizes") {
            value = value.abs();
        }
        let place = reduced.entry(at_d);
        place
            .and_modify(|so_far| *so_far = combined(reduce, *so_far, value))
            .or_insert(value);
    });
    let beta = if fault::on("cutensor-reduction-beta") {
        0.0
    } else {
        scalars[1]
    };
    for (offset, value) in &mut reduced {
        *value = scalars[0] * *value + beta * third[*offset];
    }
    Some(reduced)
}

fn permutation(
    a: &Term,
    b: &Term,
    scalars: &[f64],
    operands: &[u64],
) -> Option<BTreeMap<usize, f64>> {
    let first = a.read(operands[0])?;
    let alpha = if fault::on("cutensor-permutation-alpha") {
        1.0
    } else {
        scalars[0]
    };
    let mut moved = BTreeMap::new();
    let mut places = Vec::new();
    walk([a, b], |[at_a, at_b]| {
        moved.insert(at_b, alpha * first[at_a]);
        places.push(at_b);
    });
    if b.shape.kind == Kind::Half && fault::on("cutensor-f16-swapped") {
        let (one, other) = (moved[&places[5]], moved[&places[6]]);
        moved.insert(places[5], other);
        moved.insert(places[6], one);
    }
    Some(moved)
}

fn trinary(
    terms: &[Term; 3],
    d: &Term,
    combine: [i32; 2],
    scalars: &[f64],
    operands: &[u64],
) -> Option<BTreeMap<usize, f64>> {
    let mut values = Vec::new();
    for (term, at) in terms.iter().zip(operands) {
        values.push(term.read(*at)?);
    }
    let mut found = BTreeMap::new();
    walk(
        [&terms[0], &terms[1], &terms[2], d],
        |[at_a, at_b, at_c, at_d]| {
            let [left, middle, right] = [at_a, at_b, at_c];
            let inner = combined(
                combine[0],
                scalars[0] * values[0][left],
                scalars[1] * values[1][middle],
            );
            let all = combined(combine[1], inner, scalars[2] * values[2][right]);
            found.insert(at_d, all);
        },
    );
    Some(found)
}
