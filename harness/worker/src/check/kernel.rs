//! Runs one kernel of the catalogue through the driver.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::Path;

use cudacheck_kernels::{
    Attribute, Device, DeviceLimits, Failure, Kernel, Launch, LaunchKind, Mismatch, MismatchKind,
};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::{CheckResult, MismatchKind as Kind, Stage};
use cudacheck_model::task::DriverFiles;
use cudacheck_model::version::{ComputeCapability, ToolkitVersion};

use super::cudarc::{Memory, Piece, Pools, complete, ready};
use super::{gates, mapped};
use crate::driver::{CallError, DeviceHandle, Driver, Geometry, Module};
use crate::journal::Journal;

const COMPUTE_CAPABILITY_MAJOR: i32 = 75;
const COMPUTE_CAPABILITY_MINOR: i32 = 76;
const INTEGRATED: i32 = 18;
const MEMORY_POOLS_SUPPORTED: i32 = 115;

/// Left to the driver and to others on a device with its own memory.
const HEADROOM: u64 = 512 << 20;
const LEAST_BUDGET: u64 = 1 << 20;

/// Runs a kernel and compares. An `Err` is a result as well: the one that ended the check early. It ends
/// without releasing anything, because a context with an error may not even be asked to.
pub(super) fn run(
    journal: &Journal,
    files: &DriverFiles,
    kernel: &'static Kernel,
    seed: u64,
    budget: u64,
) -> Result<CheckResult, Box<CheckResult>> {
    let header = kernel.header();
    journal.note("kernel", kernel.name);
    journal.note("seed", seed.to_string());
    journal.note("ptx-isa", header.isa.to_string());
    journal.note("ptx-target", header.target.to_string());

    journal.stage(Stage::LoadLibrary);
    let library = files.libcuda.as_deref().ok_or_else(|| {
        machine(MachineFault::DriverNotFound {
            searched: Vec::new(),
        })
    })?;
    let driver = open(library)?;

    journal.stage(Stage::Initialize);
    let failed = |error: CallError| Box::new(driver.failure(&error, ""));
    let cuda = driver.version().map_err(failed)?;
    let cuda = ToolkitVersion::from_api(u32::try_from(cuda).unwrap_or(0));
    journal.note("driver-cuda", cuda.to_string());
    skip(gates::driver(cuda, header))?;
    driver.initialize().map_err(failed)?;

    journal.stage(Stage::Device);
    let device = driver.device(0).map_err(failed)?;
    let attribute = |number: i32| driver.attribute(device, number);
    let capability = ComputeCapability::new(
        unsigned(attribute(COMPUTE_CAPABILITY_MAJOR).map_err(failed)?),
        unsigned(attribute(COMPUTE_CAPABILITY_MINOR).map_err(failed)?),
    );
    skip(gates::device(kernel, header, capability, |wanted| {
        attribute(wanted as i32).ok()
    }))?;
    let pools = match attribute(MEMORY_POOLS_SUPPORTED) {
        Ok(1..) => Pools::Supported,
        Ok(_) | Err(_) => Pools::Absent,
    };
    complete(library, pools).map_err(machine)?;

    journal.stage(Stage::Context);
    // Through our own binding first: a code that is newer than cudarc would be undefined behaviour there.
    let context = driver.retain_primary(device).map_err(failed)?;
    let memory = ManuallyDrop::new(Memory::open().map_err(failed)?);
    let limits = limits(&driver, device, capability, &memory, budget).map_err(failed)?;
    journal.note("limits", in_words(&limits));

    journal.stage(Stage::Module);
    let (module, logs) = driver.load_module(kernel.ptx);
    journal.note("jit-wall-ms", format!("{:.3}", logs.wall_ms));
    if !logs.info.is_empty() || !logs.error.is_empty() {
        journal.jit_log(logs.info, logs.error.clone());
    }
    let module = module.map_err(|error| Box::new(driver.failure(&error, &logs.error)))?;

    let program = (kernel.program)(&limits, seed);
    let mut gpu = Gpu {
        journal,
        driver: &driver,
        memory: &memory,
        module: &module,
        shared_bytes: limits.shared_bytes,
        pieces: ManuallyDrop::new(BTreeMap::new()),
        stage: Stage::Module,
    };
    let outcome = cudacheck_kernels::execute(&mut gpu, kernel, &program);
    // Before the verdict, because a result of another driver would say nothing about this one.
    mapped::only(library).map_err(machine)?;
    match outcome {
        Ok(()) => {
            journal.stage(Stage::Release);
            ManuallyDrop::into_inner(memory).close().map_err(failed)?;
            driver.release_primary(device, context).map_err(failed)?;
            Ok(CheckResult::Pass)
        }
        Err(Failure::Mismatch(mismatch)) => Ok(told(&mismatch)),
        Err(Failure::Driver(Trouble::Call(error))) => Err(failed(error)),
        Err(Failure::Driver(Trouble::Harness(message))) => {
            Err(machine(MachineFault::Harness { message }))
        }
    }
}

