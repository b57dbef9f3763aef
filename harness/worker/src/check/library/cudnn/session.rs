//! A handle of cuDNN and the descriptors of the older functions, in Rust's words.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::exact::Element;
use super::super::{Opened, Stop, Verdict};
use super::ffi::{Cudnn, DataType, Format};
use super::parts;
use super::reference::{Arrangement, Layout};
use crate::library::{Called, Handle, Status};

/// An open library with a handle.
pub(super) struct Session<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) api: Cudnn<'a>,
    /// Null if the session is for a device that is not here.
    pub(super) handle: Handle,
    /// The description of that device.
    pub(super) device: Option<Handle>,
}

/// A number that cuDNN computes with, and its name there.
pub(super) trait Number: Element {
    const TYPE: DataType;
    /// The nearest number of this type, ties to even.
    fn nearest(value: f64) -> Self;
    fn wide(self) -> f64;
}

impl Number for f32 {
    const TYPE: DataType = DataType::FLOAT;
    #[expect(clippy::cast_possible_truncation, reason = "rounding is the meaning")]
    fn nearest(value: f64) -> Self {
        value as Self
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Number for half::f16 {
    const TYPE: DataType = DataType::HALF;
    fn nearest(value: f64) -> Self {
        Self::from_f64(value)
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Number for half::bf16 {
    const TYPE: DataType = DataType::BFLOAT16;
    fn nearest(value: f64) -> Self {
        Self::from_f64(value)
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

/// A function that makes a descriptor.
type Create<'a> = fn(&Cudnn<'a>, &mut Handle) -> Called<Status>;

impl<'a> Session<'a> {
    pub(super) fn open(opened: &'a Opened<'a>) -> Result<Self, Stop> {
        let api = Cudnn::new(&opened.library);
        let mut handle = Handle::NULL;
        opened.ok(api.create(&mut handle))?;
        Ok(Self {
            opened,
            api,
            handle,
            device: None,
        })
    }

    /// A session in which plans can be made, and nothing can be run.
    pub(super) fn elsewhere(opened: &'a Opened<'a>) -> Self {
        Self {
            opened,
            api: Cudnn::new(&opened.library),
            handle: Handle::NULL,
            device: None,
        }
    }

    pub(super) fn close(self) -> Verdict {
        self.opened.ok(self.api.destroy(self.handle))
    }

    pub(super) fn made(&self, create: Create<'a>) -> Result<Handle, Stop> {
        let mut descriptor = Handle::NULL;
        self.opened.ok(create(&self.api, &mut descriptor))?;
        Ok(descriptor)
    }

    pub(super) fn tensor<T: Number>(&self, layout: &Layout) -> Result<Handle, Stop> {
        if parts::only_jit(self.opened.subject) {
            let what = "layers outside of graphs, by the configuration that compiles everything";
            return Err(self.opened.not_supported(what));
        }
        let descriptor = self.made(Cudnn::create_tensor)?;
        let [n, c, h, w] = numbers(layout.extents);
        let called = match layout.arrangement {
            Arrangement::Nchw => self
                .api
                .set_tensor(descriptor, Format::NCHW, T::TYPE, n, c, h, w),
            Arrangement::Nhwc => self
                .api
                .set_tensor(descriptor, Format::NHWC, T::TYPE, n, c, h, w),
            Arrangement::Gapped => {
                let [sn, sc, sh, sw] = numbers(layout.strides);
                self.api
                    .set_tensor_strides(descriptor, T::TYPE, n, c, h, w, sn, sc, sh, sw)
            }
        };
        self.opened.ok(called)?;
        Ok(descriptor)
    }

    pub(super) fn filter<T: Number>(&self, layout: &Layout) -> Result<Handle, Stop> {
        let descriptor = self.made(Cudnn::create_filter)?;
        let [k, c, h, w] = numbers(layout.extents);
        let format = match layout.arrangement {
            Arrangement::Nchw | Arrangement::Gapped => Format::NCHW,
            Arrangement::Nhwc => Format::NHWC,
        };
        self.opened
            .ok(self.api.set_filter(descriptor, T::TYPE, format, k, c, h, w))?;
        Ok(descriptor)
    }
}

/// Sizes as cuDNN takes them.
pub(super) fn numbers<const N: usize>(sizes: [usize; N]) -> [i32; N] {
    sizes.map(|size| i32::try_from(size).expect("the shapes of the tests are small"))
}

/// Goes on if the library tells the numbers that it must.
pub(super) fn equal<const N: usize, T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: [T; N],
    found: [T; N],
) -> Verdict {
    if expected == found {
        return Ok(());
    }
    Err(Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: format!("{what}: {expected:?}"),
        found: format!("{what}: {found:?}"),
    }))
}
