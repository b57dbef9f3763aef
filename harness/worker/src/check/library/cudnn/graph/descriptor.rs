//! Descriptors of cuDNN's graphs: each is created, given its attributes one by one, and then made final.

use super::super::super::{Stop, Verdict};
use super::super::ffi::{
    Attribute, ConvolutionMode, DataType, HeuristicMode, Kind, PointwiseMode, Type,
};
use super::super::reference::{Geometry, Layout};
use super::super::session::{Number, Session};
use crate::library::{DevicePointer, Handle, In, Status};

/// What every address that a test hands over is a multiple of, in bytes.
const ALIGNMENT: i64 = 16;

/// A descriptor that gets its attributes.
pub(super) struct Descriptor<'s, 'a> {
    session: &'s Session<'a>,
    pub(super) handle: Handle,
}

impl<'s, 'a> Descriptor<'s, 'a> {
    pub(super) fn new(session: &'s Session<'a>, kind: Kind) -> Result<Self, Stop> {
        let mut handle = Handle::NULL;
        let status = session.api.create_descriptor(kind, &mut handle);
        session.opened.ok(status)?;
        Ok(Self { session, handle })
    }

    pub(super) fn number(self, attribute: Attribute, kind: Type, value: i32) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let values = [value];
        opened.ok(api.set_numbers(self.handle, attribute, kind, 1, In::from(&values)))?;
        Ok(self)
    }

    pub(super) fn integers(self, attribute: Attribute, values: &[i64]) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let count = counted(values);
        let set = api.set_integers(self.handle, attribute, Type::INT64, count, In::from(values));
        opened.ok(set)?;
        Ok(self)
    }

    pub(super) fn float(self, attribute: Attribute, value: f32) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let values = [value];
        opened.ok(api.set_floats(self.handle, attribute, Type::FLOAT, 1, In::from(&values)))?;
        Ok(self)
    }

    /// A tensor that never lies in memory.
    fn virtually(self) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let (attribute, values) = (Attribute::TENSOR_IS_VIRTUAL, [true]);
        opened.ok(api.set_booleans(self.handle, attribute, Type::BOOLEAN, 1, In::from(&values)))?;
        Ok(self)
    }

    pub(super) fn descriptors(self, attribute: Attribute, values: &[Handle]) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let (kind, count) = (Type::DESCRIPTOR, counted(values));
        opened.ok(api.set_handles(self.handle, attribute, kind, count, In::from(values)))?;
        Ok(self)
    }

    /// The handle of the session, if it has one.
    pub(super) fn library(self, attribute: Attribute) -> Result<Self, Stop> {
        let Session {
            opened,
            api,
            handle,
            ..
        } = self.session;
        if *handle == Handle::NULL {
            return Ok(self);
        }
        let values = [*handle];
        opened.ok(api.set_handles(self.handle, attribute, Type::HANDLE, 1, In::from(&values)))?;
        Ok(self)
    }

    /// The description of the session's device, if it is for one that is not here.
    pub(super) fn device(self, attribute: Attribute) -> Result<Self, Stop> {
        match self.session.device {
            Some(device) => self.descriptors(attribute, &[device]),
            None => Ok(self),
        }
    }

    pub(super) fn text(self, attribute: Attribute, text: &str) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let bytes = text.as_bytes();
        let (kind, count) = (Type::CHAR, counted(bytes));
        opened.ok(api.set_text(self.handle, attribute, kind, count, In::from(bytes)))?;
        Ok(self)
    }

    pub(super) fn pointers(
        self,
        attribute: Attribute,
        values: &[DevicePointer],
    ) -> Result<Self, Stop> {
        let Session { opened, api, .. } = self.session;
        let (kind, count) = (Type::VOID_PTR, counted(values));
        opened.ok(api.set_pointers(self.handle, attribute, kind, count, In::from(values)))?;
        Ok(self)
    }

    pub(super) fn finished(self) -> Result<Handle, Stop> {
        let status = self.status_of_finishing()?;
        if status == Status(0) {
            Ok(self.handle)
        } else {
            Err(self.session.opened.refused("cudnnBackendFinalize", status))
        }
    }

    /// For descriptors that the library may refuse.
    pub(super) fn status_of_finishing(&self) -> Result<Status, Stop> {
        let Session { opened, api, .. } = self.session;
        opened.value(api.finalize(self.handle))
    }

    pub(super) fn destroyed(self) -> Verdict {
        let Session { opened, api, .. } = self.session;
        opened.ok(api.destroy_descriptor(self.handle))
    }
}

fn counted<T>(values: &[T]) -> i64 {
    i64::try_from(values.len()).expect("the tests have few values")
}

fn wide<const N: usize>(sizes: [usize; N]) -> [i64; N] {
    sizes.map(|size| i64::try_from(size).expect("the shapes of the tests are small"))
}

/// A tensor that lies in memory, and goes by this number in a variant pack.
pub(super) fn tensor<T: Number>(
    session: &Session<'_>,
    layout: &Layout,
    number: i64,
) -> Result<Handle, Stop> {
    described(session, layout, number, T::TYPE)?.finished()
}

