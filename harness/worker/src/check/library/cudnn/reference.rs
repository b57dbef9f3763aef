//! Tensors of four extents, and what a convolution and a pooling of them are, in the plainest way.

/// How a tensor lies in memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Arrangement {
    /// Packed, the width running fastest.
    Nchw,
    /// Packed, the channels running fastest.
    Nhwc,
    /// As [`Arrangement::Nchw`], with unused elements after each row, each channel, and each image.
    Gapped,
}

/// Where each element of a tensor is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Layout {
    pub(super) arrangement: Arrangement,
    /// Images, channels, rows, columns; of filters: outputs, channels, rows, columns.
    pub(super) extents: [usize; 4],
    /// In elements, in the same order.
    pub(super) strides: [usize; 4],
}

/// How a window moves over an image; rows first, then columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Geometry {
    pub(super) padding: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Into how many independent groups the channels fall.
    pub(super) groups: usize,
}

impl Layout {
    pub(super) fn new(arrangement: Arrangement, extents: [usize; 4]) -> Self {
        let [_, c, h, w] = extents;
        let strides = match arrangement {
            Arrangement::Nchw => [c * h * w, h * w, w, 1],
            Arrangement::Nhwc => [h * w * c, 1, w * c, c],
            Arrangement::Gapped => {
                let row = w + 3;
                let channel = h * row + 5;
                [c * channel + 7, channel, row, 1]
            }
        };
        Self {
            arrangement,
            extents,
            strides,
        }
    }

    /// Elements from the first to the last, gaps between them included.
    pub(super) fn span(&self) -> usize {
        let last = self.extents.map(|extent| extent - 1);
        self.place(last) + 1
    }

    pub(super) fn place(&self, at: [usize; 4]) -> usize {
        at.iter()
            .zip(self.strides)
            .map(|(index, stride)| index * stride)
            .sum()
    }

    /// Every element, the last index running fastest.
    pub(super) fn indices(&self) -> impl Iterator<Item = [usize; 4]> + use<> {
        let [n, c, h, w] = self.extents;
        (0..n * c * h * w).map(move |at| [at / (w * h * c), at / (w * h) % c, at / w % h, at % w])
    }

    /// Values in the order of [`Layout::indices`], each where it belongs, with `gap` in between.
    pub(super) fn spread<T: Copy>(&self, values: &[T], gap: T) -> Vec<T> {
        let mut spread = vec![gap; self.span()];
        for (at, value) in self.indices().zip(values) {
            spread[self.place(at)] = *value;
        }
        spread
    }

    /// What an element in memory is called: `y[0, 2, 1, 7]`.
    pub(super) fn name(&self, tensor: &str, place: usize) -> String {
        match self.indices().find(|at| self.place(*at) == place) {
            Some([n, c, h, w]) => format!("{tensor}[{n}, {c}, {h}, {w}]"),
            None => format!("the gap at element {place} of {tensor}"),
        }
    }
}

impl Geometry {
    /// Where a window of this size can be put on an image.
    pub(super) fn positions(&self, image: [usize; 2], window: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            let reach = (window[axis] - 1) * self.dilation[axis] + 1;
            (image[axis] + 2 * self.padding[axis] - reach) / self.stride[axis] + 1
        })
    }

    /// The row or column of the image under an element of the window; none if that is padding.
    fn under(&self, axis: usize, position: usize, offset: usize, extent: usize) -> Option<usize> {
        let at = position * self.stride[axis] + offset * self.dilation[axis];
        at.checked_sub(self.padding[axis]).filter(|at| *at < extent)
    }
}

/// The extents of a convolution's result.
pub(super) fn output(x: [usize; 4], w: [usize; 4], geometry: &Geometry) -> [usize; 4] {
    let [rows, columns] = geometry.positions([x[2], x[3]], [w[2], w[3]]);
    [x[0], w[0], rows, columns]
}

/// The cross-correlation of packed images with packed filters, in the order of [`Layout::indices`].
pub(super) fn convolve(
    (x, x_extents): (&[f64], [usize; 4]),
    (w, w_extents): (&[f64], [usize; 4]),
    geometry: &Geometry,
) -> Vec<f64> {
    let images = Layout::new(Arrangement::Nchw, x_extents);
    let filters = Layout::new(Arrangement::Nchw, w_extents);
    let result = Layout::new(Arrangement::Nchw, output(x_extents, w_extents, geometry));
    let outputs_of_group = w_extents[0] / geometry.groups;
    let element = |[n, k, row, column]: [usize; 4]| {
        let first = k / outputs_of_group * w_extents[1];
        let window = Layout::new(
            Arrangement::Nchw,
            [1, w_extents[1], w_extents[2], w_extents[3]],
        );
        let products = window.indices().map(|[_, c, r, s]| {
            let row = geometry.under(0, row, r, x_extents[2]);
            let column = geometry.under(1, column, s, x_extents[3]);
            match (row, column) {
                (Some(row), Some(column)) => {
                    x[images.place([n, first + c, row, column])] * w[filters.place([k, c, r, s])]
                }
                _ => 0.0,
            }
        });
        products.sum()
    };
    result.indices().map(element).collect()
}

