//! Keeps two runners on one machine from using a device at the same time.
//!
//! One lock file for each device, named by its UUID. The kernel releases a lock when its holder ends, in
//! whatever way, so a file that is left behind locks nothing.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use cudacheck_model::facts::Device;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::interrupt::Interrupt;

/// How often a held lock is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A device that no other runner uses, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why a device could not be had, as a sentence.
pub(crate) type Refusal = String;

/// Waits for a device, no longer than `limit` and no longer than the run is wanted.
pub(crate) async fn acquire(
    directory: &Path,
    device: &Device,
    limit: Duration,
    interrupts: &watch::Receiver<Interrupt>,
) -> Result<Lock, Refusal> {
    let path = directory.join(format!("{}.lock", file_name(&device.key())));
    let failed = |error: io::Error| format!("the lock file `{}`: {error}", path.display());
    fs::create_dir_all(directory).map_err(failed)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    let until = Instant::now() + limit;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
        }
        let wanted = *interrupts.borrow() == Interrupt::None;
        if Instant::now() >= until || !wanted {
            return Err(format!(
                "another cudacheck holds device {} (`{}`) for more than {} s",
                device.ordinal,
                path.display(),
                limit.as_secs()
            ));
        }
        sleep(PAUSE.min(until - Instant::now())).await;
    }
}

/// A UUID is a file name; what else a driver might answer must not leave the directory.
fn file_name(key: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    key.chars()
        .map(|letter| if allowed(letter) { letter } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_directory() {
        assert_eq!(file_name("GPU-6c1f2a34"), "GPU-6c1f2a34");
        assert_eq!(file_name("../x y"), "___x_y");
    }
}
