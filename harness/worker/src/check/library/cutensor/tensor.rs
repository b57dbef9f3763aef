//! Tensors with gaps between their elements, and what an operation makes of them by its definition.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::Verdict;
use super::super::exact::{self, Element, POISON, Real};

/// How long each mode is, by its letter.
pub(super) type Extents = &'static [(char, usize)];

/// Where the elements of a tensor lie.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    /// The letters of its modes, the fastest first.
    pub(super) modes: Vec<char>,
    pub(super) extents: Vec<usize>,
    /// In elements.
    pub(super) strides: Vec<usize>,
}

impl Tensor {
    /// A tensor of these modes, with a gap of one element after each run of the first mode and of two after each run
    /// of the second, so that neither is contiguous.
    pub(super) fn new(modes: &str, all: Extents) -> Self {
        let modes: Vec<char> = modes.chars().collect();
        let extent = |mode: &char| {
            let found = all.iter().find(|(letter, _)| letter == mode);
            found.map_or(1, |(_, extent)| *extent)
        };
        let extents: Vec<usize> = modes.iter().map(extent).collect();
        let mut strides = Vec::with_capacity(modes.len());
        let mut stride = 1;
        for (index, extent) in extents.iter().enumerate() {
            strides.push(stride);
            let gap = match index {
                0 => 1,
                1 => 2,
                _ => 0,
            };
            stride *= extent + gap;
        }
        Self {
            modes,
            extents,
            strides,
        }
    }

    /// How many elements it has, without the gaps.
    pub(super) fn count(&self) -> usize {
        self.extents.iter().product()
    }

    /// How many elements its memory has, with the gaps up to the last element.
    pub(super) fn span(&self) -> usize {
        let last = self.extents.iter().zip(&self.strides);
        1 + last
            .map(|(extent, stride)| (extent - 1) * stride)
            .sum::<usize>()
    }

    /// The index of each mode of the element of this number, the first mode fastest.
    fn position(&self, number: usize) -> Vec<usize> {
        let mut rest = number;
        let digit = |extent: &usize| {
            let digit = rest % extent;
            rest /= extent;
            digit
        };
        self.extents.iter().map(digit).collect()
    }

    /// Where the element of this number lies in memory.
    pub(super) fn place(&self, number: usize) -> usize {
        let position = self.position(number);
        let terms = position.iter().zip(&self.strides);
        terms.map(|(index, stride)| index * stride).sum()
    }

    /// `D[3, 7]`.
    pub(super) fn name(&self, letter: char, number: usize) -> String {
        let position: Vec<String> = self
            .position(number)
            .iter()
            .map(ToString::to_string)
            .collect();
        format!("{letter}[{}]", position.join(", "))
    }

    /// Its memory, from its elements in order; the gaps are poison.
    pub(super) fn memory<T: Real>(&self, elements: &[f64]) -> Vec<T> {
        let mut memory = vec![poison::<T>(); self.span()];
        for (number, element) in elements.iter().enumerate() {
            memory[self.place(number)] = T::of(*element);
        }
        memory
    }

    /// Its elements in order, from its memory. Stops if anything was written to a gap.
    pub(super) fn elements<T: Real>(&self, memory: &[T]) -> Result<Vec<T>, super::super::Stop> {
        let places: Vec<usize> = (0..self.count()).map(|number| self.place(number)).collect();
        let mut gaps = vec![true; memory.len()];
        for place in &places {
            gaps[*place] = false;
        }
        let empty = exact::bytes(&[poison::<T>()]);
        let strays = gaps.iter().zip(memory);
        let strays = strays.filter(|(gap, element)| **gap && exact::bytes(&[**element]) != empty);
        let count = strays.count();
        if count > 0 {
            return Err(Box::new(CheckResult::Mismatch {
                kind: MismatchKind::StrayWrite,
                expected: "nothing is written between the elements of the result".to_owned(),
                found: format!("{count} places between its elements were written"),
            }));
        }
        Ok(places.into_iter().map(|place| memory[place]).collect())
    }
}

fn poison<T: Element>() -> T {
    T::get(&vec![POISON; T::SIZE])
}

