//! Modules and their functions: loading, finding by name, and the attributes of a function.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::jit::{self, Image, JitLog, JitRequest};
use super::machine::{Handle, Machine};
use super::status::Status;
use crate::exec::Loaded;
use crate::ptx::{Entry, Parameter};

/// A loaded module.
#[derive(Debug)]
pub(crate) struct Module {
    pub(super) context: Handle,
    pub(super) loaded: Loaded,
    /// Handles of the functions that were asked for, by name.
    functions: BTreeMap<String, Handle>,
}

/// A kernel of a module.
#[derive(Debug)]
pub(crate) struct Function {
    pub(super) module: Handle,
    pub(super) name: String,
    /// `CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES`, where the caller has set it.
    pub(super) dynamic_shared: Option<u32>,
    /// `CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT`.
    carveout: i32,
}

impl Machine {
    /// `cuModuleLoadDataEx`.
    pub(crate) fn load_module(
        &mut self,
        context: Handle,
        image: Image<'_>,
        request: JitRequest,
        log: &mut JitLog,
    ) -> Result<Handle, Status> {
        let ordinal = self.context(context)?.device;
        let configuration = self.configuration()?;
        let isa_max = configuration.profile.driver.ptx_isa_max;
        let jit = configuration.jit;
        let device = self.device(ordinal)?.compute_capability;
        let module = jit::compile(image, isa_max, device, jit, request, log)?;
        let memory = &mut self.visible_device_mut(ordinal)?.memory;
        let loaded = Loaded::load(Arc::new(module), memory).map_err(|_| Status::OUT_OF_MEMORY)?;
        let handle = self.new_handle();
        self.modules.insert(
            handle,
            Module {
                context,
                loaded,
                functions: BTreeMap::new(),
            },
        );
        Ok(handle)
    }

    /// `cuModuleUnload`, which waits for the kernels of the module.
    pub(crate) fn unload_module(&mut self, context: Handle, module: Handle) -> Result<(), Status> {
        self.synchronise(context)?;
        self.module(module)?;
        self.drop_module(module);
        Ok(())
    }

    pub(super) fn drop_module(&mut self, handle: Handle) {
        let Some(module) = self.modules.remove(&handle) else {
            return;
        };
        self.functions
            .retain(|_, function| function.module != handle);
        let ordinal = self.device_of(module.context);
        if let Ok(device) = ordinal.and_then(|ordinal| self.visible_device_mut(ordinal)) {
            module.loaded.unload(&mut device.memory);
        }
    }

    fn module(&self, handle: Handle) -> Result<&Module, Status> {
        self.modules.get(&handle).ok_or(Status::INVALID_HANDLE)
    }

    /// `cuModuleGetFunction`: the same handle whenever the same name is asked for.
    pub(crate) fn find_function(&mut self, module: Handle, name: &str) -> Result<Handle, Status> {
        let owner = self.module(module)?;
        let context = owner.context;
        let known = owner.functions.get(name).copied();
        let exists = owner.loaded.module().entry(name).is_some();
        self.context(context)?;
        if let Some(handle) = known {
            return Ok(handle);
        }
        if !exists {
            return Err(Status::NOT_FOUND);
        }
        let handle = self.new_handle();
        self.functions.insert(
            handle,
            Function {
                module,
                name: name.to_owned(),
                dynamic_shared: None,
                carveout: -1,
            },
        );
        if let Some(owner) = self.modules.get_mut(&module) {
            owner.functions.insert(name.to_owned(), handle);
        }
        Ok(handle)
    }

    /// `cuModuleGetGlobal`: address and size.
    pub(crate) fn find_variable(
        &mut self,
        module: Handle,
        name: &str,
    ) -> Result<(u64, u64), Status> {
        let owner = self.module(module)?;
        let found = owner.loaded.variable(name);
        let context = owner.context;
        self.context(context)?;
        found.ok_or(Status::NOT_FOUND)
    }

    /// `cuModuleGetFunctionCount`.
    pub(crate) fn function_count(&self, module: Handle) -> Result<usize, Status> {
        Ok(self.module(module)?.loaded.module().entries().count())
    }

    /// A function, the kernel behind it, and the module it belongs to.
    pub(super) fn function(&self, handle: Handle) -> Result<(&Function, &Entry, &Module), Status> {
        let function = self.functions.get(&handle).ok_or(Status::INVALID_HANDLE)?;
        let module = self.module(function.module)?;
        let entry = module.loaded.module().entry(&function.name);
        Ok((function, entry.ok_or(Status::INVALID_HANDLE)?, module))
    }

