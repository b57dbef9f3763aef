//! What every operation of cuTENSOR needs around it: the handle, descriptors, a plan, and a workspace.

use std::cell::RefCell;

use super::super::bench::Buffer;
use super::super::exact::{self, Real};
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{
    ALGO_DEFAULT, Compute, Cutensor, DataType, Jit, REQUIRED_WORKSPACE, SCALAR_TYPE,
    WORKSPACE_DEFAULT,
};
use super::tensor::Tensor;
use crate::library::{Called, DevicePointer, Handle, In, Status};

/// Every array of a bench begins at a multiple of 256 bytes; this is what the examples of cuTENSOR promise.
const ALIGNMENT: u32 = 128;

/// A handle of the library, and what was made with it.
pub(super) struct Session<'a> {
    opened: &'a Opened<'a>,
    pub(super) bench: &'a Bench<'a>,
    pub(super) api: Cutensor<'a>,
    pub(super) handle: Handle,
    made: RefCell<Vec<Made>>,
}

/// Something that is destroyed at the end.
#[derive(Clone, Copy)]
enum Made {
    Tensor(Handle),
    Operation(Handle),
    Preference(Handle),
    Plan(Handle),
}

/// An operation that is ready to run.
pub(super) struct Plan {
    pub(super) handle: Handle,
    pub(super) workspace: DevicePointer,
    pub(super) workspace_bytes: u64,
    /// The type of its scaling factors.
    scalar: DataType,
}

impl<'a> Session<'a> {
    pub(super) fn new(opened: &'a Opened<'a>, bench: &'a Bench<'a>) -> Result<Self, Stop> {
        let api = Cutensor::new(&opened.library);
        let mut handle = Handle::NULL;
        opened.ok(api.create(&mut handle))?;
        bench.computes();
        Ok(Self {
            opened,
            bench,
            api,
            handle,
            made: RefCell::new(Vec::new()),
        })
    }

    pub(super) fn ok(&self, called: Called<Status>) -> Verdict {
        self.opened.ok(called)
    }

    /// The descriptor of a precision.
    pub(super) fn compute(&self, compute: Compute) -> Result<Handle, Stop> {
        self.opened.value(Called {
            function: compute.0,
            value: compute.descriptor(&self.opened.library),
        })
    }

    /// The descriptor of a tensor.
    pub(super) fn tensor(&self, tensor: &Tensor, data: DataType) -> Result<Handle, Stop> {
        let numbers = |values: &[usize]| -> Vec<i64> {
            let number = |value: &usize| i64::try_from(*value).unwrap_or(i64::MAX);
            values.iter().map(number).collect()
        };
        let (extents, strides) = (numbers(&tensor.extents), numbers(&tensor.strides));
        let modes = u32::try_from(tensor.modes.len()).unwrap_or(u32::MAX);
        let mut descriptor = Handle::NULL;
        self.ok(self.api.create_tensor(
            self.handle,
            &mut descriptor,
            modes,
            In::from(extents.as_slice()),
            In::from(strides.as_slice()),
            data,
            ALIGNMENT,
        ))?;
        self.made.borrow_mut().push(Made::Tensor(descriptor));
        Ok(descriptor)
    }

    /// A plan for an operation, which is kept until the end, on kernels that the library brings.
    pub(super) fn plan(&self, operation: Handle) -> Result<Plan, Stop> {
        self.plan_with(operation, Jit::NONE)
    }

    /// The same, on kernels that the library brings or compiles.
    pub(super) fn plan_with(&self, operation: Handle, jit: Jit) -> Result<Plan, Stop> {
        self.made.borrow_mut().push(Made::Operation(operation));
        let mut scalar = [0; 4];
        let bytes = scalar.len();
        let asked = self.api.operation_attribute(
            self.handle,
            operation,
            SCALAR_TYPE,
            (&mut scalar).into(),
            bytes,
        );
        self.ok(asked)?;
        let mut preference = Handle::NULL;
        self.ok(self
            .api
            .create_preference(self.handle, &mut preference, ALGO_DEFAULT, jit))?;
        self.made.borrow_mut().push(Made::Preference(preference));
        let mut limit = 0;
        self.ok(self.api.estimate_workspace(
            self.handle,
            operation,
            preference,
            WORKSPACE_DEFAULT,
            &mut limit,
        ))?;
        let limit = limit.min(self.bench.budget / 4);
        let mut plan = Handle::NULL;
        self.ok(self
            .api
            .create_plan(self.handle, &mut plan, operation, preference, limit))?;
        self.made.borrow_mut().push(Made::Plan(plan));
        let mut required = [0; 8];
        let bytes = required.len();
        let asked = self.api.plan_attribute(
            self.handle,
            plan,
            REQUIRED_WORKSPACE,
            (&mut required).into(),
            bytes,
        );
        self.ok(asked)?;
        let workspace_bytes = u64::from_le_bytes(required);
        self.opened
            .note("workspace-bytes", workspace_bytes.to_string());
        let workspace = if workspace_bytes == 0 {
            DevicePointer::NULL
        } else {
            self.workspace(workspace_bytes)?.at
        };
        Ok(Plan {
            handle: plan,
            workspace,
            workspace_bytes,
            scalar: DataType(i32::from_le_bytes(scalar)),
        })
    }

    fn workspace(&self, bytes: u64) -> Result<Buffer, Stop> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.bench.poisoned::<u8>(bytes)
    }

    /// Destroys everything that was made.
    pub(super) fn close(self) -> Verdict {
        for made in self.made.borrow().iter().rev() {
            self.ok(match *made {
                Made::Tensor(handle) => self.api.destroy_tensor(handle),
                Made::Operation(handle) => self.api.destroy_operation(handle),
                Made::Preference(handle) => self.api.destroy_preference(handle),
                Made::Plan(handle) => self.api.destroy_plan(handle),
            })?;
        }
        self.ok(self.api.destroy(self.handle))
    }
}

impl Plan {
    /// A scaling factor as the operation takes it.
    pub(super) fn scalar(&self, value: f64) -> Vec<u8> {
        match self.scalar {
            DataType::R_64F => exact::bytes(&[value]),
            DataType::R_16F => exact::bytes(&[half::f16::of(value)]),
            _ => exact::bytes(&[f32::of(value)]),
        }
    }
}

/// The letters of a tensor's modes as the library takes them.
pub(super) fn modes(tensor: &Tensor) -> Vec<i32> {
    let number = |mode: &char| i32::try_from(u32::from(*mode)).unwrap_or(0);
    tensor.modes.iter().map(number).collect()
}
