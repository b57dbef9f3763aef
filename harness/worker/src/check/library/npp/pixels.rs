//! What moves pixels or computes with a few of them, and signals, on arrays with something behind each row.

use super::super::exact::{self, POISON};
use super::super::{Bench, Opened, Verdict};
use super::call::{context, number, size};
use super::ffi::{Colours, Exchange, Morphology, Signals, Size, Thresholds};
use super::image::{self, SHAPE, Shape};
use super::sibling;

/// Rows become columns.
pub(super) fn transpose(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const TO: Shape = Shape {
        width: SHAPE.height,
        height: SHAPE.width,
        step: 64,
    };
    let library = sibling(opened, "libnppidei")?;
    let source = SHAPE.random(bench.seed, 0, 254);
    let from = bench.upload(&source)?;
    let to = bench.poisoned::<u8>(TO.bytes())?;
    bench.computes();
    opened.ok(Exchange::new(&library).transpose(
        from.at,
        number(SHAPE.step),
        to.at,
        number(TO.step),
        size(SHAPE),
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    let expected = TO.filled(POISON, |row, column| source[column * SHAPE.step + row]);
    exact::same(&expected, &found, |index| TO.place(index))?;
    bench.unchanged("the image", &from, &source)
}

/// Each inner pixel becomes the brightest of the nine around it.
pub(super) fn dilate_3x3(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let library = sibling(opened, "libnppim")?;
    let source = SHAPE.random(bench.seed, 0, 254);
    let from = bench.upload(&source)?;
    let to = bench.poisoned::<u8>(SHAPE.bytes())?;
    bench.computes();
    let inner = SHAPE.step as u64 + 1;
    let part = Size {
        width: number(SHAPE.width - 2),
        height: number(SHAPE.height - 2),
    };
    opened.ok(Morphology::new(&library).dilate(
        from.at.offset(inner),
        number(SHAPE.step),
        to.at.offset(inner),
        number(SHAPE.step),
        part,
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    let expected = SHAPE.filled(POISON, |row, column| {
        if (1..SHAPE.height - 1).contains(&row) && (1..SHAPE.width - 1).contains(&column) {
            image::dilated(SHAPE, &source, row, column)
        } else {
            POISON
        }
    });
    exact::same(&expected, &found, |index| SHAPE.place(index))?;
    bench.unchanged("the image", &from, &source)
}

/// What is brighter than 100 becomes 100.
pub(super) fn threshold(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const THRESHOLD: u8 = 100;
    let library = sibling(opened, "libnppitc")?;
    let source = SHAPE.random(bench.seed, 0, 254);
    let from = bench.upload(&source)?;
    let to = bench.poisoned::<u8>(SHAPE.bytes())?;
    bench.computes();
    opened.ok(Thresholds::new(&library).cut(
        from.at,
        number(SHAPE.step),
        to.at,
        number(SHAPE.step),
        size(SHAPE),
        THRESHOLD,
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    let expected = SHAPE.filled(POISON, |row, column| {
        source[row * SHAPE.step + column].min(THRESHOLD)
    });
    exact::same(&expected, &found, |index| SHAPE.place(index))?;
    bench.unchanged("the image", &from, &source)
}

/// Brightness is computed with fractions, and whether it is rounded or cut is not said: each pixel is within one of it.
pub(super) fn rgb_to_gray(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    /// Three bytes a pixel.
    const FROM: Shape = Shape {
        width: SHAPE.width * 3,
        height: SHAPE.height,
        step: 960,
    };
    let library = sibling(opened, "libnppicc")?;
    let source = FROM.random(bench.seed, 0, 254);
    let from = bench.upload(&source)?;
    let to = bench.poisoned::<u8>(SHAPE.bytes())?;
    bench.computes();
    opened.ok(Colours::new(&library).gray(
        from.at,
        number(FROM.step),
        to.at,
        number(SHAPE.step),
        size(SHAPE),
        context(bench),
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    let expected = SHAPE.filled(POISON, |row, column| {
        let at = row * FROM.step + column * 3;
        let gray = image::gray([source[at], source[at + 1], source[at + 2]]);
        image::accepted(gray, found[row * SHAPE.step + column])
    });
    exact::same(&expected, &found, |index| SHAPE.place(index))?;
    bench.unchanged("the image", &from, &source)
}

/// The sum of two signals of integers, which f32 adds without rounding.
pub(super) fn signal_add(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    /// A prime, so that the last vector is not whole.
    const COUNT: usize = 10_007;
    let library = sibling(opened, "libnpps")?;
    let signal = |array| -> Vec<f32> {
        let integers = exact::integers(bench.seed, array, 1 << 20, COUNT);
        integers.into_iter().map(|value| value as f32).collect()
    };
    let (first, second) = (signal(0), signal(1));
    let one = bench.upload(&first)?;
    let two = bench.upload(&second)?;
    let sum = bench.poisoned::<f32>(COUNT)?;
    bench.computes();
    opened.ok(Signals::new(&library).add(one.at, two.at, sum.at, COUNT, context(bench)))?;
    let found: Vec<f32> = bench.download(&sum)?;
    bench.compares();
    let pairs = first.iter().zip(&second);
    let expected: Vec<f32> = pairs.map(|(one, two)| one + two).collect();
    exact::same(&expected, &found, |index| format!("element {index}"))?;
    bench.unchanged("the first signal", &one, &first)?;
    bench.unchanged("the second signal", &two, &second)
}
