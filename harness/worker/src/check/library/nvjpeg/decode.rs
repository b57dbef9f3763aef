//! Reads and decodes the pictures, and compares each pixel.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::exact::{self, POISON};
use super::super::npp::image::accepted;
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{Image, LUMA, NvJpeg, RGB};
use super::picture::{Picture, Sampling};
use crate::library::{DevicePointer, Handle, Status};

/// A size that cuts the last blocks of rows and of columns.
const WIDTH: usize = 45;
const HEIGHT: usize = 29;

/// Bytes of a row of the result; more than its pixels take.
const PITCH: usize = 192;

/// What the headers of three pictures say: colour as fine as luma, half as fine, and none.
pub(super) fn image_info(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = NvJpeg::new(&opened.library);
    let handle = create(opened)?;
    bench.computes();
    // The numbers of `nvjpegChromaSubsampling_t`.
    for (sampling, number) in [
        (Sampling::Full, 0),
        (Sampling::Half, 2),
        (Sampling::Gray, 6),
    ] {
        let file = random(bench.seed, sampling).file();
        let (status, told) = info(opened, handle, &file)?;
        if status != Status(0) {
            return Err(opened.refused("nvjpegGetImageInfo", status));
        }
        let expected = Told {
            components: i32::try_from(sampling.components()).unwrap_or(0),
            subsampling: number,
            width: 45,
            height: 29,
        };
        if told != expected {
            return Err(wrong(told.sentence(), expected.sentence()));
        }
    }
    opened.ok(api.destroy(handle))
}

/// Luma has no arithmetic but the inverse transform, which is exact for these blocks.
pub(super) fn luma(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let picture = random(bench.seed, Sampling::Full);
    let (across, _) = Picture::blocks(WIDTH, HEIGHT, Sampling::Full);
    let found = decode(opened, bench, &picture, LUMA)?;
    let mut expected = vec![POISON; PITCH * HEIGHT];
    for (row, line) in expected.chunks_mut(PITCH).enumerate() {
        for (column, pixel) in line[..WIDTH].iter_mut().enumerate() {
            *pixel = picture.luma[row / 8 * across + column / 8];
        }
    }
    exact::same(&expected, &found, |index| {
        format!("luma [{}, {}]", index / PITCH, index % PITCH)
    })
}

/// Colours are computed with fractions. A decoder may round or cut, and may have its factors in fixed point: each
/// channel is within one of the value that the formulas of JFIF give.
pub(super) fn rgb(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let picture = random(bench.seed, Sampling::Full);
    coloured(opened, bench, &picture)
}

/// Colour of half the size, as most pictures have it. It is the same everywhere, so that it does not matter how a
/// decoder finds the colour between two samples.
pub(super) fn rgb_420(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let mut picture = random(bench.seed, Sampling::Half);
    picture.chroma.fill([70, 180]);
    coloured(opened, bench, &picture)
}

/// The colour of a block of luma is that of the same index, which with colour of half the size is any.
fn coloured(opened: &Opened<'_>, bench: &Bench<'_>, picture: &Picture) -> Verdict {
    let (across, _) = Picture::blocks(WIDTH, HEIGHT, picture.sampling);
    let found = decode(opened, bench, picture, RGB)?;
    let mut expected = vec![POISON; PITCH * HEIGHT];
    for row in 0..HEIGHT {
        for column in 0..WIDTH {
            let block = row / 8 * across + column / 8;
            let [blue, red] = picture.chroma[block];
            let colours = colours(picture.luma[block], blue, red);
            for (channel, value) in colours.into_iter().enumerate() {
                let index = row * PITCH + column * 3 + channel;
                expected[index] = accepted(value, found[index]);
            }
        }
    }
    exact::same(&expected, &found, |index| {
        format!("byte [{}, {}]", index / PITCH, index % PITCH)
    })
}

/// A picture that ends within its frame header has no size, so that nobody can say what it is.
pub(super) fn truncated(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = NvJpeg::new(&opened.library);
    let handle = create(opened)?;
    let file = random(bench.seed, Sampling::Full).file();
    let frame = file
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .expect("the file was made with a frame");
    // The marker, the length, the bits of a sample, and one byte of the height.
    let cut = &file[..frame + 6];
    bench.computes();
    let (status, told) = info(opened, handle, cut)?;
    if status == Status(0) {
        return Err(wrong(
            format!("it is accepted as a picture in which {}", told.sentence()),
            "a picture that is cut off in its frame header is refused".to_owned(),
        ));
    }
    opened.note("status", status.0.to_string());
    opened.ok(api.destroy(handle))
}

