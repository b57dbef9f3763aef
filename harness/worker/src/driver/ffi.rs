//! Bindings of the functions that decide what is known of a machine, and of a check's hot calls.
//!
//! Types and numbers are those of `cuda.h`; each function is described in NVIDIA's driver API reference,
//! <https://docs.nvidia.com/cuda/cuda-driver-api/>. The library stays open for the life of the process,
//! which is what every SAFETY comment below means by an open library.
#![expect(
    unsafe_code,
    reason = "every call into the driver is a call of a foreign function"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

use super::{CallError, CudaStatus};
use crate::library::SharedLibrary;

/// An open driver library.
pub(crate) struct Driver {
    library: SharedLibrary,
    path: PathBuf,
}

/// A `CUdevice`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DeviceHandle(pub(crate) c_int);

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

/// Looks a function up and calls it. The last argument is the part of the SAFETY comment that differs: why
/// these arguments are what the function asks for.
macro_rules! call {
    ($driver:expr, $name:literal, fn($($type:ty),* $(,)?), ($($argument:expr),* $(,)?), $why:literal) => {{
        const NAME: &CStr = match CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => panic!("a function's name has no NUL in it"),
        };
        // SAFETY: the type is the function's declaration in `cuda.h`.
        let function = unsafe {
            $driver
                .library
                .function::<unsafe extern "C" fn($($type),*) -> c_int>(NAME)
        };
        match function {
            None => Err(CallError::Missing { function: $name }),
            Some(function) => {
                const _WHY: &str = $why;
                // SAFETY: the library is open and the type is that of `cuda.h`; of the arguments, `_WHY` says it.
                let status = unsafe { function($($argument),*) };
                checked($name, status)
            }
        }
    }};
}

fn checked(function: &'static str, status: c_int) -> Result<(), CallError> {
    match CudaStatus(status) {
        CudaStatus::SUCCESS => Ok(()),
        status => Err(CallError::Status { function, status }),
    }
}

impl Driver {
    /// Opens a driver library.
    ///
    /// # Errors
    ///
    /// The dynamic loader's words.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        Ok(Self {
            library: SharedLibrary::open(path)?,
            path: path.to_owned(),
        })
    }

    /// The file that was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// `cuDriverGetVersion`, which answers before `cuInit` and without a device.
    pub(crate) fn version(&self) -> Result<c_int, CallError> {
        let mut version = 0;
        call!(
            self,
            "cuDriverGetVersion",
            fn(*mut c_int),
            (&raw mut version),
            "the pointer is to a live integer"
        )?;
        Ok(version)
    }

    /// `cuInit`.
    pub(crate) fn initialize(&self) -> Result<(), CallError> {
        call!(self, "cuInit", fn(c_uint), (0), "the only flags are 0")
    }

    /// `cuDeviceGetCount`.
    pub(crate) fn device_count(&self) -> Result<c_int, CallError> {
        let mut count = 0;
        call!(
            self,
            "cuDeviceGetCount",
            fn(*mut c_int),
            (&raw mut count),
            "the pointer is to a live integer"
        )?;
        Ok(count)
    }

    /// `cuDeviceGet`.
    pub(crate) fn device(&self, ordinal: c_int) -> Result<DeviceHandle, CallError> {
        let mut device = 0;
        call!(
            self,
            "cuDeviceGet",
            fn(*mut c_int, c_int),
            (&raw mut device, ordinal),
            "the pointer is to a live integer"
        )?;
        Ok(DeviceHandle(device))
    }

    /// `cuDeviceGetName`.
    pub(crate) fn device_name(&self, device: DeviceHandle) -> Result<String, CallError> {
        let mut bytes = [0u8; 256];
        call!(
            self,
            "cuDeviceGetName",
            fn(*mut c_char, c_int, c_int),
            (bytes.as_mut_ptr().cast(), 255, device.0),
            "the buffer has 255 bytes, and one more that stays 0"
        )?;
        Ok(until_nul(&bytes))
    }

    /// `cuDeviceGetAttribute`. An attribute that the driver does not know is an error.
    pub(crate) fn attribute(
        &self,
        device: DeviceHandle,
        number: c_int,
    ) -> Result<c_int, CallError> {
        let mut value = 0;
        call!(
            self,
            "cuDeviceGetAttribute",
            fn(*mut c_int, c_int, c_int),
            (&raw mut value, number, device.0),
            "the pointer is to a live integer, and a driver refuses a number that it does not know"
        )?;
        Ok(value)
    }

    /// `cuDeviceTotalMem_v2`, in bytes.
    pub(crate) fn total_memory(&self, device: DeviceHandle) -> Result<u64, CallError> {
        let mut bytes = 0usize;
        call!(
            self,
            "cuDeviceTotalMem_v2",
            fn(*mut usize, c_int),
            (&raw mut bytes, device.0),
            "the pointer is to a live size"
        )?;
        Ok(bytes as u64)
    }

    /// `cuDeviceGetUuid_v2`, or `cuDeviceGetUuid` where the driver has only that.
    pub(crate) fn uuid(&self, device: DeviceHandle) -> Result<[u8; 16], CallError> {
        let mut uuid = [0u8; 16];
        let newer = call!(
            self,
            "cuDeviceGetUuid_v2",
            fn(*mut [u8; 16], c_int),
            (&raw mut uuid, device.0),
            "a `CUuuid` is 16 bytes"
        );
        if matches!(newer, Err(CallError::Missing { .. })) {
            call!(
                self,
                "cuDeviceGetUuid",
                fn(*mut [u8; 16], c_int),
                (&raw mut uuid, device.0),
                "a `CUuuid` is 16 bytes"
            )?;
        } else {
            newer?;
        }
        Ok(uuid)
    }

    /// `cuDeviceGetPCIBusId`: `0000:65:00.0`.
    pub(crate) fn pci_bus_id(&self, device: DeviceHandle) -> Result<String, CallError> {
        let mut bytes = [0u8; 32];
        call!(
            self,
            "cuDeviceGetPCIBusId",
            fn(*mut c_char, c_int, c_int),
            (bytes.as_mut_ptr().cast(), 31, device.0),
            "the buffer has 31 bytes, and one more that stays 0"
        )?;
        Ok(until_nul(&bytes))
    }

    /// `cuGetErrorName`.
    pub(crate) fn error_name(&self, status: CudaStatus) -> Option<String> {
        let mut name: *const c_char = ptr::null();
        call!(
            self,
            "cuGetErrorName",
            fn(c_int, *mut *const c_char),
            (status.0, &raw mut name),
            "the pointer is to a live pointer"
        )
        .ok()?;
        text(name)
    }

    /// `cuGetErrorString`.
    pub(crate) fn error_text(&self, status: CudaStatus) -> Option<String> {
        let mut sentence: *const c_char = ptr::null();
        call!(
            self,
            "cuGetErrorString",
            fn(c_int, *mut *const c_char),
            (status.0, &raw mut sentence),
            "the pointer is to a live pointer"
        )
        .ok()?;
        text(sentence)
    }

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
        let image = CString::new(ptx.replace('\0', " ")).expect("every NUL was replaced");
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

fn until_nul(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A driver's constant text.
fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the driver gave the pointer for a status it knows: to a constant, NUL-terminated text that
    // lives as long as the library, which is never closed.
    let text = unsafe { CStr::from_ptr(pointer) };
    Some(text.to_string_lossy().into_owned())
}
