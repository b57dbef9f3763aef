//! What computes with neighbours or with all pixels of an image, on images whose rows are longer than their pixels.

use std::ops::Range;

use super::super::exact::{self, POISON};
use super::super::{Bench, Opened, Verdict};
use super::call::{context, number, size, whole};
use super::ffi::{Arithmetic, Filters, Geometry, Point, Size, Statistics};
use super::image::{self, SHAPE, Shape};
use super::sibling;

/// A saturating sum: about half of the pixels reach 255.
pub(super) fn add_saturating(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let library = sibling(opened, "libnppial")?;
    let (first, second) = (
        SHAPE.random(bench.seed, 0, 254),
        SHAPE.random(bench.seed, 1, 254),
    );
    let one = bench.upload(&first)?;
    let two = bench.upload(&second)?;
    let sum = bench.poisoned::<u8>(SHAPE.bytes())?;
    bench.computes();
    let step = number(SHAPE.step);
    opened.ok(Arithmetic::new(&library).add(
        one.at,
        step,
        two.at,
        step,
        sum.at,
        step,
        size(SHAPE),
        0,
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&sum)?;
    bench.compares();
    let expected = SHAPE.filled(POISON, |row, column| {
        let index = row * SHAPE.step + column;
        image::added(first[index], second[index])
    });
    exact::same(&expected, &found, |index| SHAPE.place(index))?;
    bench.unchanged("the first image", &one, &first)?;
    bench.unchanged("the second image", &two, &second)
}

/// Blocks of 4x4 equal pixels become blocks of 8x8. Whether the centres or the corners of pixels are what is near is a
/// matter of convention, but none mixes values, and none reaches further than one pixel of the result.
pub(super) fn resize_nearest(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    /// `NPPI_INTER_NN`.
    const NEAREST: i32 = 1;
    const FROM: Shape = Shape {
        width: 52,
        height: 28,
        step: 64,
    };
    const TO: Shape = Shape {
        width: 104,
        height: 56,
        step: 128,
    };
    let library = sibling(opened, "libnppig")?;
    let values = exact::integers(bench.seed, 0, 127, FROM.bytes());
    let block = |row: usize, column: usize| values[row * FROM.step + column].to_le_bytes()[0];
    let source = FROM.filled(0, |row, column| block(row / 4, column / 4));
    let from = bench.upload(&source)?;
    let to = bench.poisoned::<u8>(TO.bytes())?;
    bench.computes();
    opened.ok(Geometry::new(&library).resize(
        from.at,
        number(FROM.step),
        size(FROM),
        whole(FROM),
        to.at,
        number(TO.step),
        size(TO),
        whole(TO),
        NEAREST,
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    // Where the convention decides, the expectation is whichever neighbour was taken, if it is one.
    let expected = TO.filled(POISON, |row, column| {
        let found = found[row * TO.step + column];
        let rows = neighbours(row, TO.height);
        let candidates = rows.flat_map(|row| {
            let columns = neighbours(column, TO.width);
            columns.map(move |column| (row, column))
        });
        let mut values = candidates.map(|(row, column)| block(row / 8, column / 8));
        match values.any(|value| value == found) {
            true => found,
            false => block(row / 8, column / 8),
        }
    });
    exact::same(&expected, &found, |index| TO.place(index))?;
    bench.unchanged("the image", &from, &source)
}

/// A pixel with those beside it.
fn neighbours(at: usize, count: usize) -> Range<usize> {
    at.saturating_sub(1)..(at + 2).min(count)
}

/// A filter of integer weights over the inner part of an image; some sums reach 255.
pub(super) fn filter_3x3(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let library = sibling(opened, "libnppif")?;
    let source = SHAPE.random(bench.seed, 0, 30);
    let from = bench.upload(&source)?;
    let to = bench.poisoned::<u8>(SHAPE.bytes())?;
    let weights = bench.upload(image::WEIGHTS.as_flattened())?;
    bench.computes();
    let inner = SHAPE.step as u64 + 1;
    let part = Size {
        width: number(SHAPE.width - 2),
        height: number(SHAPE.height - 2),
    };
    let (three, centre) = (
        Size {
            width: 3,
            height: 3,
        },
        Point { x: 1, y: 1 },
    );
    opened.ok(Filters::new(&library).filter(
        from.at.offset(inner),
        number(SHAPE.step),
        to.at.offset(inner),
        number(SHAPE.step),
        part,
        weights.at,
        three,
        centre,
        1,
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    let expected = SHAPE.filled(POISON, |row, column| {
        let inside = (1..SHAPE.height - 1).contains(&row) && (1..SHAPE.width - 1).contains(&column);
        match inside {
            true => image::filtered(SHAPE, &source, row, column),
            false => POISON,
        }
    });
    exact::same(&expected, &found, |index| SHAPE.place(index))?;
    bench.unchanged("the image", &from, &source)?;
    bench.unchanged("the weights", &weights, image::WEIGHTS.as_flattened())
}

/// The sum over an image, and not over what lies between its rows. It is an integer far below 2⁵³.
pub(super) fn sum(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let library = sibling(opened, "libnppist")?;
    let api = Statistics::new(&library);
    let source = SHAPE.random(bench.seed, 0, 254);
    let mut needed = 0;
    opened.ok(api.sum_scratch(size(SHAPE), &mut needed, context(bench)))?;
    opened.note("scratch-bytes", needed.to_string());
    let from = bench.upload(&source)?;
    let scratch = bench.poisoned::<u8>(usize::try_from(needed).unwrap_or(usize::MAX))?;
    let result = bench.poisoned::<f64>(1)?;
    bench.computes();
    opened.ok(api.sum(
        from.at,
        number(SHAPE.step),
        size(SHAPE),
        scratch.at,
        result.at,
        context(bench),
    ))?;
    let found: Vec<f64> = bench.download(&result)?;
    bench.compares();
    let expected = image::total(SHAPE, &source) as f64;
    exact::same(&[expected], &found, |_| "the sum".to_owned())?;
    // Whoever writes beyond its scratch memory has asked for too little.
    let _: Vec<u8> = bench.download(&scratch)?;
    bench.unchanged("the image", &from, &source)
}
