//! Looks at the supervisor itself at the end of a run: it must have stayed small and free of any driver.
//!
//! A driver's library in this process could hang it for ever inside the kernel, so that even the report
//! would be lost. The run's directory keeps the evidence.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::Serialize;

/// What this process is at the end of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Inspection {
    schema: u32,
    /// The most memory that was ever resident, in KiB.
    peak_resident_kib: Option<u64>,
    /// Every shared library that is mapped.
    libraries: Vec<String>,
}

impl Inspection {
    pub(crate) fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        Self {
            schema: 1,
            peak_resident_kib: peak_resident_kib(&status),
            libraries: libraries(&maps),
        }
    }

    pub(crate) fn write(&self, directory: &Path) {
        if let Ok(text) = serde_json::to_string_pretty(self) {
            // Something of that name is not ours: a worker may have put a pipe there that takes no text.
            let _ = File::create_new(directory.join("supervisor.json"))
                .and_then(|mut file| writeln!(file, "{text}"));
        }
    }
}

fn peak_resident_kib(status: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()
}

fn libraries(maps: &str) -> Vec<String> {
    let paths = maps
        .lines()
        .filter_map(|line| line.split_once('/').map(|(_, path)| format!("/{path}")));
    let mut libraries: Vec<String> = paths.filter(|path| path.contains(".so")).collect();
    libraries.sort();
    libraries.dedup();
    libraries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_status_are_read_as_the_kernel_writes_them() {
        let maps = "55d0-55d1 r--p 00000000 fe:00 1 /usr/bin/cudacheck\n\
                    7f00-7f01 r-xp 00000000 fe:00 2 /usr/lib/libc.so.6\n\
                    7f02-7f03 r--p 00000000 fe:00 2 /usr/lib/libc.so.6\n\
                    7ffc-7ffd rw-p 00000000 00:00 0 [stack]\n";
        assert_eq!(libraries(maps), ["/usr/lib/libc.so.6"]);
        assert_eq!(
            peak_resident_kib("Name:\tx\nVmHWM:\t    5120 kB\n"),
            Some(5120)
        );
    }
}
