//! The device on which a library computes: its context, and memory whose untouched bytes show.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::{CheckResult, MismatchKind, Stage};
use cudacheck_model::task::DriverFiles;
use cudacheck_model::version::ComputeCapability;

use super::exact::{self, Element, POISON};
use super::{Stop, Verdict};
use crate::check::cudarc::{Memory, Piece, Pools, complete, ready};
use crate::check::mapped;
use crate::driver::{CallError, Context, DeviceHandle, Driver, Geometry};
use crate::journal::Journal;
use crate::library::DevicePointer;

const COMPUTE_CAPABILITY_MAJOR: i32 = 75;
const COMPUTE_CAPABILITY_MINOR: i32 = 76;
const MEMORY_POOLS_SUPPORTED: i32 = 115;

/// Bytes before and after every buffer that nobody may write.
const RED_ZONE: usize = 256;

/// The one visible device with its primary context, which is the one that the CUDA runtime inside libraries uses.
pub(super) struct Device {
    driver: Driver,
    path: PathBuf,
    handle: DeviceHandle,
    context: Context,
    capability: ComputeCapability,
}

impl Device {
    /// Initialises the driver that the facts name, before the library under test can make anything of it: what
    /// fails here is the machine's.
    pub(super) fn open(journal: &Journal, files: &DriverFiles) -> Result<Self, Stop> {
        journal.stage(Stage::LoadLibrary);
        let path = files.libcuda.clone().ok_or_else(|| {
            machine(MachineFault::DriverNotFound {
                searched: Vec::new(),
            })
        })?;
        let driver = Driver::open(&path).map_err(|reason| {
            machine(MachineFault::LibraryUnusable {
                library: path.clone(),
                reason,
            })
        })?;
        ready(&path).map_err(machine)?;
        mapped::only(&path).map_err(machine)?;
        let failed = |error: CallError| Box::new(driver.failure(&error, ""));
        journal.stage(Stage::Initialize);
        driver.initialize().map_err(failed)?;
        journal.stage(Stage::Device);
        let handle = driver.device(0).map_err(failed)?;
        let attribute = |number| {
            let value = driver.attribute(handle, number).map_err(failed)?;
            Ok::<u32, Stop>(u32::try_from(value).unwrap_or(0))
        };
        let capability = ComputeCapability::new(
            attribute(COMPUTE_CAPABILITY_MAJOR)?,
            attribute(COMPUTE_CAPABILITY_MINOR)?,
        );
        let pools = match driver.attribute(handle, MEMORY_POOLS_SUPPORTED) {
            Ok(1..) => Pools::Supported,
            Ok(_) | Err(_) => Pools::Absent,
        };
        complete(&path, pools).map_err(machine)?;
        journal.stage(Stage::Context);
        let context = driver.retain_primary(handle).map_err(failed)?;
        Ok(Self {
            driver,
            path,
            handle,
            context,
            capability,
        })
    }

    /// Goes on if the driver is still the only one of the process.
    pub(super) fn proven(&self) -> Verdict {
        mapped::only(&self.path).map_err(machine)
    }

    pub(super) fn release(self) -> Verdict {
        let Self {
            driver,
            handle,
            context,
            ..
        } = self;
        let failed = |error: CallError| Box::new(driver.failure(&error, ""));
        driver.release_primary(handle, context).map_err(failed)
    }
}

/// What a test computes with.
pub(in crate::check) struct Bench<'a> {
    pub(super) journal: &'a Journal,
    /// Reproduces the operands.
    pub(super) seed: u64,
    /// Bytes of device memory that the test may take.
    pub(super) budget: u64,
    device: &'a Device,
    memory: ManuallyDrop<Memory>,
    /// Not freed by dropping: after an error that may hang, and the process ends anyway.
    pieces: ManuallyDrop<RefCell<Vec<Piece>>>,
}

