//! The functions of cuDNN, from `cudnn_ops_infer.h`, `cudnn_cnn_infer.h`, and `cudnn_backend.h` of 8.5.0, 8.9.6, and
//! 8.9.7, and from `cudnn_graph.h`, `cudnn_ops.h`, and `cudnn_cnn.h` of 9.1.0, 9.10.2, and 9.28.0.
//!
//! The signatures and the numbers below are the same in all of them; what only some releases have says so. The
//! status codes are not the same, so none of them is named here.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::ffi::CStr;

use crate::library::{DevicePointer, Handle, In, Out, SharedLibrary, Status, Words, abi};

/// Declares numbers of an enumeration of the header as constants of a type that C passes as an `int`.
macro_rules! numbers {
    ($(#[$about:meta])* $name:ident { $($constant:ident = $number:literal,)* }) => {
        $(#[$about])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) struct $name(pub(super) i32);

        impl $name {
            $(pub(super) const $constant: Self = Self($number);)*
        }
    };
}

numbers! {
    /// `cudnnDataType_t`.
    DataType { FLOAT = 0, HALF = 2, BFLOAT16 = 9, }
}
numbers! {
    /// `cudnnTensorFormat_t`.
    Format { NCHW = 0, NHWC = 1, }
}
numbers! {
    /// `cudnnMathType_t`: whether operands may be converted to what tensor cores take.
    MathType { TENSOR_OP = 1, FMA = 3, }
}
numbers! {
    /// `cudnnConvolutionMode_t`: whether the filter is turned around.
    ConvolutionMode { CROSS_CORRELATION = 1, }
}
numbers! {
    /// `cudnnConvolutionFwdAlgo_t`, those without transforms.
    Algorithm { IMPLICIT_GEMM = 0, IMPLICIT_PRECOMP_GEMM = 1, }
}
numbers! {
    /// `cudnnSoftmaxAlgorithm_t`.
    SoftmaxAlgorithm { ACCURATE = 1, }
}
numbers! {
    /// `cudnnSoftmaxMode_t`: over the channels of each pixel.
    SoftmaxMode { CHANNEL = 1, }
}
numbers! {
    /// `cudnnBatchNormMode_t`: one scale for each channel.
    BatchNormMode { SPATIAL = 1, }
}
numbers! {
    /// `cudnnPoolingMode_t`.
    PoolingMode { MAX = 0, AVERAGE_INCLUDE_PADDING = 1, AVERAGE_EXCLUDE_PADDING = 2, }
}
numbers! {
    /// `cudnnActivationMode_t`.
    ActivationMode { RELU = 1, CLIPPED_RELU = 3, }
}
numbers! {
    /// `cudnnNanPropagation_t`.
    NanPropagation { PROPAGATE = 1, }
}
numbers! {
    /// `libraryPropertyType` of `library_types.h`.
    Property { MAJOR = 0, MINOR = 1, PATCH = 2, }
}
numbers! {
    /// `cudnnBackendDescriptorType_t`. The last is only in version 9.
    Kind {
        POINTWISE = 0,
        CONVOLUTION = 1,
        ENGINE = 2,
        ENGINE_CONFIG = 3,
        ENGINE_HEURISTIC = 4,
        EXECUTION_PLAN = 5,
        OPERATION_CONVOLUTION_FORWARD = 10,
        OPERATION_POINTWISE = 13,
        OPERATION_GRAPH = 15,
        VARIANT_PACK = 16,
        TENSOR = 17,
        DEVICE_PROPERTIES = 38,
    }
}
numbers! {
    /// `cudnnBackendAttributeName_t`. What names a device is only in version 9.
    Attribute {
        POINTWISE_MODE = 0,
        POINTWISE_MATH_PREC = 1,
        CONVOLUTION_COMP_TYPE = 100,
        CONVOLUTION_CONV_MODE = 101,
        CONVOLUTION_DILATIONS = 102,
        CONVOLUTION_FILTER_STRIDES = 103,
        CONVOLUTION_POST_PADDINGS = 104,
        CONVOLUTION_PRE_PADDINGS = 105,
        CONVOLUTION_SPATIAL_DIMS = 106,
        HEURISTIC_MODE = 200,
        HEURISTIC_GRAPH = 201,
        HEURISTIC_RESULTS = 202,
        HEURISTIC_DEVICE = 204,
        CONFIG_ENGINE = 300,
        PLAN_HANDLE = 400,
        PLAN_CONFIG = 401,
        PLAN_WORKSPACE_SIZE = 402,
        PLAN_DEVICE = 407,
        FORWARD_ALPHA = 700,
        FORWARD_BETA = 701,
        FORWARD_CONVOLUTION = 702,
        FORWARD_W = 703,
        FORWARD_X = 704,
        FORWARD_Y = 705,
        POINTWISE_DESCRIPTOR = 750,
        POINTWISE_X = 751,
        POINTWISE_B = 752,
        POINTWISE_Y = 753,
        GRAPH_HANDLE = 800,
        GRAPH_OPERATIONS = 801,
        GRAPH_ENGINE_COUNT = 802,
        TENSOR_ALIGNMENT = 900,
        TENSOR_DATA_TYPE = 901,
        TENSOR_DIMENSIONS = 902,
        TENSOR_STRIDES = 903,
        TENSOR_UNIQUE_ID = 906,
        TENSOR_IS_VIRTUAL = 907,
        PACK_UNIQUE_IDS = 1000,
        PACK_DATA_POINTERS = 1001,
        PACK_WORKSPACE = 1003,
        ENGINE_GRAPH = 1300,
        ENGINE_GLOBAL_INDEX = 1301,
        ENGINE_NUMERICAL_NOTE = 1303,
        ENGINE_BEHAVIOR_NOTE = 1305,
        ENGINE_DEVICE = 1307,
        DEVICE_DESCRIPTION = 2702,
    }
}
numbers! {
    /// `cudnnBackendAttributeType_t`.
    Type {
        HANDLE = 0,
        DATA_TYPE = 1,
        BOOLEAN = 2,
        INT64 = 3,
        FLOAT = 4,
        VOID_PTR = 6,
        CONVOLUTION_MODE = 7,
        HEURISTIC_MODE = 8,
        NUMERICAL_NOTE = 11,
        POINTWISE_MODE = 14,
        DESCRIPTOR = 15,
        BEHAVIOR_NOTE = 19,
        CHAR = 24,
    }
}
numbers! {
    /// `cudnnBackendHeurMode_t`.
    HeuristicMode { FALLBACK = 2, A = 3, }
}
numbers! {
    /// `cudnnPointwiseMode_t`.
    PointwiseMode { ADD = 0, MUL = 1, RELU_FORWARD = 100, }
}
numbers! {
    /// `cudnnBackendNumericalNote_t`: why an engine's result may differ from the sum of products.
    NumericalNote {
        REDUCED_PRECISION_REDUCTION = 2,
        FFT = 3,
        WINOGRAD = 5,
        WINOGRAD_TILE_4 = 6,
        WINOGRAD_TILE_6 = 7,
        WINOGRAD_TILE_13 = 8,
    }
}
numbers! {
    /// `cudnnBackendBehaviorNote_t`.
    BehaviorNote { RUNTIME_COMPILATION = 0, }
}

abi! {
    /// libcudnn, which passes its calls on to its parts.
    Cudnn;
    /// 8907 is 8.9.7, 92800 is 9.28.0. Ends the process with SIGABRT where the part that knows is missing.
    fn version = c"cudnnGetVersion"() -> usize;
    /// The CUDA runtime inside: 12090 is 12.9.
    fn cudart_version = c"cudnnGetCudartVersion"() -> usize;
    /// The newest compute capability that it was made for: 1210 is 12.1. Releases before 8.6 lack it.
    fn max_device_version = c"cudnnGetMaxDeviceVersion"() -> usize;
    /// The version, number by number.
    fn property = c"cudnnGetProperty"(property: Property, value: &mut i32) -> Status;
    /// The name of a status.
    fn error_string = c"cudnnGetErrorString"(status: Status) -> Words;
    /// What failed last on this thread, with a NUL at its end; since version 9.
    fn last_error = c"cudnnGetLastErrorString"(message: Out<'_, u8>, size: usize) -> ();

    /// Of version 9.
    fn graph_check = c"cudnnGraphVersionCheck"() -> Status;
    /// Of version 9.
    fn ops_check = c"cudnnOpsVersionCheck"() -> Status;
    /// Of version 9.
    fn cnn_check = c"cudnnCnnVersionCheck"() -> Status;
    /// Of version 9.
    fn adv_check = c"cudnnAdvVersionCheck"() -> Status;
    /// Of version 8.
    fn ops_infer_check = c"cudnnOpsInferVersionCheck"() -> Status;
    /// Of version 8.
    fn ops_train_check = c"cudnnOpsTrainVersionCheck"() -> Status;
    /// Of version 8.
    fn cnn_infer_check = c"cudnnCnnInferVersionCheck"() -> Status;
    /// Of version 8.
    fn cnn_train_check = c"cudnnCnnTrainVersionCheck"() -> Status;
    /// Of version 8.
    fn adv_infer_check = c"cudnnAdvInferVersionCheck"() -> Status;
    /// Of version 8.
    fn adv_train_check = c"cudnnAdvTrainVersionCheck"() -> Status;

    fn create = c"cudnnCreate"(handle: &mut Handle) -> Status;
    fn destroy = c"cudnnDestroy"(handle: Handle) -> Status;
    fn set_stream = c"cudnnSetStream"(handle: Handle, stream: usize) -> Status;
    fn stream = c"cudnnGetStream"(handle: Handle, stream: &mut usize) -> Status;

    fn create_tensor = c"cudnnCreateTensorDescriptor"(descriptor: &mut Handle) -> Status;
    fn destroy_tensor = c"cudnnDestroyTensorDescriptor"(descriptor: Handle) -> Status;
    fn set_tensor = c"cudnnSetTensor4dDescriptor"(
        descriptor: Handle, format: Format, kind: DataType, n: i32, c: i32, h: i32, w: i32,
    ) -> Status;
    fn set_tensor_strides = c"cudnnSetTensor4dDescriptorEx"(
        descriptor: Handle, kind: DataType, n: i32, c: i32, h: i32, w: i32,
        n_stride: i32, c_stride: i32, h_stride: i32, w_stride: i32,
    ) -> Status;
    fn tensor = c"cudnnGetTensor4dDescriptor"(
        descriptor: Handle, kind: &mut i32, n: &mut i32, c: &mut i32, h: &mut i32, w: &mut i32,
        n_stride: &mut i32, c_stride: &mut i32, h_stride: &mut i32, w_stride: &mut i32,
    ) -> Status;
    fn create_filter = c"cudnnCreateFilterDescriptor"(descriptor: &mut Handle) -> Status;
    fn destroy_filter = c"cudnnDestroyFilterDescriptor"(descriptor: Handle) -> Status;
    fn set_filter = c"cudnnSetFilter4dDescriptor"(
        descriptor: Handle, kind: DataType, format: Format, k: i32, c: i32, h: i32, w: i32,
    ) -> Status;

    fn create_convolution = c"cudnnCreateConvolutionDescriptor"(descriptor: &mut Handle) -> Status;
    fn destroy_convolution = c"cudnnDestroyConvolutionDescriptor"(descriptor: Handle) -> Status;
    fn set_convolution = c"cudnnSetConvolution2dDescriptor"(
        descriptor: Handle, pad_h: i32, pad_w: i32, stride_h: i32, stride_w: i32,
        dilation_h: i32, dilation_w: i32, mode: ConvolutionMode, compute: DataType,
    ) -> Status;
    fn set_math = c"cudnnSetConvolutionMathType"(descriptor: Handle, math: MathType) -> Status;
    fn set_groups = c"cudnnSetConvolutionGroupCount"(descriptor: Handle, groups: i32) -> Status;
    fn convolution_output = c"cudnnGetConvolution2dForwardOutputDim"(
        convolution: Handle, x: Handle, w: Handle,
        n: &mut i32, c: &mut i32, h: &mut i32, width: &mut i32,
    ) -> Status;
    /// In bytes.
    fn convolution_workspace = c"cudnnGetConvolutionForwardWorkspaceSize"(
        handle: Handle, x: Handle, w: Handle, convolution: Handle, y: Handle,
        algorithm: Algorithm, size: &mut usize,
    ) -> Status;
    fn convolve = c"cudnnConvolutionForward"(
        handle: Handle, alpha: &f32, x_descriptor: Handle, x: DevicePointer,
        w_descriptor: Handle, w: DevicePointer, convolution: Handle, algorithm: Algorithm,
        workspace: DevicePointer, workspace_size: usize,
        beta: &f32, y_descriptor: Handle, y: DevicePointer,
    ) -> Status;

    fn softmax = c"cudnnSoftmaxForward"(
        handle: Handle, algorithm: SoftmaxAlgorithm, mode: SoftmaxMode,
        alpha: &f32, x_descriptor: Handle, x: DevicePointer,
        beta: &f32, y_descriptor: Handle, y: DevicePointer,
    ) -> Status;
    fn batch_norm = c"cudnnBatchNormalizationForwardInference"(
        handle: Handle, mode: BatchNormMode, alpha: &f32, beta: &f32,
        x_descriptor: Handle, x: DevicePointer, y_descriptor: Handle, y: DevicePointer,
        channel_descriptor: Handle, scale: DevicePointer, bias: DevicePointer,
        mean: DevicePointer, variance: DevicePointer, epsilon: f64,
    ) -> Status;
    fn create_pooling = c"cudnnCreatePoolingDescriptor"(descriptor: &mut Handle) -> Status;
    fn destroy_pooling = c"cudnnDestroyPoolingDescriptor"(descriptor: Handle) -> Status;
    fn set_pooling = c"cudnnSetPooling2dDescriptor"(
        descriptor: Handle, mode: PoolingMode, nan: NanPropagation, window_h: i32, window_w: i32,
        pad_h: i32, pad_w: i32, stride_h: i32, stride_w: i32,
    ) -> Status;
    fn pooling_output = c"cudnnGetPooling2dForwardOutputDim"(
        pooling: Handle, x: Handle, n: &mut i32, c: &mut i32, h: &mut i32, w: &mut i32,
    ) -> Status;
    fn pool = c"cudnnPoolingForward"(
        handle: Handle, pooling: Handle, alpha: &f32, x_descriptor: Handle, x: DevicePointer,
        beta: &f32, y_descriptor: Handle, y: DevicePointer,
    ) -> Status;
    fn create_activation = c"cudnnCreateActivationDescriptor"(descriptor: &mut Handle) -> Status;
    fn destroy_activation = c"cudnnDestroyActivationDescriptor"(descriptor: Handle) -> Status;
    fn set_activation = c"cudnnSetActivationDescriptor"(
        descriptor: Handle, mode: ActivationMode, nan: NanPropagation, coefficient: f64,
    ) -> Status;
    fn activate = c"cudnnActivationForward"(
        handle: Handle, activation: Handle, alpha: &f32, x_descriptor: Handle, x: DevicePointer,
        beta: &f32, y_descriptor: Handle, y: DevicePointer,
    ) -> Status;

    fn create_descriptor = c"cudnnBackendCreateDescriptor"(kind: Kind, descriptor: &mut Handle) -> Status;
    fn destroy_descriptor = c"cudnnBackendDestroyDescriptor"(descriptor: Handle) -> Status;
    fn finalize = c"cudnnBackendFinalize"(descriptor: Handle) -> Status;
    /// Enumerations: an `int` each.
    fn set_numbers = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, i32>,
    ) -> Status;
    fn set_integers = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, i64>,
    ) -> Status;
    fn set_floats = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, f32>,
    ) -> Status;
    fn set_booleans = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, bool>,
    ) -> Status;
    fn set_text = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, u8>,
    ) -> Status;
    /// Descriptors, or the library's handle.
    fn set_handles = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, Handle>,
    ) -> Status;
    fn set_pointers = c"cudnnBackendSetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, count: i64, values: In<'_, DevicePointer>,
    ) -> Status;
    fn numbers = c"cudnnBackendGetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, requested: i64, count: &mut i64,
        values: Out<'_, i32>,
    ) -> Status;
    fn integers = c"cudnnBackendGetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, requested: i64, count: &mut i64,
        values: Out<'_, i64>,
    ) -> Status;
    /// Fills in descriptors that the caller has created.
    fn descriptors = c"cudnnBackendGetAttribute"(
        descriptor: Handle, attribute: Attribute, kind: Type, requested: i64, count: &mut i64,
        values: Out<'_, Handle>,
    ) -> Status;
    fn execute = c"cudnnBackendExecute"(handle: Handle, plan: Handle, pack: Handle) -> Status;
}

/// The version that some parts carry as a constant of 32 bits under this name: major, minor, and patch, a byte each.
pub(super) fn stamp(part: &SharedLibrary, name: &CStr) -> Option<u32> {
    // SAFETY: a pointer has the size of a function pointer, and every address is a value of it.
    let constant = unsafe { part.function::<*const u32>(name) }?;
    if constant.is_null() {
        return None;
    }
    // SAFETY: in every part of cuDNN that has it, the symbol is an object of four bytes, and libraries are never closed.
    Some(unsafe { constant.read_unaligned() })
}
