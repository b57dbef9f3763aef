//! The state of the simulated driver in one process: devices, contexts, and what belongs to them.
//!
//! Everything here is safe and knows no pointers of the host; the exported functions turn pointers into values
//! and hand them over together with the calling thread's current context.

use std::collections::BTreeMap;

use super::configuration::{Configuration, Setup};
use super::context::Context;
use super::hardware::{Event as HardwareEvent, Hardware};
use super::module::{Function, Module};
use super::status::Status;
use super::stream::{Event, Stream};
use crate::exec::Memory;
use crate::inject::{CallEffect, Injection};
use crate::profile::{Attribute, Device};

/// A handle that callers see as an opaque pointer.
pub(crate) type Handle = u64;

/// Handles begin here, in steps that look like addresses of a heap; nothing lies behind them.
const FIRST_HANDLE: Handle = 0x5d00_0000_1000;

/// The driver of one process.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) setup: Setup,
    pub(super) initialised: Option<Status>,
    pub(super) visible: Vec<VisibleDevice>,
    pub(super) contexts: BTreeMap<Handle, Context>,
    pub(super) modules: BTreeMap<Handle, Module>,
    pub(super) functions: BTreeMap<Handle, Function>,
    pub(super) streams: BTreeMap<Handle, Stream>,
    pub(super) events: BTreeMap<Handle, Event>,
    pub(super) pinned: BTreeMap<u64, u64>,
    pub(super) hardware: Hardware,
    pub(super) launched: bool,
    next: Handle,
}

/// A device that this process may see.
#[derive(Debug)]
pub(crate) struct VisibleDevice {
    /// Its place in the profile.
    pub(super) index: usize,
    pub(super) memory: Memory,
    pub(super) primary: Option<Primary>,
    pub(super) primary_flags: u32,
}

/// The primary context of a device while somebody retains it.
#[derive(Debug)]
pub(crate) struct Primary {
    pub(super) context: Handle,
    pub(super) retained: u32,
}

impl Machine {
    /// A driver that nobody has initialised.
    pub(crate) fn new(setup: Setup) -> Self {
        let (hardware, visible) = match &setup {
            Setup::Ready(configuration) => (
                Hardware::open(configuration.state.clone()),
                visible_devices(configuration),
            ),
            Setup::Absent | Setup::Broken(_) => (Hardware::default(), Vec::new()),
        };
        Self {
            setup,
            initialised: None,
            visible,
            contexts: BTreeMap::new(),
            modules: BTreeMap::new(),
            functions: BTreeMap::new(),
            streams: BTreeMap::new(),
            events: BTreeMap::new(),
            pinned: BTreeMap::new(),
            hardware,
            launched: false,
            next: FIRST_HANDLE,
        }
    }

    /// What the machine is, or that there is none.
    pub(crate) fn configuration(&self) -> Result<&Configuration, Status> {
        match &self.setup {
            Setup::Ready(configuration) => Ok(configuration),
            Setup::Absent => Err(Status::NO_DEVICE),
            Setup::Broken(_) => Err(Status::UNKNOWN),
        }
    }

    /// What has happened to the devices.
    pub(crate) fn hardware(&self) -> &Hardware {
        &self.hardware
    }

    /// The oldest report of the kernel driver that nobody has taken.
    pub(crate) fn take_event(&mut self) -> Option<HardwareEvent> {
        self.hardware.take_event()
    }

    /// Bytes that this process has allocated on a device, by its place in the profile.
    pub(crate) fn used_memory(&self, index: usize) -> u64 {
        let same = |device: &&VisibleDevice| device.index == index;
        let device = self.visible.iter().find(same);
        device.map_or(0, |device| device.memory.used())
    }

    /// Whether this process has a context on a device, by its place in the profile.
    pub(crate) fn uses(&self, index: usize) -> bool {
        self.contexts.values().any(|context| {
            self.visible_device(context.device)
                .is_ok_and(|device| device.index == index)
        })
    }

    /// What an injected fault makes of a call, if one applies to it.
    pub(crate) fn injected(&self, function: &str) -> Option<CallEffect> {
        let configuration = self.configuration().ok()?;
        let effect = |injection: &Injection| injection.fault.call_effect(function);
        configuration.injections.iter().find_map(effect)
    }

