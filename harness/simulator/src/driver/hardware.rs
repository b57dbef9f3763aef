//! What happens to a device beyond one context: it is lost, its memory decays, the kernel driver reports.
//!
//! The driver and NVML tell the same story from here. Where a folder for it is configured, the story outlives the
//! process, as the state of a real device does: a later probe finds the device lost.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::profile::Device;

/// The state of all devices of a machine.
#[derive(Debug, Default)]
pub(crate) struct Hardware {
    lost: bool,
    uncorrected: u64,
    events: VecDeque<Event>,
    folder: Option<PathBuf>,
}

/// Something that the kernel driver reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Event {
    /// The device, by its place in the profile.
    pub(crate) device: usize,
    /// Its kind.
    pub(crate) xid: u32,
}

impl Hardware {
    /// The state that a folder holds, or a healthy machine.
    pub(crate) fn open(folder: Option<PathBuf>) -> Self {
        let read = |name: &str| {
            let folder = folder.as_ref()?;
            fs::read_to_string(folder.join(name)).ok()
        };
        Self {
            lost: read("lost").is_some(),
            uncorrected: read("ecc-uncorrected")
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
            events: VecDeque::new(),
            folder,
        }
    }

    /// Whether the devices are gone.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Uncorrectable memory errors so far.
    pub(crate) fn uncorrected(&self) -> u64 {
        self.uncorrected
    }

    /// The oldest report that nobody has taken.
    pub(crate) fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The device falls off the bus.
    pub(crate) fn lose(&mut self, index: usize, device: &Device) {
        self.lost = true;
        self.keep("lost", "the device has fallen off the bus\n");
        self.report(index, device, 79, "GPU has fallen off the bus.");
    }

    /// An uncorrectable memory error.
    pub(crate) fn decay(&mut self, index: usize, device: &Device) {
        self.uncorrected += 1;
        self.keep("ecc-uncorrected", &format!("{}\n", self.uncorrected));
        let text = "DBE (double bit error) ECC Error";
        self.report(index, device, 48, text);
    }

    /// The kernel driver reports an Xid, with a line in the form of its log.
    pub(crate) fn report(&mut self, index: usize, device: &Device, xid: u32, text: &str) {
        self.events.push_back(Event { device: index, xid });
        let mut line = String::new();
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            line,
            "NVRM: Xid (PCI:{:04x}:{:02x}:{:02x}): {xid}, pid={}, name=simulated, {text}",
            device.pci.domain,
            device.pci.bus,
            device.pci.device,
            std::process::id()
        );
        let Some(folder) = &self.folder else { return };
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("kernel.log"));
        if let Ok(mut log) = log {
            // A log that cannot be written must not change what is simulated.
            let _ = log.write_all(line.as_bytes());
        }
    }

    fn keep(&self, name: &str, text: &str) {
        if let Some(folder) = &self.folder {
            // As above: without the file the state ends with the process.
            let _ = fs::write(folder.join(name), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_a_device_outlives_the_process() {
        let folder =
            std::env::temp_dir().join(format!("cudacheck-hardware-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let device = &crate::profile::find("h100").unwrap().devices[0];
        let mut hardware = Hardware::open(Some(folder.clone()));
        assert!(!hardware.is_lost());
        hardware.decay(0, device);
        hardware.lose(0, device);
        assert_eq!(hardware.take_event(), Some(Event { device: 0, xid: 48 }));
        let again = Hardware::open(Some(folder.clone()));
        assert!(again.is_lost());
        assert_eq!(again.uncorrected(), 1);
        let log = fs::read_to_string(folder.join("kernel.log")).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(
            log.contains("NVRM: Xid (PCI:0000:1b:00): 79, pid="),
            "{log}"
        );
        assert!(!Hardware::open(None).is_lost());
    }
}
