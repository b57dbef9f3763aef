//! Descriptors of the older functions, and tensors of three kinds of numbers in the device's memory.

use std::ffi::c_void;

use half::{bf16, f16};

use super::{SUCCESS, Status, bad_parameter};
use crate::{fault, memory};

/// `cudnnDataType_t`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Kind {
    #[default]
    Float,
    Half,
    Brain,
}

impl Kind {
    pub(super) fn of(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Float),
            2 => Some(Self::Half),
            9 => Some(Self::Brain),
            _ => None,
        }
    }
}

/// `cudnnTensorDescriptor_t` and `cudnnFilterDescriptor_t`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tensor {
    pub(super) kind: Kind,
    pub(super) size: [i64; 4],
    pub(super) stride: [i64; 4],
}

impl Tensor {
    pub(super) fn new(kind: i32, format: i32, size: [i64; 4]) -> Option<Self> {
        let [_, c, h, w] = size;
        let stride = match format {
            0 => [c * h * w, h * w, w, 1],
            1 => [h * w * c, 1, w * c, c],
            _ => return None,
        };
        let kind = Kind::of(kind)?;
        Some(Self { kind, size, stride })
    }

    pub(super) fn at(&self, n: i64, c: i64, h: i64, w: i64) -> usize {
        let [sn, sc, sh, sw] = self.stride;
        usize::try_from(n * sn + c * sc + h * sh + w * sw).unwrap_or(usize::MAX)
    }

    /// Elements from the first to the last.
    pub(super) fn elements(&self) -> usize {
        let [n, c, h, w] = self.size;
        self.at(n - 1, c - 1, h - 1, w - 1) + 1
    }

    pub(super) fn channels_last(&self) -> bool {
        self.stride[1] == 1 && self.size[1] > 1
    }

    pub(super) fn has_gaps(&self) -> bool {
        let packed: i64 = self.size.iter().product();
        i64::try_from(self.elements()).is_ok_and(|elements| elements > packed)
    }

    pub(super) fn read(&self, at: u64) -> Option<Vec<f32>> {
        let count = self.elements();
        Some(match self.kind {
            Kind::Float => memory::read::<f32>(at, count)?,
            Kind::Half => memory::read::<f16>(at, count)?
                .iter()
                .map(|it| it.to_f32())
                .collect(),
            Kind::Brain => memory::read::<bf16>(at, count)?
                .iter()
                .map(|it| it.to_f32())
                .collect(),
        })
    }

    /// Writes all elements and, unchanged, what is between them.
    pub(super) fn write(&self, at: u64, values: &[f32]) -> Option<()> {
        match self.kind {
            Kind::Float => memory::write(at, values),
            Kind::Half => {
                let values: Vec<f16> = values.iter().map(|it| f16::from_f32(*it)).collect();
                memory::write(at, &values)
            }
            Kind::Brain => {
                let values: Vec<bf16> = values.iter().map(|it| bf16::from_f32(*it)).collect();
                memory::write(at, &values)
            }
        }
    }

    /// Calls `each` with the indices of every element.
    pub(super) fn walk(&self, mut each: impl FnMut(i64, i64, i64, i64)) {
        let [images, channels, rows, columns] = self.size;
        for n in 0..images {
            for c in 0..channels {
                for h in 0..rows {
                    for w in 0..columns {
                        each(n, c, h, w);
                    }
                }
            }
        }
    }
}

/// `cudnnConvolutionDescriptor_t`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Convolution {
    pub(super) pad: [i64; 2],
    pub(super) step: [i64; 2],
    pub(super) dilation: [i64; 2],
    pub(super) groups: i64,
    pub(super) math: i32,
}

/// `cudnnPoolingDescriptor_t`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pooling {
    pub(super) mode: i32,
    pub(super) window: [i64; 2],
    pub(super) pad: [i64; 2],
    pub(super) step: [i64; 2],
}