    /// `cuInit`.
    pub(crate) fn initialise(&mut self, flags: u32) -> Result<(), Status> {
        if flags != 0 {
            return Err(Status::INVALID_VALUE);
        }
        let answer = match self.configuration() {
            Err(status) => status,
            Ok(configuration) if configuration.profile.initialisation.cuda != 0 => {
                Status(configuration.profile.initialisation.cuda)
            }
            // A driver started after its device fell off the bus fails without a better reason.
            Ok(_) if self.hardware.is_lost() => Status::UNKNOWN,
            Ok(_) if self.visible.is_empty() => Status::NO_DEVICE,
            Ok(_) => Status::SUCCESS,
        };
        self.initialised = Some(answer);
        match answer {
            Status::SUCCESS => Ok(()),
            status => Err(status),
        }
    }

    /// Fails like every call before a successful `cuInit`; without a simulation there is no device, whatever is asked.
    pub(crate) fn require_initialised(&self) -> Result<(), Status> {
        self.configuration()?;
        match self.initialised {
            Some(Status::SUCCESS) => Ok(()),
            _ => Err(Status::NOT_INITIALIZED),
        }
    }

    /// `cuDeviceGetCount`.
    pub(crate) fn device_count(&self) -> i32 {
        i32::try_from(self.visible.len()).unwrap_or(i32::MAX)
    }

    /// What the profile says of the visible device of this ordinal.
    pub(crate) fn device(&self, ordinal: i32) -> Result<&Device, Status> {
        let index = self.visible_device(ordinal)?.index;
        Ok(&self.configuration()?.profile.devices[index])
    }

    pub(super) fn visible_device(&self, ordinal: i32) -> Result<&VisibleDevice, Status> {
        usize::try_from(ordinal)
            .ok()
            .and_then(|ordinal| self.visible.get(ordinal))
            .ok_or(Status::INVALID_DEVICE)
    }

    pub(super) fn visible_device_mut(
        &mut self,
        ordinal: i32,
    ) -> Result<&mut VisibleDevice, Status> {
        usize::try_from(ordinal)
            .ok()
            .and_then(|ordinal| self.visible.get_mut(ordinal))
            .ok_or(Status::INVALID_DEVICE)
    }

    /// `cuDeviceGetAttribute`.
    pub(crate) fn attribute(&self, ordinal: i32, number: u32) -> Result<i32, Status> {
        let device = self.device(ordinal)?;
        let cuda = self.configuration()?.profile.driver.cuda;
        let attribute = Attribute::from_number(number)
            .filter(|attribute| attribute.known_to(cuda))
            .ok_or(Status::INVALID_VALUE)?;
        // What this driver cannot do it does not promise, whatever the real device can.
        let able = !NOT_SIMULATED.contains(&number);
        Ok(if able { device.attribute(attribute) } else { 0 })
    }

    /// A handle that was never given out before.
    pub(super) fn new_handle(&mut self) -> Handle {
        self.next += 0x40;
        self.next
    }
}

/// Attributes that stand for functions which this driver does not have: mapped and managed memory, registration of
/// host memory, access to pageable memory, memory operations of streams, virtual memory management and its handles,
/// sparse arrays, clusters, deferred mapping, dma-buf, interprocess events, tensor maps, fabric, multicast.
const NOT_SIMULATED: &[u32] = &[
    19, 83, 88, 89, 91, 92, 93, 94, 99, 100, 101, 102, 103, 112, 113, 120, 121, 122, 123, 124, 125,
    127, 128, 132,
];