/// Sums of products: the value of each element of `d`, summed over the modes that only the factors have.
///
/// This is the definition, mode by mode, without regard to speed.
pub(super) fn contract(
    d: &Tensor,
    factors: &[(&Tensor, &[f64])],
    all: Extents,
    combine: impl Fn(f64, f64) -> f64,
    start: f64,
) -> Vec<f64> {
    let inner: Vec<(char, usize)> = all
        .iter()
        .filter(|(mode, _)| {
            !d.modes.contains(mode)
                && factors
                    .iter()
                    .any(|(factor, _)| factor.modes.contains(mode))
        })
        .copied()
        .collect();
    let terms: usize = inner.iter().map(|(_, extent)| extent).product();
    let mut values = Vec::with_capacity(d.count());
    for number in 0..d.count() {
        let outer = d.position(number);
        let mut value = start;
        for term in 0..terms {
            let index = |mode: char| {
                if let Some(at) = d.modes.iter().position(|other| *other == mode) {
                    return outer[at];
                }
                let mut rest = term;
                for (other, extent) in &inner {
                    if *other == mode {
                        return rest % extent;
                    }
                    rest /= extent;
                }
                0
            };
            let mut product = 1.0;
            for (factor, elements) in factors {
                let mut at = 0;
                let mut run = 1;
                for (mode, extent) in factor.modes.iter().zip(&factor.extents) {
                    at += index(*mode) * run;
                    run *= extent;
                }
                product *= elements[at];
            }
            value = combine(value, product);
        }
        values.push(value);
    }
    values
}

/// Goes on if the result is what it must be, and nothing between its elements was written.
pub(super) fn same<T: Real>(d: &Tensor, expected: &[f64], memory: &[T]) -> Verdict {
    let found = d.elements(memory)?;
    let expected: Vec<T> = expected.iter().map(|value| T::of(*value)).collect();
    exact::same(&expected, &found, |number| d.name('D', number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Extents = &[('i', 2), ('j', 2), ('k', 3)];

    #[test]
    fn gaps_lie_between_the_elements() {
        let tensor = Tensor::new("kij", ALL);
        assert_eq!(tensor.extents, [3, 2, 2]);
        assert_eq!(tensor.strides, [1, 4, 16]);
        assert_eq!(tensor.span(), 1 + 2 + 4 + 16);
        assert_eq!(tensor.place(5), 2 + 4);
        assert_eq!(tensor.place(6), 16);
        assert_eq!(tensor.name('D', 5), "D[2, 1, 0]");
        let elements: Vec<f64> = (0..12).map(f64::from).collect();
        let memory = tensor.memory::<f32>(&elements);
        let again = tensor.elements(&memory).unwrap();
        assert_eq!(again, (0..12u8).map(f32::from).collect::<Vec<_>>());
        let mut stray = memory;
        stray[3] = 0.0;
        assert!(tensor.elements(&stray).is_err());
    }

    /// A = [1 2 3; 4 5 6] by (i, k), B = [1 0; 0 1; 1 1] by (k, j): A B = [4 5; 10 11].
    #[test]
    fn a_product_of_matrices_is_a_contraction() {
        let a = Tensor::new("ik", ALL);
        let b = Tensor::new("kj", ALL);
        let d = Tensor::new("ij", ALL);
        let factors: &[(&Tensor, &[f64])] = &[
            (&a, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
            (&b, &[1.0, 0.0, 1.0, 0.0, 1.0, 1.0]),
        ];
        let found = contract(&d, factors, ALL, |sum, product| sum + product, 0.0);
        assert_eq!(found, [4.0, 10.0, 5.0, 11.0]);
    }

    #[test]
    fn the_largest_over_a_mode_is_a_contraction_with_another_sum() {
        let a = Tensor::new("ik", ALL);
        let d = Tensor::new("i", ALL);
        let factors: &[(&Tensor, &[f64])] = &[(&a, &[1.0, -4.0, 9.0, -5.0, 3.0, -6.0])];
        let found = contract(&d, factors, ALL, f64::max, f64::NEG_INFINITY);
        assert_eq!(found, [9.0, -4.0]);
    }
}