/// An array on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    /// Its first byte, aligned to 256 bytes.
    pub(super) at: DevicePointer,
    /// Its size in bytes.
    bytes: usize,
    /// Among all arrays.
    index: usize,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        journal: &'a Journal,
        device: &'a Device,
        seed: u64,
        budget: u64,
    ) -> Result<Self, Stop> {
        let memory = Memory::open().map_err(|error| failure(device, &error))?;
        Ok(Self {
            journal,
            seed,
            budget,
            device,
            memory: ManuallyDrop::new(memory),
            pieces: ManuallyDrop::new(RefCell::new(Vec::new())),
        })
    }

    /// The device's compute capability.
    pub(super) fn capability(&self) -> ComputeCapability {
        self.device.capability
    }

    /// The driver's file, for a test that needs more of it than one device.
    pub(super) fn driver_file(&self) -> &Path {
        &self.device.path
    }

    /// A device attribute by its number in `cuda.h`; zero if the driver does not know it.
    pub(super) fn attribute(&self, number: i32) -> i32 {
        let Device { driver, handle, .. } = self.device;
        driver.attribute(*handle, number).unwrap_or(0)
    }

    /// An array of these elements.
    pub(super) fn upload<T: Element>(&self, elements: &[T]) -> Result<Buffer, Stop> {
        self.place(&exact::bytes(elements))
    }

    /// An array of so many elements that nobody has written yet.
    pub(super) fn poisoned<T: Element>(&self, count: usize) -> Result<Buffer, Stop> {
        self.place(&vec![POISON; count * T::SIZE])
    }

    /// Waits for the device, then copies an array back. Stops if anything was written around it.
    pub(super) fn download<T: Element>(&self, buffer: &Buffer) -> Result<Vec<T>, Stop> {
        self.synchronize()?;
        let mut bytes = vec![0; buffer.bytes + 2 * RED_ZONE];
        let pieces = self.pieces.borrow();
        let piece = pieces
            .get(buffer.index)
            .expect("a buffer is made together with its memory");
        self.memory
            .read(piece, &mut bytes)
            .map_err(|error| failure(self.device, &error))?;
        let (before, rest) = bytes.split_at(RED_ZONE);
        let (inner, after) = rest.split_at(buffer.bytes);
        let strays = before.iter().chain(after).filter(|byte| **byte != POISON);
        let count = strays.count();
        if count > 0 {
            return Err(Box::new(CheckResult::Mismatch {
                kind: MismatchKind::StrayWrite,
                expected: format!(
                    "nothing is written around an array of {} bytes",
                    buffer.bytes
                ),
                found: format!("{count} bytes before or after it were written"),
            }));
        }
        Ok(exact::elements(inner))
    }

    /// Goes on if an operand is still what it was.
    pub(super) fn unchanged<T: Element>(
        &self,
        name: &str,
        buffer: &Buffer,
        elements: &[T],
    ) -> Verdict {
        let now: Vec<T> = self.download(buffer)?;
        if exact::bytes(&now) == exact::bytes(elements) {
            return Ok(());
        }
        Err(Box::new(CheckResult::Mismatch {
            kind: MismatchKind::InputChanged,
            expected: format!("the operand {name} stays as it was"),
            found: format!("the library has written to {name}"),
        }))
    }

    /// Waits until everything that was started has ended. The error of a kernel shows here.
    pub(super) fn synchronize(&self) -> Verdict {
        let Device { driver, .. } = self.device;
        driver
            .synchronize()
            .map_err(|error| failure(self.device, &error))
    }

    /// Loads machine code or PTX, starts one of its kernels, and waits. Each argument is a parameter's bytes.
    pub(super) fn launch(
        &self,
        image: &[u8],
        entry: &str,
        (blocks, threads): (u32, u32),
        arguments: &[Vec<u8>],
    ) -> Verdict {
        let Device { driver, .. } = self.device;
        self.journal.stage(Stage::Module);
        let (module, logs) = driver.load_image(image);
        let module = module.map_err(|error| Box::new(driver.failure(&error, &logs.error)))?;
        let failed = |error: CallError| Box::new(driver.failure(&error, ""));
        let function = driver.function(&module, entry).map_err(failed)?;
        self.journal.stage(Stage::Launch);
        let geometry = Geometry {
            grid: [blocks, 1, 1],
            block: [threads, 1, 1],
            dynamic_shared: 0,
        };
        driver
            .launch(&function, &geometry, arguments)
            .map_err(failed)?;
        self.synchronize()
    }

    /// The library is set up, and from here on it computes. The time of each is in the record.
    pub(super) fn computes(&self) {
        self.journal.stage(Stage::Compute);
    }

    /// The library has computed, and from here on the results are compared.
    pub(super) fn compares(&self) {
        self.journal.stage(Stage::Compare);
    }

    /// Adds to a failed call of the library what the driver says of its context.
    pub(super) fn with_driver(&self, mut stop: Stop) -> Stop {
        if let CheckResult::Library { driver, .. } = &mut *stop {
            let said = self.device.driver.synchronize();
            *driver = Some(
                said.err()
                    .and_then(|error| error.status())
                    .map_or(0, |it| it.0),
            );
        }
        stop
    }

    pub(super) fn release(self) -> Verdict {
        let pieces = ManuallyDrop::into_inner(self.pieces).into_inner();
        let failed = |error: CallError| failure(self.device, &error);
        for piece in pieces {
            self.memory.free(piece).map_err(failed)?;
        }
        ManuallyDrop::into_inner(self.memory)
            .close()
            .map_err(failed)
    }

    fn place(&self, content: &[u8]) -> Result<Buffer, Stop> {
        let failed = |error: CallError| failure(self.device, &error);
        let mut bytes = vec![POISON; RED_ZONE];
        bytes.extend(content);
        bytes.extend([POISON; RED_ZONE]);
        let mut piece = self.memory.allocate(bytes.len()).map_err(failed)?;
        self.memory.write(&mut piece, &bytes).map_err(failed)?;
        let mut pieces = self.pieces.borrow_mut();
        let buffer = Buffer {
            at: DevicePointer(piece.address).offset(RED_ZONE as u64),
            bytes: content.len(),
            index: pieces.len(),
        };
        pieces.push(piece);
        Ok(buffer)
    }
}

fn failure(device: &Device, error: &CallError) -> Stop {
    Box::new(device.driver.failure(error, ""))
}

fn machine(fault: MachineFault) -> Stop {
    Box::new(CheckResult::Machine(fault))
}