    /// `cuFuncGetModule`.
    pub(crate) fn module_of(&self, handle: Handle) -> Result<Handle, Status> {
        Ok(self.function(handle)?.0.module)
    }

    /// Name and context of a function.
    pub(crate) fn identity_of(&self, handle: Handle) -> Result<(&str, Handle), Status> {
        let (function, _, module) = self.function(handle)?;
        Ok((&function.name, module.context))
    }

    /// The parameters of a function, and the bytes of all of them.
    pub(crate) fn parameters(&self, handle: Handle) -> Result<(Vec<Parameter>, usize), Status> {
        let (_, entry, _) = self.function(handle)?;
        Ok((entry.parameters.clone(), entry.parameter_bytes))
    }

    /// `cuFuncGetAttribute`.
    pub(crate) fn function_attribute(&self, handle: Handle, number: u32) -> Result<i32, Status> {
        let (function, entry, module) = self.function(handle)?;
        let capability = self.profile_of(module.context)?.compute_capability;
        let capability = capability.major * 10 + capability.minor;
        let value = match number {
            0 => self.block_limit(module.context, entry)?,
            1 => entry.static_shared,
            // Constant memory is not counted by function here; and no cache mode is forced.
            2 | 7 => 0,
            3 => entry.local_bytes,
            4 => registers(entry),
            // PTX is compiled for the device at hand, so both versions are the device's.
            5 | 6 => capability,
            8 => self.dynamic_shared_limit(function, entry),
            9 => return Ok(function.carveout),
            10..=15 => 0,
            _ => return Err(Status::INVALID_VALUE),
        };
        i32::try_from(value).map_err(|_| Status::INVALID_VALUE)
    }

    /// `cuFuncSetAttribute`.
    pub(crate) fn set_function_attribute(
        &mut self,
        handle: Handle,
        number: u32,
        value: i32,
    ) -> Result<(), Status> {
        let (_, entry, module) = self.function(handle)?;
        let opt_in = self.profile_number(module.context, 97)?;
        let room = opt_in.saturating_sub(entry.static_shared);
        let context = module.context;
        self.context(context)?;
        let function = self
            .functions
            .get_mut(&handle)
            .ok_or(Status::INVALID_HANDLE)?;
        match number {
            8 => {
                let bytes = u32::try_from(value).map_err(|_| Status::INVALID_VALUE)?;
                if bytes > room {
                    return Err(Status::INVALID_VALUE);
                }
                function.dynamic_shared = Some(bytes);
                Ok(())
            }
            9 if (-1..=100).contains(&value) => {
                function.carveout = value;
                Ok(())
            }
            _ => Err(Status::INVALID_VALUE),
        }
    }

    /// Dynamic shared memory that a launch may ask for: what the caller opted in to, or what 48 KiB leave.
    pub(super) fn dynamic_shared_limit(&self, function: &Function, entry: &Entry) -> u32 {
        const WITHOUT_OPT_IN: u32 = 48 << 10;
        function
            .dynamic_shared
            .unwrap_or(WITHOUT_OPT_IN.saturating_sub(entry.static_shared))
    }

    /// Threads that a block of the kernel may have: the device's limit, the kernel's, and what its registers leave.
    pub(super) fn block_limit(&self, context: Handle, entry: &Entry) -> Result<u32, Status> {
        let available = self.profile_number(context, 12)?;
        let by_registers = available / registers(entry) / 32 * 32;
        let by_device = self.profile_number(context, 1)?;
        Ok(by_device
            .min(by_registers)
            .min(entry.max_threads.unwrap_or(u32::MAX)))
    }

    /// An attribute of a context's device as a count.
    pub(super) fn profile_number(&self, context: Handle, number: u32) -> Result<u32, Status> {
        let attribute =
            crate::profile::Attribute::from_number(number).ok_or(Status::INVALID_VALUE)?;
        let value = self.profile_of(context)?.attribute(attribute);
        Ok(u32::try_from(value).unwrap_or(0))
    }
}

/// Registers of one thread. Those of PTX are virtual, and `ptxas` gives most of them the same few: what is declared
/// says little beyond 32, which every multiprocessor has for each of its threads.
pub(super) fn registers(entry: &Entry) -> u32 {
    entry.registers.clamp(1, 32)
}