/// What `of` makes of the elements under each window, and of the size of the window, in the order of
/// [`Layout::indices`]. Padding is left out.
pub(super) fn pool(
    (x, extents): (&[f64], [usize; 4]),
    window: [usize; 2],
    geometry: &Geometry,
    of: impl Fn(&[f64], usize) -> f64,
) -> Vec<f64> {
    let images = Layout::new(Arrangement::Nchw, extents);
    let [rows, columns] = geometry.positions([extents[2], extents[3]], window);
    let result = Layout::new(Arrangement::Nchw, [extents[0], extents[1], rows, columns]);
    let element = |[n, c, row, column]: [usize; 4]| {
        let mut under = Vec::new();
        for r in 0..window[0] {
            for s in 0..window[1] {
                let row = geometry.under(0, row, r, extents[2]);
                let column = geometry.under(1, column, s, extents[3]);
                if let (Some(row), Some(column)) = (row, column) {
                    under.push(x[images.place([n, c, row, column])]);
                }
            }
        }
        of(&under, window[0] * window[1])
    };
    result.indices().map(element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Geometry = Geometry {
        padding: [0, 0],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
    };

    #[track_caller]
    fn check(x: [usize; 4], w: [usize; 4], geometry: Geometry, expected: &[f64]) {
        let counted = |extents: [usize; 4]| -> Vec<f64> {
            (1..=extents.iter().product::<usize>())
                .map(|value| value as f64)
                .collect()
        };
        let found = convolve((&counted(x), x), (&counted(w), w), &geometry);
        assert_eq!(found, expected);
    }

    #[test]
    fn convolutions_are_what_was_worked_out_by_hand() {
        // [1 2 3; 4 5 6; 7 8 9] with [1 2; 3 4].
        check([1, 1, 3, 3], [1, 1, 2, 2], PLAIN, &[37.0, 47.0, 67.0, 77.0]);
        // One row and one column of zeros around it; every second position.
        let padded = Geometry {
            padding: [1, 1],
            stride: [2, 2],
            ..PLAIN
        };
        check([1, 1, 3, 3], [1, 1, 2, 2], padded, &[4.0, 18.0, 36.0, 77.0]);
        // The corners only: 1 + 2·3 + 3·7 + 4·9.
        let dilated = Geometry {
            dilation: [2, 2],
            ..PLAIN
        };
        check([1, 1, 3, 3], [1, 1, 2, 2], dilated, &[64.0]);
        // Two channels are summed.
        check([1, 2, 1, 1], [2, 2, 1, 1], PLAIN, &[5.0, 11.0]);
        // In two groups they are not: 1·1, 2·2.
        let grouped = Geometry { groups: 2, ..PLAIN };
        check([1, 2, 1, 1], [2, 1, 1, 1], grouped, &[1.0, 4.0]);
    }

    #[test]
    fn windows_know_what_lies_under_them() {
        let x = [1.0, -2.0, 3.0, 4.0];
        let geometry = Geometry {
            padding: [1, 0],
            ..PLAIN
        };
        let most = |under: &[f64], _: usize| under.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(
            pool((&x, [1, 1, 2, 2]), [2, 2], &geometry, most),
            [1.0, 4.0, 4.0]
        );
        let count = |under: &[f64], size: usize| (under.len() * 10 + size) as f64;
        assert_eq!(
            pool((&x, [1, 1, 2, 2]), [2, 2], &geometry, count),
            [24.0, 44.0, 24.0]
        );
    }

    #[test]
    fn every_element_has_a_place_of_its_own() {
        for arrangement in [Arrangement::Nchw, Arrangement::Nhwc, Arrangement::Gapped] {
            let layout = Layout::new(arrangement, [2, 3, 4, 5]);
            let values: Vec<usize> = (1..=120).collect();
            let spread = layout.spread(&values, 0);
            let found: Vec<usize> = layout
                .indices()
                .map(|at| spread[layout.place(at)])
                .collect();
            assert_eq!(found, values);
            let gaps = spread.iter().filter(|value| **value == 0).count();
            assert_eq!(gaps, layout.span() - 120);
            assert_eq!(gaps > 0, arrangement == Arrangement::Gapped);
        }
        let gapped = Layout::new(Arrangement::Gapped, [1, 1, 2, 2]);
        assert_eq!(gapped.name("y", 5), "y[0, 0, 1, 0]");
        assert_eq!(gapped.name("y", 2), "the gap at element 2 of y");
    }
}