/// `cudnnActivationDescriptor_t`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activation {
    pub(super) mode: i32,
    pub(super) coefficient: f64,
}

/// What a descriptor holds.
///
/// # Safety
///
/// `descriptor` is one of this library, of this type.
pub(super) unsafe fn held<T: Copy>(descriptor: *mut c_void) -> T {
    // SAFETY: the caller's descriptor is a box of this type, and nobody writes to it now.
    unsafe { descriptor.cast::<T>().read() }
}

/// Puts something into a descriptor.
///
/// # Safety
///
/// `descriptor` is one of this library, of this type.
unsafe fn hold<T: Copy>(descriptor: *mut c_void, value: T) -> Status {
    // SAFETY: the caller's descriptor is a box of this type, and nobody else uses it now.
    unsafe { descriptor.cast::<T>().write(value) };
    SUCCESS
}

macro_rules! descriptors {
    ($($create:ident $destroy:ident $type:ty;)*) => {$(
        /// # Safety
        ///
        /// `descriptor` points to a pointer.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $create(descriptor: *mut *mut c_void) -> Status {
            let made = Box::into_raw(Box::new(<$type>::default()));
            // SAFETY: the caller's pointer is to a pointer.
            unsafe { descriptor.write(made.cast()) };
            SUCCESS
        }

        /// # Safety
        ///
        /// `descriptor` is of this library, and not used again.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $destroy(descriptor: *mut c_void) -> Status {
            // SAFETY: the caller gives back what was made here.
            drop(unsafe { Box::from_raw(descriptor.cast::<$type>()) });
            SUCCESS
        }
    )*};
}

descriptors! {
    cudnnCreateTensorDescriptor cudnnDestroyTensorDescriptor Tensor;
    cudnnCreateFilterDescriptor cudnnDestroyFilterDescriptor Tensor;
    cudnnCreateConvolutionDescriptor cudnnDestroyConvolutionDescriptor Convolution;
    cudnnCreatePoolingDescriptor cudnnDestroyPoolingDescriptor Pooling;
    cudnnCreateActivationDescriptor cudnnDestroyActivationDescriptor Activation;
}

/// # Safety
///
/// `descriptor` is a tensor's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetTensor4dDescriptor(
    descriptor: *mut c_void,
    format: i32,
    kind: i32,
    n: i32,
    c: i32,
    h: i32,
    w: i32,
) -> Status {
    match Tensor::new(kind, format, [n, c, h, w].map(i64::from)) {
        // SAFETY: the caller's descriptor is a tensor's.
        Some(tensor) => unsafe { hold(descriptor, tensor) },
        None => bad_parameter(),
    }
}

/// # Safety
///
/// `descriptor` is a tensor's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetTensor4dDescriptorEx(
    descriptor: *mut c_void,
    kind: i32,
    n: i32,
    c: i32,
    h: i32,
    w: i32,
    n_stride: i32,
    c_stride: i32,
    h_stride: i32,
    w_stride: i32,
) -> Status {
    let Some(kind) = Kind::of(kind) else {
        return bad_parameter();
    };
    let tensor = Tensor {
        kind,
        size: [n, c, h, w].map(i64::from),
        stride: [n_stride, c_stride, h_stride, w_stride].map(i64::from),
    };
    // SAFETY: the caller's descriptor is a tensor's.
    unsafe { hold(descriptor, tensor) }
}