/// The devices that `CUDA_VISIBLE_DEVICES` leaves, in its order.
///
/// As in the programming guide: entries are ordinals or beginnings of UUIDs, the first one that names no device ends
/// the list, and a device that is named twice makes the whole list invalid.
fn visible_devices(configuration: &Configuration) -> Vec<VisibleDevice> {
    let devices = &configuration.profile.devices;
    let mut chosen: Vec<usize> = Vec::new();
    match &configuration.visible {
        None => chosen.extend(0..devices.len()),
        Some(list) => {
            for word in list.split(',').map(str::trim) {
                let index = match word.parse::<usize>() {
                    Ok(index) => Some(index).filter(|index| *index < devices.len()),
                    Err(_) if word.starts_with("GPU-") => devices
                        .iter()
                        .position(|device| device.uuid.starts_with(word)),
                    Err(_) => None,
                };
                match index {
                    None => break,
                    Some(index) if chosen.contains(&index) => return Vec::new(),
                    Some(index) => chosen.push(index),
                }
            }
        }
    }
    chosen
        .into_iter()
        .map(|index| VisibleDevice {
            index,
            memory: Memory::new(devices[index].memory),
            primary: None,
            primary_flags: 0,
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A machine as the environment would make it.
    pub(in crate::driver) fn machine(variables: &[(&str, &str)]) -> Machine {
        Machine::new(Setup::from_variables(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        }))
    }

    #[track_caller]
    fn check_init(variables: &[(&str, &str)], expected: u32) {
        let answer = machine(variables).initialise(0);
        assert_eq!(answer.err().unwrap_or(Status::SUCCESS), Status(expected));
    }

    #[track_caller]
    fn check_visible(list: &str, expected: &[&str]) {
        let machine = machine(&[
            ("CUDACHECK_SIMULATE", "two-gpus"),
            ("CUDA_VISIBLE_DEVICES", list),
        ]);
        let names: Vec<&str> = (0..)
            .map_while(|ordinal| machine.device(ordinal).ok())
            .map(|device| device.name.as_str())
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn initialisation_answers_as_the_profile_says() {
        check_init(&[], 100);
        check_init(&[("CUDACHECK_SIMULATE", "h100")], 0);
        check_init(&[("CUDACHECK_SIMULATE", "no-device")], 100);
        check_init(&[("CUDACHECK_SIMULATE", "mismatch")], 803);
        check_init(&[("CUDACHECK_SIMULATE", "nonsense")], 999);
        check_init(
            &[("CUDACHECK_SIMULATE", "h100"), ("CUDA_VISIBLE_DEVICES", "")],
            100,
        );
        let mut machine = machine(&[("CUDACHECK_SIMULATE", "h100")]);
        assert_eq!(machine.require_initialised(), Err(Status::NOT_INITIALIZED));
        assert_eq!(machine.initialise(1), Err(Status::INVALID_VALUE));
        assert_eq!(machine.initialise(0), Ok(()));
        assert_eq!(machine.require_initialised(), Ok(()));
    }

    #[test]
    fn visible_devices_are_chosen_by_ordinal_and_uuid() {
        check_visible("0,1", &["NVIDIA L40S", "Tesla T4"]);
        check_visible("1,0", &["Tesla T4", "NVIDIA L40S"]);
        check_visible("1", &["Tesla T4"]);
        check_visible("GPU-51d00075", &["Tesla T4"]);
        check_visible("0,7,1", &["NVIDIA L40S"]);
        check_visible("0,MIG-51d00089-0040,1", &["NVIDIA L40S"]);
        check_visible("0,0", &[]);
        check_visible("-1", &[]);
        check_visible("", &[]);
    }

    #[test]
    fn attributes_answer_what_the_driver_knows_and_can_do() {
        let mut old = machine(&[("CUDACHECK_SIMULATE", "old-driver")]);
        old.initialise(0).unwrap();
        assert_eq!(old.attribute(0, 10), Ok(32));
        assert_eq!(old.attribute(0, 115), Ok(1));
        assert_eq!(old.attribute(0, 120), Err(Status::INVALID_VALUE));
        assert_eq!(old.attribute(0, 0), Err(Status::INVALID_VALUE));
        assert_eq!(old.attribute(0, 102), Ok(0));
        assert_eq!(old.attribute(1, 10), Err(Status::INVALID_DEVICE));
        assert_eq!(old.attribute(-1, 10), Err(Status::INVALID_DEVICE));
    }

    #[test]
    fn an_injected_answer_applies_to_its_function_only() {
        let machine = machine(&[
            ("CUDACHECK_SIMULATE", "h100"),
            ("CUDACHECK_INJECT", "cuModuleLoadData:221"),
        ]);
        assert_eq!(
            machine.injected("cuModuleLoadDataEx"),
            Some(CallEffect::Answer(221))
        );
        assert_eq!(machine.injected("cuInit"), None);
    }
}
