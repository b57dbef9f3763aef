//! Descriptors of the older functions.

use std::ffi::c_void;

use super::tensor::{Kind, Tensor};
use super::{SUCCESS, Status, bad_parameter};
use crate::fault;

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