/// A tensor of f32 between two operations, which never lies in memory.
pub(super) fn between(session: &Session<'_>, layout: &Layout, number: i64) -> Result<Handle, Stop> {
    described(session, layout, number, DataType::FLOAT)?
        .virtually()?
        .finished()
}

fn described<'s, 'a>(
    session: &'s Session<'a>,
    layout: &Layout,
    number: i64,
    kind: DataType,
) -> Result<Descriptor<'s, 'a>, Stop> {
    Descriptor::new(session, Kind::TENSOR)?
        .number(Attribute::TENSOR_DATA_TYPE, Type::DATA_TYPE, kind.0)?
        .integers(Attribute::TENSOR_DIMENSIONS, &wide(layout.extents))?
        .integers(Attribute::TENSOR_STRIDES, &wide(layout.strides))?
        .integers(Attribute::TENSOR_UNIQUE_ID, &[number])?
        .integers(Attribute::TENSOR_ALIGNMENT, &[ALIGNMENT])
}

/// y = x ∗ w, summed in f32.
pub(super) fn convolution(
    session: &Session<'_>,
    geometry: &Geometry,
    [x, w, y]: [Handle; 3],
) -> Result<Handle, Stop> {
    let compute = DataType::FLOAT.0;
    let mode = ConvolutionMode::CROSS_CORRELATION.0;
    let padding = wide(geometry.padding);
    let descriptor = Descriptor::new(session, Kind::CONVOLUTION)?
        .number(Attribute::CONVOLUTION_COMP_TYPE, Type::DATA_TYPE, compute)?
        .number(
            Attribute::CONVOLUTION_CONV_MODE,
            Type::CONVOLUTION_MODE,
            mode,
        )?
        .integers(Attribute::CONVOLUTION_SPATIAL_DIMS, &[2])?
        .integers(Attribute::CONVOLUTION_PRE_PADDINGS, &padding)?
        .integers(Attribute::CONVOLUTION_POST_PADDINGS, &padding)?
        .integers(
            Attribute::CONVOLUTION_FILTER_STRIDES,
            &wide(geometry.stride),
        )?
        .integers(Attribute::CONVOLUTION_DILATIONS, &wide(geometry.dilation))?
        .finished()?;
    Descriptor::new(session, Kind::OPERATION_CONVOLUTION_FORWARD)?
        .descriptors(Attribute::FORWARD_CONVOLUTION, &[descriptor])?
        .descriptors(Attribute::FORWARD_X, &[x])?
        .descriptors(Attribute::FORWARD_W, &[w])?
        .descriptors(Attribute::FORWARD_Y, &[y])?
        .float(Attribute::FORWARD_ALPHA, 1.0)?
        .float(Attribute::FORWARD_BETA, 0.0)?
        .finished()
}

/// y = x + b, or y = x · b.
pub(super) fn combination(
    session: &Session<'_>,
    mode: PointwiseMode,
    [x, b, y]: [Handle; 3],
) -> Result<Handle, Stop> {
    Descriptor::new(session, Kind::OPERATION_POINTWISE)?
        .descriptors(
            Attribute::POINTWISE_DESCRIPTOR,
            &[pointwise(session, mode)?],
        )?
        .descriptors(Attribute::POINTWISE_X, &[x])?
        .descriptors(Attribute::POINTWISE_B, &[b])?
        .descriptors(Attribute::POINTWISE_Y, &[y])?
        .finished()
}

/// y = max(x, 0).
pub(super) fn rectification(session: &Session<'_>, [x, y]: [Handle; 2]) -> Result<Handle, Stop> {
    Descriptor::new(session, Kind::OPERATION_POINTWISE)?
        .descriptors(
            Attribute::POINTWISE_DESCRIPTOR,
            &[pointwise(session, PointwiseMode::RELU_FORWARD)?],
        )?
        .descriptors(Attribute::POINTWISE_X, &[x])?
        .descriptors(Attribute::POINTWISE_Y, &[y])?
        .finished()
}

fn pointwise(session: &Session<'_>, mode: PointwiseMode) -> Result<Handle, Stop> {
    Descriptor::new(session, Kind::POINTWISE)?
        .number(Attribute::POINTWISE_MODE, Type::POINTWISE_MODE, mode.0)?
        .number(
            Attribute::POINTWISE_MATH_PREC,
            Type::DATA_TYPE,
            DataType::FLOAT.0,
        )?
        .finished()
}

/// A graph of operations.
pub(super) fn graph(session: &Session<'_>, operations: &[Handle]) -> Result<Handle, Stop> {
    Descriptor::new(session, Kind::OPERATION_GRAPH)?
        .library(Attribute::GRAPH_HANDLE)?
        .descriptors(Attribute::GRAPH_OPERATIONS, operations)?
        .finished()
}

/// A choice of engines for a graph.
pub(super) fn heuristic(
    session: &Session<'_>,
    graph: Handle,
    mode: HeuristicMode,
) -> Result<Handle, Stop> {
    Descriptor::new(session, Kind::ENGINE_HEURISTIC)?
        .descriptors(Attribute::HEURISTIC_GRAPH, &[graph])?
        .number(Attribute::HEURISTIC_MODE, Type::HEURISTIC_MODE, mode.0)?
        .device(Attribute::HEURISTIC_DEVICE)?
        .finished()
}