/// Opens the driver that the facts name, then lets cudarc find it, and proves that it found no other.
fn open(library: &Path) -> Result<Driver, Box<CheckResult>> {
    let driver = Driver::open(library).map_err(|reason| {
        machine(MachineFault::LibraryUnusable {
            library: library.to_owned(),
            reason,
        })
    })?;
    ready(library).map_err(machine)?;
    mapped::only(library).map_err(machine)?;
    Ok(driver)
}

fn machine(fault: MachineFault) -> Box<CheckResult> {
    Box::new(CheckResult::Machine(fault))
}

fn skip(reason: Option<cudacheck_model::outcome::SkipReason>) -> Result<(), Box<CheckResult>> {
    reason.map_or(Ok(()), |reason| Err(Box::new(CheckResult::Skip { reason })))
}

fn unsigned(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn limits(
    driver: &Driver,
    device: DeviceHandle,
    capability: ComputeCapability,
    memory: &Memory,
    budget: u64,
) -> Result<DeviceLimits, CallError> {
    let attribute = |wanted: Attribute| driver.attribute(device, wanted as i32).map(unsigned);
    let shared_bytes = attribute(Attribute::MaxSharedMemoryPerBlock)?;
    let integrated = driver.attribute(device, INTEGRATED).unwrap_or(0) > 0;
    let free = memory.free_bytes()?;
    Ok(DeviceLimits {
        capability,
        multiprocessors: attribute(Attribute::MultiprocessorCount)?,
        threads_per_block: attribute(Attribute::MaxThreadsPerBlock)?,
        shared_bytes,
        shared_bytes_optin: attribute(Attribute::MaxSharedMemoryPerBlockOptin)
            .unwrap_or(0)
            .max(shared_bytes),
        memory_budget: affordable(
            budget,
            free,
            if integrated {
                Residence::Host
            } else {
                Residence::Device
            },
        ),
    })
}

fn in_words(limits: &DeviceLimits) -> String {
    let DeviceLimits {
        capability,
        multiprocessors,
        threads_per_block,
        shared_bytes,
        shared_bytes_optin,
        memory_budget,
    } = limits;
    format!(
        "{}, {multiprocessors} multiprocessors, {threads_per_block} threads a block, {shared_bytes} to {shared_bytes_optin} bytes of shared memory a block, {} MiB of device memory to use",
        capability.sm(),
        memory_budget >> 20
    )
}

/// Whose memory a device uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Residence {
    /// The host's, as on Jetson: what a check takes is missing elsewhere.
    Host,
    /// Its own.
    Device,
}

/// How many bytes a check may take: never none, so that small buffers still fit.
fn affordable(budget: u64, free: u64, residence: Residence) -> u64 {
    let bound = match residence {
        Residence::Host => free / 4,
        Residence::Device => free.saturating_sub(HEADROOM),
    };
    budget.min(bound).max(LEAST_BUDGET)
}

fn told(mismatch: &Mismatch) -> CheckResult {
    let Mismatch {
        buffer,
        index,
        expected,
        ..
    } = mismatch;
    let (kind, expected) = match mismatch.kind {
        MismatchKind::Wrong => (
            Kind::WrongResult,
            format!("`{buffer}[{index}]` is {expected}"),
        ),
        MismatchKind::NeverWritten => (
            Kind::NeverWritten,
            format!("`{buffer}[{index}]` is {expected}"),
        ),
        MismatchKind::RedZone => (
            Kind::StrayWrite,
            format!("nothing is written outside `{buffer}`"),
        ),
        MismatchKind::InputChanged => (
            Kind::InputChanged,
            format!("the input `{buffer}` stays as it was"),
        ),
        MismatchKind::NotRepeatable => (
            Kind::NotRepeatable,
            "a second run gives the same bits as the first".to_owned(),
        ),
    };
    CheckResult::Mismatch {
        kind,
        expected,
        found: mismatch.to_string(),
    }
}

