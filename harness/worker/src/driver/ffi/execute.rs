//! Loading modules and running kernels: the calls whose status may be any number.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr;

use super::{CallError, DeviceHandle, Driver, call, checked, until_nul};

/// A retained primary context, a `CUcontext`.
pub(crate) struct Context(*mut c_void);

/// A loaded `CUmodule`. It is unloaded with its context.
pub(crate) struct Module(*mut c_void);

/// A `CUfunction` of a loaded module.
pub(crate) struct Function(*mut c_void);

/// The shape of a launch.
pub(crate) struct Geometry {
    pub(crate) grid: [u32; 3],
    pub(crate) block: [u32; 3],
    pub(crate) dynamic_shared: u32,
}

/// What the just-in-time compiler said, and how long it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct JitLogs {
    pub(crate) info: String,
    pub(crate) error: String,
    /// Milliseconds, by the driver's own clock.
    pub(crate) wall_ms: f32,
}

impl Driver {
    /// `cuDevicePrimaryCtxRetain`.
    pub(crate) fn retain_primary(&self, device: DeviceHandle) -> Result<Context, CallError> {
        let mut context = ptr::null_mut();
        call!(
            self,
            "cuDevicePrimaryCtxRetain",
            fn(*mut *mut c_void, c_int),
            (&raw mut context, device.0),
            "the pointer is to a live handle"
        )?;
        Ok(Context(context))
    }

    /// `cuDevicePrimaryCtxRelease_v2`, the counterpart of [`Driver::retain_primary`].
    pub(crate) fn release_primary(
        &self,
        device: DeviceHandle,
        context: Context,
    ) -> Result<(), CallError> {
        debug_assert!(!context.0.is_null(), "a retained context is not null");
        call!(
            self,
            "cuDevicePrimaryCtxRelease_v2",
            fn(c_int),
            (device.0),
            "the context was retained once by this value, which is consumed"
        )
    }

    /// `cuModuleLoadDataEx`, with the logs of the just-in-time compiler, which are there whether or not
    /// it succeeds. A context must be current.
    pub(crate) fn load_module(&self, ptx: &str) -> (Result<Module, CallError>, JitLogs) {
        self.load_image(ptx.replace('\0', " ").as_bytes())
    }

    /// As [`Driver::load_module`], for machine code or PTX: a cubin, a fatbin, or text without NUL.
    pub(crate) fn load_image(&self, image: &[u8]) -> (Result<Module, CallError>, JitLogs) {
        // The numbers of `CUjit_option`: wall time, both logs with their sizes, verbosity.
        let mut options: [c_int; 6] = [2, 3, 4, 5, 6, 12];
        let mut info = vec![0u8; LOG_BYTES + 1];
        let mut error = vec![0u8; LOG_BYTES + 1];
        let size = ptr::without_provenance_mut::<c_void>(LOG_BYTES);
        let mut values: [*mut c_void; 6] = [
            ptr::null_mut(),
            info.as_mut_ptr().cast(),
            size,
            error.as_mut_ptr().cast(),
            size,
            ptr::without_provenance_mut(1),
        ];
        // A NUL ends PTX; machine code says how long it is.
        let image: Vec<u8> = image.iter().copied().chain([0]).collect();
        let mut module = ptr::null_mut();
        let loaded = call!(
            self,
            "cuModuleLoadDataEx",
            fn(*mut *mut c_void, *const c_void, c_uint, *mut c_int, *mut *mut c_void),
            (
                &raw mut module,
                image.as_ptr().cast(),
                6,
                options.as_mut_ptr(),
                values.as_mut_ptr()
            ),
            "the image ends with NUL; there are six options with six values, each log has as many bytes as its size says"
        );
        // The wall time is returned as a float in the first four bytes of its value's place.
        let [a, b, c, d, ..] = values[0].addr().to_le_bytes();
        let logs = JitLogs {
            info: until_nul(&info),
            error: until_nul(&error),
            wall_ms: f32::from_le_bytes([a, b, c, d]),
        };
        (loaded.map(|()| Module(module)), logs)
    }

    /// `cuModuleGetFunction`.
    pub(crate) fn function(&self, module: &Module, entry: &str) -> Result<Function, CallError> {
        let entry = CString::new(entry).unwrap_or_default();
        let mut function = ptr::null_mut();
        call!(
            self,
            "cuModuleGetFunction",
            fn(*mut *mut c_void, *mut c_void, *const c_char),
            (&raw mut function, module.0, entry.as_ptr()),
            "the module is loaded, and the name ends with NUL"
        )?;
        Ok(Function(function))
    }

