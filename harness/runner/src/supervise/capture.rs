//! Keeps what a worker prints: all of it in a file up to a limit, its head and tail in memory.
//!
//! The pipe is always drained, so that a worker that prints without end costs neither memory nor a hang.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use cudacheck_model::event::Output;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// Bytes of the output's beginning that are kept in memory.
const HEAD: usize = 64 * 1024;
/// Bytes of its end that are kept in memory.
const TAIL: usize = 192 * 1024;
/// Bytes that the log may have.
const LOG: u64 = 16 * 1024 * 1024;

const CUT: &[u8] = b"\n[cudacheck: output beyond 16 MiB is not kept]\n";

/// Output, as far as it is kept.
pub(super) struct Capture {
    /// None if it could not be made or written: what is in memory must do then.
    log: Option<File>,
    total: u64,
    head: Vec<u8>,
    tail: VecDeque<u8>,
}

impl Capture {
    /// Begins a log.
    pub(super) fn new(log: &Path) -> Self {
        Self {
            // An earlier worker may have left a pipe there, and to open one may take for ever.
            log: File::create_new(log).ok(),
            total: 0,
            head: Vec::new(),
            tail: VecDeque::new(),
        }
    }

    /// Reads until every writer has closed the pipe. What was read before a cancellation is kept.
    pub(super) async fn drain(&mut self, pipe: &mut Receiver) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match pipe.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => self.take(&buffer[..count]),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.write_log(bytes);
        self.total += bytes.len() as u64;
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    fn write_log(&mut self, bytes: &[u8]) {
        let Some(log) = &mut self.log else {
            return;
        };
        let room = usize::try_from(LOG.saturating_sub(self.total)).unwrap_or(usize::MAX);
        let written = if bytes.len() <= room {
            log.write_all(bytes)
        } else {
            log.write_all(&bytes[..room])
                .and_then(|()| log.write_all(CUT))
        };
        if written.is_err() || bytes.len() > room {
            self.log = None;
        }
    }

    /// What is kept in memory.
    pub(super) fn finish(mut self) -> Output {
        let kept = (self.head.len() + self.tail.len()) as u64;
        let left_out = self.total - kept;
        if left_out == 0 {
            self.head.extend(self.tail.drain(..));
        }
        let tail: Vec<u8> = self.tail.into();
        Output {
            head: String::from_utf8_lossy(&self.head).into_owned(),
            tail: String::from_utf8_lossy(&tail).into_owned(),
            left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chunks: &[usize], expected: (usize, usize, u64), logged: u64) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("output.log");
        let mut capture = Capture::new(&path);
        for chunk in chunks {
            capture.take(&vec![b'x'; *chunk]);
        }
        let output = capture.finish();
        assert_eq!(
            (output.head.len(), output.tail.len(), output.left_out),
            expected
        );
        assert_eq!(std::fs::metadata(&path).unwrap().len(), logged);
    }

    #[test]
    fn head_and_tail_are_kept_and_the_log_has_a_limit() {
        check(&[], (0, 0, 0), 0);
        check(&[10, 20], (30, 0, 0), 30);
        check(&[HEAD + TAIL], (HEAD + TAIL, 0, 0), (HEAD + TAIL) as u64);
        check(&[HEAD, TAIL, 5], (HEAD, TAIL, 5), (HEAD + TAIL + 5) as u64);
        let large = usize::try_from(LOG).unwrap();
        let left_out = LOG + 1 - (HEAD + TAIL) as u64;
        let with_note = LOG + CUT.len() as u64;
        check(&[large, 1], (HEAD, TAIL, left_out), with_note);
        check(&[large + 1], (HEAD, TAIL, left_out), with_note);
    }
}
