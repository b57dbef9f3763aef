//! The codes whose causes are known, in the order of the numbers.
//!
//! A row reads: number, kind, cause, remedy. The causes follow the comments of `cuda.h` and NVIDIA's CUDA
//! compatibility guide; the remedies are what to type or do.

use super::names::NAMES;
use super::{Blame, CudaError};

/// The code that was run is at fault; the context lives on.
const CODE: CudaError = CudaError {
    code: 0,
    name: "",
    blame: Blame::Code,
    cause: "",
    remedy: "",
    needs_attention: false,
    sticky: false,
    transient: false,
};

/// The code that was run is at fault, and its context is lost.
const CRASH: CudaError = CudaError {
    sticky: true,
    ..CODE
};

/// The machine's configuration or driver is at fault, until somebody changes it.
const MACHINE: CudaError = CudaError {
    blame: Blame::Machine,
    ..CODE
};

/// The machine is at fault, but perhaps not a moment later.
const BUSY: CudaError = CudaError {
    transient: true,
    ..MACHINE
};

/// The machine is at fault and the context is lost; another process may succeed.
const LOST: CudaError = CudaError {
    sticky: true,
    ..BUSY
};

/// The hardware is broken.
const BROKEN: CudaError = CudaError {
    needs_attention: true,
    sticky: true,
    ..MACHINE
};

const fn name_of(code: i32) -> &'static str {
    let mut index = 0;
    while index < NAMES.len() {
        if NAMES[index].0 == code {
            return NAMES[index].1;
        }
        index += 1;
    }
    panic!("an explained code has a name")
}

macro_rules! table {
    ($($code:literal $kind:ident $cause:literal => $remedy:literal;)*) => {
        &[$(CudaError { code: $code, name: name_of($code), cause: $cause, remedy: $remedy, ..$kind }),*]
    };
}