/// # Safety
///
/// `descriptor` is a tensor's, and the other pointers are to `int`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetTensor4dDescriptor(
    descriptor: *mut c_void,
    kind: *mut i32,
    n: *mut i32,
    c: *mut i32,
    h: *mut i32,
    w: *mut i32,
    n_stride: *mut i32,
    c_stride: *mut i32,
    h_stride: *mut i32,
    w_stride: *mut i32,
) -> Status {
    // SAFETY: the caller's descriptor is a tensor's.
    let tensor = unsafe { held::<Tensor>(descriptor) };
    let number = match tensor.kind {
        Kind::Float => 0,
        Kind::Half => 2,
        Kind::Brain => 9,
    };
    // SAFETY: the caller's pointer is to an `int`.
    unsafe { kind.write(number) };
    let mut stride = tensor.stride;
    if fault::on("cudnn-strides-confused") {
        stride.swap(1, 3);
    }
    let places = [n, c, h, w, n_stride, c_stride, h_stride, w_stride];
    for (place, value) in places
        .into_iter()
        .zip(tensor.size.into_iter().chain(stride))
    {
        let Ok(value) = i32::try_from(value) else {
            return bad_parameter();
        };
        // SAFETY: the caller's pointer is to an `int`.
        unsafe { place.write(value) };
    }
    SUCCESS
}

/// # Safety
///
/// `descriptor` is a filter's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetFilter4dDescriptor(
    descriptor: *mut c_void,
    kind: i32,
    format: i32,
    k: i32,
    c: i32,
    h: i32,
    w: i32,
) -> Status {
    match Tensor::new(kind, format, [k, c, h, w].map(i64::from)) {
        // SAFETY: the caller's descriptor is a filter's.
        Some(filter) => unsafe { hold(descriptor, filter) },
        None => bad_parameter(),
    }
}

/// # Safety
///
/// `descriptor` is a convolution's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetConvolution2dDescriptor(
    descriptor: *mut c_void,
    pad_h: i32,
    pad_w: i32,
    step_h: i32,
    step_w: i32,
    dilation_h: i32,
    dilation_w: i32,
    mode: i32,
    compute: i32,
) -> Status {
    // Only cross-correlation, summed in f32.
    if mode != 1 || compute != 0 {
        return bad_parameter();
    }
    let convolution = Convolution {
        pad: [pad_h, pad_w].map(i64::from),
        step: [step_h, step_w].map(i64::from),
        dilation: [dilation_h, dilation_w].map(i64::from),
        groups: 1,
        math: 0,
    };
    // SAFETY: the caller's descriptor is a convolution's.
    unsafe { hold(descriptor, convolution) }
}

/// # Safety
///
/// `descriptor` is a convolution's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetConvolutionMathType(
    descriptor: *mut c_void,
    math: i32,
) -> Status {
    // SAFETY: the caller's descriptor is a convolution's.
    let convolution = unsafe { held::<Convolution>(descriptor) };
    let convolution = Convolution {
        math,
        ..convolution
    };
    // SAFETY: as above.
    unsafe { hold(descriptor, convolution) }
}

/// # Safety
///
/// `descriptor` is a convolution's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetConvolutionGroupCount(
    descriptor: *mut c_void,
    groups: i32,
) -> Status {
    // SAFETY: the caller's descriptor is a convolution's.
    let convolution = unsafe { held::<Convolution>(descriptor) };
    let groups = i64::from(groups);
    let convolution = Convolution {
        groups,
        ..convolution
    };
    // SAFETY: as above.
    unsafe { hold(descriptor, convolution) }
}

/// # Safety
///
/// `descriptor` is a pooling's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetPooling2dDescriptor(
    descriptor: *mut c_void,
    mode: i32,
    _nan: i32,
    window_h: i32,
    window_w: i32,
    pad_h: i32,
    pad_w: i32,
    step_h: i32,
    step_w: i32,
) -> Status {
    let pooling = Pooling {
        mode,
        window: [window_h, window_w].map(i64::from),
        pad: [pad_h, pad_w].map(i64::from),
        step: [step_h, step_w].map(i64::from),
    };
    // SAFETY: the caller's descriptor is a pooling's.
    unsafe { hold(descriptor, pooling) }
}

/// # Safety
///
/// `descriptor` is an activation's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetActivationDescriptor(
    descriptor: *mut c_void,
    mode: i32,
    _nan: i32,
    coefficient: f64,
) -> Status {
    // SAFETY: the caller's descriptor is an activation's.
    unsafe { hold(descriptor, Activation { mode, coefficient }) }
}