/// The device with a loaded module, as programs see it.
struct Gpu<'a> {
    journal: &'a Journal,
    driver: &'a Driver,
    memory: &'a Memory,
    module: &'a Module,
    /// Shared memory of a block without opting in.
    shared_bytes: u32,
    /// Not freed by dropping: after an error that may hang, and the process ends anyway.
    pieces: ManuallyDrop<BTreeMap<u64, Piece>>,
    stage: Stage,
}

/// Why a program could not be run to its end.
enum Trouble {
    Call(CallError),
    Harness(String),
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Gpu<'_> {
    fn enter(&mut self, stage: Stage) {
        if self.stage != stage {
            self.stage = stage;
            self.journal.stage(stage);
        }
    }

    fn piece(&mut self, address: u64) -> Result<&mut Piece, Trouble> {
        self.pieces
            .get_mut(&address)
            .ok_or_else(|| Trouble::Harness(format!("no memory was allocated at {address:#x}")))
    }
}

impl Device for Gpu<'_> {
    type Error = Trouble;

    fn allocate(&mut self, bytes: u64) -> Result<u64, Trouble> {
        self.enter(Stage::Allocate);
        let bytes = usize::try_from(bytes)
            .map_err(|_| Trouble::Harness(format!("{bytes} bytes are too many")))?;
        let piece = self.memory.allocate(bytes)?;
        let address = piece.address;
        self.pieces.insert(address, piece);
        Ok(address)
    }

    fn free(&mut self, address: u64) -> Result<(), Trouble> {
        if let Some(piece) = self.pieces.remove(&address) {
            self.memory.free(piece)?;
        }
        if self.pieces.is_empty() {
            self.enter(Stage::Compare);
        }
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Trouble> {
        let memory = self.memory;
        Ok(memory.write(self.piece(address)?, bytes)?)
    }

    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Trouble> {
        self.enter(Stage::CopyBack);
        let memory = self.memory;
        Ok(memory.read(self.piece(address)?, bytes)?)
    }

    fn set_global(&mut self, symbol: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let (address, size) = self.driver.global(self.module, symbol)?;
        if size != bytes.len() {
            return Err(Trouble::Harness(format!(
                "the variable `{symbol}` has {size} bytes, not {}",
                bytes.len()
            )));
        }
        Ok(self.driver.write(address, bytes)?)
    }

    fn launch(&mut self, launch: &Launch, arguments: &[Vec<u8>]) -> Result<(), Trouble> {
        self.enter(Stage::Launch);
        let function = self.driver.function(self.module, launch.entry)?;
        // Both kinds of shared memory share one limit; a driver that does not tell the kernel's own counts none.
        let own = self.driver.static_shared(&function).map_or(0, unsigned);
        if launch.dynamic_shared.saturating_add(own) > self.shared_bytes {
            let bytes = i32::try_from(launch.dynamic_shared).unwrap_or(i32::MAX);
            self.driver.allow_dynamic_shared(&function, bytes)?;
        }
        let geometry = Geometry {
            grid: launch.grid,
            block: launch.block,
            dynamic_shared: launch.dynamic_shared,
        };
        match launch.kind {
            LaunchKind::Plain => self.driver.launch(&function, &geometry, arguments)?,
            LaunchKind::Cooperative => {
                self.driver
                    .launch_cooperative(&function, &geometry, arguments)?;
            }
        }
        self.enter(Stage::Synchronize);
        Ok(self.driver.synchronize()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(budget: u64, free_mib: u64, residence: Residence, expected_mib: u64) {
        assert_eq!(
            affordable(budget, free_mib << 20, residence) >> 20,
            expected_mib
        );
    }

    #[test]
    fn a_check_leaves_memory_to_others() {
        check(u64::MAX, 8192, Residence::Device, 7680);
        check(u64::MAX, 8192, Residence::Host, 2048);
        check(64 << 20, 8192, Residence::Host, 64);
        check(u64::MAX, 300, Residence::Device, 1);
        check(0, 300, Residence::Host, 1);
    }

    #[test]
    fn a_mismatch_says_what_should_have_been() {
        let mismatch = Mismatch {
            buffer: "out",
            kind: MismatchKind::NeverWritten,
            index: 5,
            expected: "0x01".to_owned(),
            got: "0xa5".to_owned(),
            wrong: (3, 9),
        };
        assert_eq!(
            told(&mismatch),
            CheckResult::Mismatch {
                kind: Kind::NeverWritten,
                expected: "`out[5]` is 0x01".to_owned(),
                found: "`out[5]` was never written, expected 0x01; 3 of 9 differ".to_owned(),
            }
        );
    }
}
