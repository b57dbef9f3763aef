//! Keeps two runners on one machine from using a device at the same time.
//!
//! One lock file for each device, named by its UUID. The kernel releases a lock when its holder ends, in
//! whatever way, so a file that is left behind locks nothing.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use cudacheck_model::facts::Device;
use rustix::fs::{FlockOperation, OFlags, flock};
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

/// Waits for a device, no longer than `limit` and no longer than the run is wanted. Calls `waits` once if it has to.
pub(crate) async fn acquire(
    directory: &Path,
    device: &Device,
    limit: Duration,
    interrupts: &watch::Receiver<Interrupt>,
    waits: impl FnOnce(),
) -> Result<Lock, Refusal> {
    let path = directory.join(format!("cudacheck-{}.lock", file_name(&device.key())));
    let failed = |error: io::Error| format!("the lock file `{}`: {error}", path.display());
    let file = open(&path).map_err(failed)?;
    let until = Instant::now() + limit;
    let mut waits = Some(waits);
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
        if let Some(waits) = waits.take() {
            waits();
        }
        sleep(PAUSE.min(until - Instant::now())).await;
    }
}

/// Opens a lock file, which another user may have made: reading is enough to lock it. Whatever stands there
/// instead of a file is neither followed nor waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let existing = || {
        let flags = flags.bits().cast_signed();
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    match existing() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => {
            // For other users, whatever this one's umask is.
            file.set_permissions(Permissions::from_mode(0o644))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => existing(),
        Err(error) => Err(error),
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
    fn a_lock_is_for_all_users_and_follows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.lock");
        let first = open(&path).unwrap();
        assert_eq!(
            first.metadata().unwrap().permissions().mode() & 0o777,
            0o644
        );
        flock(&first, FlockOperation::NonBlockingLockExclusive).unwrap();
        let second = open(&path).unwrap();
        let held = flock(&second, FlockOperation::NonBlockingLockExclusive);
        assert_eq!(held, Err(Errno::WOULDBLOCK));
        let link = folder.path().join("link.lock");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(open(&link).is_err());
    }

    #[tokio::test]
    async fn a_device_is_for_one_runner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let device = crate::device::tests::device(0, Some("GPU-1"));
        let (_sender, interrupts) = watch::channel(Interrupt::None);
        let take = || acquire(folder.path(), &device, Duration::ZERO, &interrupts, || {});
        let first = take().await.unwrap();
        let refusal = take().await.unwrap_err();
        assert!(
            refusal.starts_with("another cudacheck holds device 0"),
            "{refusal}"
        );
        drop(first);
        take().await.unwrap();
    }

    #[test]
    fn a_name_stays_in_its_directory() {
        assert_eq!(file_name("GPU-6c1f2a34"), "GPU-6c1f2a34");
        assert_eq!(file_name("../x y"), "___x_y");
    }
}