    /// `cuModuleGetGlobal_v2`: a variable's address and size in bytes.
    pub(crate) fn global(&self, module: &Module, symbol: &str) -> Result<(u64, usize), CallError> {
        let symbol = CString::new(symbol).unwrap_or_default();
        let (mut address, mut size) = (0u64, 0usize);
        call!(
            self,
            "cuModuleGetGlobal_v2",
            fn(*mut u64, *mut usize, *mut c_void, *const c_char),
            (&raw mut address, &raw mut size, module.0, symbol.as_ptr()),
            "the module is loaded, the pointers are to live integers, and the name ends with NUL"
        )?;
        Ok((address, size))
    }

    /// `cuMemcpyHtoD_v2` to an address of the current context.
    pub(crate) fn write(&self, address: u64, bytes: &[u8]) -> Result<(), CallError> {
        call!(
            self,
            "cuMemcpyHtoD_v2",
            fn(u64, *const c_void, usize),
            (address, bytes.as_ptr().cast(), bytes.len()),
            "the host's range is the slice; the driver refuses a range that is not the device's"
        )
    }

    /// `cuFuncGetAttribute`: bytes of shared memory that a kernel has by its declaration.
    pub(crate) fn static_shared(&self, function: &Function) -> Result<c_int, CallError> {
        const SHARED_SIZE_BYTES: c_int = 1;
        let mut bytes = 0;
        call!(
            self,
            "cuFuncGetAttribute",
            fn(*mut c_int, c_int, *mut c_void),
            (&raw mut bytes, SHARED_SIZE_BYTES, function.0),
            "the pointer is to a live integer, and the function's module is loaded"
        )?;
        Ok(bytes)
    }

    /// `cuFuncSetAttribute`: lets a kernel use so many bytes of dynamic shared memory.
    pub(crate) fn allow_dynamic_shared(
        &self,
        function: &Function,
        bytes: c_int,
    ) -> Result<(), CallError> {
        const MAX_DYNAMIC_SHARED_SIZE_BYTES: c_int = 8;
        call!(
            self,
            "cuFuncSetAttribute",
            fn(*mut c_void, c_int, c_int),
            (function.0, MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes),
            "the function's module is loaded"
        )
    }

    /// `cuLaunchKernel` on the default stream. Each argument is a parameter's bytes.
    pub(crate) fn launch(
        &self,
        function: &Function,
        geometry: &Geometry,
        arguments: &[Vec<u8>],
    ) -> Result<(), CallError> {
        let mut pointers = pointers(arguments);
        let (grid, block) = (geometry.grid, geometry.block);
        call!(
            self,
            "cuLaunchKernel",
            fn(
                *mut c_void,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                *mut c_void,
                *mut *mut c_void,
                *mut *mut c_void,
            ),
            (
                function.0,
                grid[0],
                grid[1],
                grid[2],
                block[0],
                block[1],
                block[2],
                geometry.dynamic_shared,
                ptr::null_mut(),
                pointers.as_mut_ptr(),
                ptr::null_mut()
            ),
            "the function's module is loaded; the catalogue gives as many arguments as the kernel has parameters, each as long as its parameter; the driver copies them before it returns"
        )
    }

    /// `cuLaunchCooperativeKernel` on the default stream.
    pub(crate) fn launch_cooperative(
        &self,
        function: &Function,
        geometry: &Geometry,
        arguments: &[Vec<u8>],
    ) -> Result<(), CallError> {
        let mut pointers = pointers(arguments);
        let (grid, block) = (geometry.grid, geometry.block);
        call!(
            self,
            "cuLaunchCooperativeKernel",
            fn(
                *mut c_void,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                c_uint,
                *mut c_void,
                *mut *mut c_void,
            ),
            (
                function.0,
                grid[0],
                grid[1],
                grid[2],
                block[0],
                block[1],
                block[2],
                geometry.dynamic_shared,
                ptr::null_mut(),
                pointers.as_mut_ptr()
            ),
            "as for `cuLaunchKernel`"
        )
    }

    /// `cuCtxSynchronize`: waits for the current context, and answers how its kernels ended.
    pub(crate) fn synchronize(&self) -> Result<(), CallError> {
        call!(
            self,
            "cuCtxSynchronize",
            fn(),
            (),
            "there are none; without a current context the driver returns an error"
        )
    }
}

const LOG_BYTES: usize = 64 * 1024;

/// The pointers to a launch's parameters. `arguments` must outlive them.
fn pointers(arguments: &[Vec<u8>]) -> Vec<*mut c_void> {
    arguments
        .iter()
        .map(|bytes| bytes.as_ptr().cast_mut().cast())
        .collect()
}