/// Decodes into a poisoned array of rows of [`PITCH`] bytes.
fn decode(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    picture: &Picture,
    format: i32,
) -> Result<Vec<u8>, Stop> {
    let api = NvJpeg::new(&opened.library);
    let handle = create(opened)?;
    let mut state = Handle::NULL;
    opened.ok(api.create_state(handle, &mut state))?;
    let file = picture.file();
    let plane = bench.poisoned::<u8>(PITCH * HEIGHT)?;
    let none = DevicePointer::NULL;
    let image = Image {
        channels: [plane.at, none, none, none],
        pitches: [PITCH, 0, 0, 0],
    };
    bench.computes();
    opened.ok(api.decode(
        handle,
        state,
        file.as_slice().into(),
        file.len(),
        format,
        &image,
        Handle::NULL,
    ))?;
    let found = bench.download(&plane)?;
    bench.compares();
    opened.ok(api.destroy_state(state))?;
    opened.ok(api.destroy(handle))?;
    Ok(found)
}

/// What the header of a picture says.
#[derive(Debug, Eq, PartialEq)]
struct Told {
    components: i32,
    subsampling: i32,
    width: i32,
    height: i32,
}

impl Told {
    fn sentence(&self) -> String {
        format!(
            "a picture of {}x{} has {} components with subsampling {}",
            self.width, self.height, self.components, self.subsampling
        )
    }
}

fn info(opened: &Opened<'_>, handle: Handle, file: &[u8]) -> Result<(Status, Told), Stop> {
    let (mut components, mut subsampling) = (-1, -1);
    let (mut widths, mut heights) = ([-1; 4], [-1; 4]);
    let asked = NvJpeg::new(&opened.library).info(
        handle,
        file.into(),
        file.len(),
        &mut components,
        &mut subsampling,
        (&mut widths).into(),
        (&mut heights).into(),
    );
    let told = |widths: [i32; 4], heights: [i32; 4]| Told {
        components,
        subsampling,
        width: widths[0],
        height: heights[0],
    };
    let status = opened.value(asked)?;
    Ok((status, told(widths, heights)))
}

fn create(opened: &Opened<'_>) -> Result<Handle, Stop> {
    let mut handle = Handle::NULL;
    opened.ok(NvJpeg::new(&opened.library).create(&mut handle))?;
    Ok(handle)
}

/// A picture of random blocks.
fn random(seed: u64, sampling: Sampling) -> Picture {
    let (across, down) = Picture::blocks(WIDTH, HEIGHT, sampling);
    let means = |array: u64| -> Vec<u8> {
        let integers = exact::integers(seed, array, 127, across * down);
        let shifted = integers.into_iter().map(|value| value + 128);
        shifted.map(|value| value.to_le_bytes()[0]).collect()
    };
    let colours = means(1).into_iter().zip(means(2));
    Picture {
        width: WIDTH,
        height: HEIGHT,
        sampling,
        luma: means(0),
        chroma: colours.map(|(blue, red)| [blue, red]).collect(),
    }
}

/// Red, green, and blue of a pixel, by the formulas of the JFIF specification, cut to what a byte holds.
fn colours(luma: u8, blue: u8, red: u8) -> [f64; 3] {
    let (luma, blue, red) = (
        f64::from(luma),
        f64::from(blue) - 128.0,
        f64::from(red) - 128.0,
    );
    [
        luma + 1.402 * red,
        luma - 0.344_136_286 * blue - 0.714_136_286 * red,
        luma + 1.772 * blue,
    ]
    .map(|value| value.clamp(0.0, 255.0))
}

fn wrong(found: String, expected: String) -> Stop {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected,
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pixel: [u8; 3], expected: [u8; 3]) {
        let [luma, blue, red] = pixel;
        let rounded = colours(luma, blue, red).map(f64::round);
        assert_eq!(rounded, expected.map(f64::from));
    }

    #[test]
    fn colours_are_those_of_jfif() {
        check([128, 128, 128], [128, 128, 128]);
        // Pure red, green, and blue as the same specification converts them to luma and differences.
        check([76, 85, 255], [254, 0, 0]);
        check([150, 44, 21], [0, 255, 1]);
        check([29, 255, 107], [0, 0, 254]);
    }

    #[test]
    fn a_picture_has_a_mean_for_each_block() {
        let picture = random(7, Sampling::Half);
        assert_eq!(Picture::blocks(WIDTH, HEIGHT, Sampling::Half), (6, 4));
        assert_eq!(picture.luma.len(), 24);
    }
}
