//! How the matrices of a batch lie in memory, and their comparison one by one.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::Verdict;
use super::super::cublas::comparison::judge;
use super::super::cublas::product::Layout;
use super::super::exact::{self, Element};

/// Elements between the end of a matrix and the beginning of the next of its batch.
const BETWEEN: usize = 8;

/// Where the matrices of a batch lie.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) layout: Layout,
    pub(super) count: usize,
}

impl Place {
    /// Elements from the beginning of a matrix to that of the next.
    pub(super) fn stride(self) -> usize {
        match self.count {
            1 => self.layout.length(),
            _ => self.layout.length() + BETWEEN,
        }
    }

    pub(super) fn joined<T: Copy>(
        self,
        matrices: impl Iterator<Item = Vec<T>>,
        outside: T,
    ) -> Vec<T> {
        let mut memory = Vec::with_capacity(self.stride() * self.count);
        for matrix in matrices {
            memory.extend(matrix);
            memory.resize(memory.len().next_multiple_of(self.stride()), outside);
        }
        memory
    }

    /// Compares each matrix, and what lies between them.
    pub(super) fn judge<T: Element>(
        self,
        title: &str,
        before: &[T],
        expected: &[T],
        found: &[T],
        diagnose: impl FnOnce() -> Option<String>,
    ) -> Verdict {
        let mut diagnose = Some(diagnose);
        let length = self.layout.length();
        let pieces = before
            .chunks(self.stride())
            .zip(expected.chunks(self.stride()))
            .zip(found.chunks(self.stride()));
        for (index, ((before, expected), found)) in pieces.enumerate() {
            let title = match self.count {
                1 => title.to_owned(),
                _ => format!("{title}, product {index}"),
            };
            judge(
                &title,
                self.layout,
                &before[..length],
                &expected[..length],
                &found[..length],
                || diagnose.take().and_then(|it| it()),
            )?;
            if exact::bytes(&before[length..]) != exact::bytes(&found[length..]) {
                return Err(Box::new(CheckResult::Mismatch {
                    kind: MismatchKind::StrayWrite,
                    expected: format!("{title} writes nothing behind its matrix"),
                    found: "elements between two matrices were written".to_owned(),
                }));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_of_a_batch_lie_apart() {
        let layout = Layout {
            rows: 1,
            columns: 1,
            apart: 1,
        };
        let place = Place { layout, count: 2 };
        let memory = place.joined([vec![1], vec![2]].into_iter(), 0);
        assert_eq!(memory.len(), 2 * (1 + BETWEEN));
        assert_eq!((memory[0], memory[1], memory[1 + BETWEEN]), (1, 0, 2));
    }
}
