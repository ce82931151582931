//! Standard output of the running server.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The most texts that wait to be written. A text is what is printed at once: up to 42 lines.
const MAX_WAITING: usize = 64;

/// How long the end of the program waits until the last texts are written.
const FINISH_TIME: Duration = Duration::from_secs(1);

/// Standard output, to which a thread of its own writes. A program that does not read the pipe would otherwise block
/// the thread that waits for the signal to stop.
pub(crate) struct Output {
    texts: SyncSender<String>,
    thread: JoinHandle<()>,
    has_dropped: Arc<AtomicBool>,
}

/// Prints to an [`Output`].
#[derive(Clone)]
pub(crate) struct Printer {
    texts: SyncSender<String>,
    has_dropped: Arc<AtomicBool>,
}

/// Nothing can be printed anymore, for example because standard output is closed.
pub(crate) struct Closed;

impl Output {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the thread.
    pub(crate) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (texts, waiting) = sync_channel(MAX_WAITING);
        let has_dropped = Arc::<AtomicBool>::default();
        let dropped = Arc::clone(&has_dropped);
        let thread = thread::Builder::new().name("xray-output".to_owned()).spawn(move || {
            if let Err(error) = write_all(out, &waiting, &dropped) {
                // A program that has closed the pipe does not want the rest.
                if error.kind() != io::ErrorKind::BrokenPipe {
                    log::warn!("cannot write to standard output: {error}; the console shows the traces");
                }
            }
        })?;
        Ok(Self { texts, thread, has_dropped })
    }

    pub(crate) fn printer(&self) -> Printer {
        Printer { texts: self.texts.clone(), has_dropped: Arc::clone(&self.has_dropped) }
    }

    /// Waits until everything is written, but not longer than [`FINISH_TIME`]. Every [`Printer`] must have been
    /// dropped.
    pub(crate) fn finish(self) {
        let Self { texts, thread, .. } = self;
        drop(texts);
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < FINISH_TIME {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Printer {
    /// Prints lines. Drops them if too many texts wait to be written.
    ///
    /// # Errors
    ///
    /// If nothing can be printed anymore.
    pub(crate) fn print(&self, lines: String) -> Result<(), Closed> {
        match self.texts.try_send(lines) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.has_dropped.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Closed),
        }
    }
}

/// Writes texts until the last sender is dropped.
fn write_all(mut out: impl Write, texts: &Receiver<String>, has_dropped: &AtomicBool) -> io::Result<()> {
    for text in texts {
        out.write_all(text.as_bytes())?;
        if has_dropped.swap(false, Ordering::Relaxed) {
            writeln!(out, "some lines are missing here because standard output was not read; see the console")?;
        }
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    /// A writer that blocks until a message arrives or the sender is dropped.
    struct Blocked(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn printing_never_waits_and_says_that_lines_are_missing() {
        let (unblock, blocked) = mpsc::channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let output = Output::start(Blocked(blocked, Arc::clone(&written))).unwrap();
        let printer = output.printer();
        for number in 0..1_000 {
            assert!(printer.print(format!("{number}\n")).is_ok());
        }
        drop((unblock, printer));
        output.finish();
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[0], "0");
        assert!(lines[1].starts_with("some lines are missing here"), "{lines:?}");
        // The thread may have taken the first text before the others came.
        assert!(lines.len() == MAX_WAITING + 1 || lines.len() == MAX_WAITING + 2, "{lines:?}");
    }

    #[test]
    fn the_end_does_not_wait_for_a_pipe_that_nobody_reads() {
        let (_unblock, blocked) = mpsc::channel();
        let output = Output::start(Blocked(blocked, Arc::default())).unwrap();
        assert!(output.printer().print("line\n".to_owned()).is_ok());
        let begun = Instant::now();
        output.finish();
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_closed_output_is_reported() {
        struct Full;

        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let output = Output::start(Full).unwrap();
        let printer = output.printer();
        let begun = Instant::now();
        while printer.print("line\n".to_owned()).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the failure is not noticed");
        }
    }
}