/// All explained codes.
pub(super) const TABLE: &[CudaError] = table! {
    1 CODE "a call was given an argument outside its range"
        => "compute-sanitizer on the program; look at the call named above";
    2 BUSY "the device's memory is used up, by other processes or by a small MIG instance"
        => "nvidia-smi; end the other processes, or lower limits.memory-mib";
    3 MACHINE "the driver was not initialised, or refused to initialise"
        => "cudacheck facts; look at what cuInit answers and at the driver's version";
    4 CODE "the driver was used while its process was already ending"
        => "release GPU objects before the program's last destructors run";
    34 MACHINE "the CUDA toolkit's stub of libcuda was loaded instead of a driver"
        => "take the `stubs` directory off LD_LIBRARY_PATH and RUNPATH";
    36 MACHINE "the function exists only in a newer driver of the same major version"
        => "update the driver, or install NVIDIA's cuda-compat package of that version";
    46 BUSY "another process holds the device, or its compute mode forbids use"
        => "nvidia-smi -q -d COMPUTE; nvidia-smi -c DEFAULT";
    100 MACHINE "no GPU, no access to /dev/nvidia*, or CUDA_VISIBLE_DEVICES hides it"
        => "ls -l /dev/nvidia*; nvidia-smi; unset CUDA_VISIBLE_DEVICES";
    101 MACHINE "the ordinal is outside the devices that CUDA_VISIBLE_DEVICES leaves visible"
        => "cudacheck facts; unset CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES";
    102 MACHINE "the virtual GPU has no licence for compute"
        => "nvidia-smi -q | grep -i -A2 licen; give the guest a licence";
    200 CODE "the module is truncated, damaged, or of a format that this driver does not know"
        => "cuobjdump --list-elf --list-ptx on the library; build it again with a toolkit that the driver supports";
    201 CODE "no context is current, or it was destroyed"
        => "create or retain a context in this thread before the call";
    205 CODE "a mapping of memory or graphics resources failed"
        => "compute-sanitizer on the program";
    209 CODE "the module carries neither machine code nor usable PTX for this device"
        => "build with the device's capability in cudaCapabilities";
    214 BROKEN "the device's memory has an uncorrectable error"
        => "nvidia-smi -q -d ECC,PAGE_RETIREMENT,ROW_REMAPPER; reset or replace the GPU";
    217 MACHINE "the two devices cannot reach each other's memory"
        => "nvidia-smi topo -p2p r";
    218 CODE "the just-in-time compiler refuses the PTX"
        => "read the log below; assemble it with ptxas";
    219 MACHINE "the graphics context does not belong to this device"
        => "run without a display: unset DISPLAY WAYLAND_DISPLAY";
    220 BROKEN "an NVLink has an uncorrectable error"
        => "nvidia-smi nvlink --errorcounters; dmesg | grep Xid; take the GPU out of service";
    221 MACHINE "libnvidia-ptxjitcompiler.so.1 is not beside libcuda.so.1"
        => "install the driver's just-in-time compiler, or mount it into the container";
    222 CODE "the PTX is newer than the driver's just-in-time compiler"
        => "update the driver, or build with an older toolkit or with machine code for the device";
    223 MACHINE "CUDA_DISABLE_PTX_JIT or CUDA_DISABLE_JIT forbids compilation, and no machine code fits"
        => "unset CUDA_DISABLE_PTX_JIT CUDA_DISABLE_JIT";
    225 CODE "the PTX waits for the device from within a kernel, which this device no longer supports"
        => "build with a toolkit and code without cudaDeviceSynchronize in kernels";
    226 LOST "the GPU contained an error: an invalid access to a peer, or a fault of its memory"
        => "dmesg | grep -e 'Xid.*94' -e 'Xid.*95'; nvidia-smi -q -d ECC";
    227 CODE "the module needs a newer loader than this driver has"
        => "update the driver, or build with an older toolkit or another compression of device code";
    300 CODE "the source of a kernel is invalid"
        => "read the log below";
    301 MACHINE "a file that the driver needs was not found"
        => "strace -e trace=openat on the program; install the driver completely";
    302 MACHINE "files of different drivers are mixed: a library lacks a symbol that another needs"
        => "cudacheck facts; install one driver, or take the other off LD_LIBRARY_PATH";
    303 MACHINE "a library of the driver could not be initialised"
        => "cudacheck facts; install one driver, or take the other off LD_LIBRARY_PATH";
    304 MACHINE "the operating system refused the driver: device nodes, a sandbox, or the nvidia-uvm module"
        => "ls -l /dev/nvidia*; modprobe nvidia-uvm; in a container pass /dev/nvidia-uvm in";
    400 CODE "a handle is invalid or was already released"
        => "compute-sanitizer on the program";
    500 CODE "the module or driver has no symbol of this name"
        => "cuobjdump --dump-elf-symbols on the library; compare the name with the one asked for";
    600 CODE "an operation was not finished, which is no error by itself"
        => "wait for the stream before its result is used";
    700 CRASH "a kernel accessed memory that does not exist or is not its own"
        => "compute-sanitizer --tool memcheck on the program";
    701 CODE "the launch needs more registers, shared memory, or threads than the device has"
        => "cuobjdump --dump-resource-usage on the library; launch smaller blocks";
    702 LOST "the watchdog of a display ended a long kernel"
        => "use a GPU without a display, or stop the display server";
    710 CRASH "an assertion in a kernel failed"
        => "read the assertion in the output";
    714 CRASH "the call stack of a kernel overflowed or was corrupted"
        => "raise cudaLimitStackSize; compute-sanitizer --tool memcheck on the program";
    715 CRASH "a kernel met an instruction that the device does not have"
        => "compare cuobjdump --list-elf with the device's capability";
    716 CRASH "a kernel accessed memory at an address that is not aligned to the size of the access"
        => "compute-sanitizer --tool memcheck on the program";
    717 CRASH "a kernel used an address in a space that the instruction does not accept"
        => "compute-sanitizer --tool memcheck on the program";
    718 CRASH "a kernel jumped to an address outside its code"
        => "compute-sanitizer --tool memcheck on the program";
    719 CRASH "a kernel failed in a way that the driver cannot name, often a bad pointer or an overrun of shared memory"
        => "dmesg | grep Xid; compute-sanitizer on the program";
    720 CODE "a cooperative launch has more blocks than fit on the device at once"
        => "size the grid by cuOccupancyMaxActiveBlocksPerMultiprocessor";
    721 CRASH "a kernel ended without releasing its tensor memory"
        => "add the missing tcgen05.dealloc";
    800 MACHINE "the operation needs a permission: profiling counters, MPS, or a sandbox that forbids it"
        => "run outside the sandbox; cat /proc/driver/nvidia/params | grep RmProfiling";
    801 CODE "the device or driver lacks the operation; at cuInit on a Jetson the render nodes are not accessible"
        => "ls -l /dev/dri/renderD* /dev/nvmap; add the user to the groups video and render";
    802 BUSY "the machine's NVSwitch fabric is not ready: its manager does not run or has another version"
        => "systemctl status nvidia-fabricmanager; install the version of the driver";
    803 MACHINE "the driver was updated and its kernel module not reloaded, or a container brings libraries of another driver"
        => "reboot, or unload and reload the nvidia kernel modules";
    804 MACHINE "NVIDIA's cuda-compat libraries are used on a GPU for which they are not made"
        => "take /usr/local/cuda/compat off LD_LIBRARY_PATH; update the driver instead";
    805 BUSY "the MPS daemon cannot be reached"
        => "unset CUDA_MPS_PIPE_DIRECTORY, or start it: nvidia-cuda-mps-control -d";
    806 BUSY "the MPS server failed during a call"
        => "echo quit | nvidia-cuda-mps-control; nvidia-cuda-mps-control -d";
    807 BUSY "the MPS server is not ready yet"
        => "run it again in a moment; echo get_server_status | nvidia-cuda-mps-control";
    808 BUSY "the MPS server has as many clients as it may"
        => "end other clients, or run without MPS: unset CUDA_MPS_PIPE_DIRECTORY";
    809 BUSY "the MPS server has as many connections as the device supports"
        => "end other clients, or run without MPS: unset CUDA_MPS_PIPE_DIRECTORY";
    810 LOST "the MPS server ended this client because of another client's fault"
        => "run without MPS: unset CUDA_MPS_PIPE_DIRECTORY";
    812 CODE "the module mixes two versions of CUDA dynamic parallelism"
        => "build all parts of it with one toolkit";
    900 CODE "an operation that a stream under capture does not permit"
        => "move the call out of the capture";
    909 BUSY "an operation of the driver took longer than it may"
        => "nvidia-smi; dmesg | grep NVRM";
    915 CODE "the resources cannot be divided in the way that was asked for"
        => "ask for a multiple of the device's smallest partition";
    919 BUSY "the GPU's fabric was not ready in time"
        => "systemctl status nvidia-fabricmanager; run it again";
    999 BUSY "an internal error of the driver, often after suspend or with an incomplete installation"
        => "dmesg | grep NVRM; modprobe -r nvidia-uvm && modprobe nvidia-uvm, or reboot";
};
