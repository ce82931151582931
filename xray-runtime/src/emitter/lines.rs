//! An emitter that writes documents as lines of JSON.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Emitter;
use super::delivery::Delivery;
use super::queue::Queue;
use crate::document::Document;
use crate::support::background::Background;
use crate::support::log_line::log_line;

/// An emitter that writes each document as one line of JSON: to a file, to the standard output, or to any writer.
///
/// It writes on its own thread, which starts with the first document. Whenever no document is waiting, it flushes the
/// writer. Up to 16,384 documents of together about 128 MiB of JSON wait in a queue. A document that finds the queue
/// full, or that cannot be written, is dropped; the first of each is logged. Unlike a datagram, a line has no limit of
/// length: no document is split or trimmed.
///
/// ```
/// use std::time::Duration;
/// use xray::sampling::Always;
/// use xray::emitter::LinesEmitter;
/// use xray::{Recorder, Segment};
///
/// let path = std::env::temp_dir().join("xray-lines-example.jsonl");
/// # let _ = std::fs::remove_file(&path);
/// let recorder = Recorder::builder().sampler(Always).emitter(LinesEmitter::append(&path)?).build();
/// Segment::builder("todo-app").recorder(&recorder).begin().end();
/// recorder.flush(Duration::from_secs(2));
/// let lines = std::fs::read_to_string(&path)?;
/// assert_eq!(lines.lines().count(), 1);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct LinesEmitter {
    delivery: Delivery,
    /// Whether a document was dropped and that was logged.
    has_logged_drop: AtomicBool,
}

impl LinesEmitter {
    /// Creates an emitter that writes to `writer`.
    ///
    /// A panic of the writer ends the emitter: later documents are dropped.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        // Not the recorder's thread: a write to a full disk or to a pipe that nobody reads blocks, and would stop the
        // polling for sampling rules with it.
        let background = Arc::new(Background::new("xray-lines"));
        let delivery = Delivery::new(background, |queue| async move { write_all(&queue, writer).await });
        Self { delivery, has_logged_drop: AtomicBool::new(false) }
    }

    /// Creates an emitter that writes to the standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }

    /// Creates an emitter that appends to a file. The file is created if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns the error of the system if the file cannot be opened for appending.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(File::options().create(true).append(true).open(path)?))
    }
}

impl Emitter for LinesEmitter {
    fn emit(&self, document: Document) {
        if !self.delivery.push(document) && !self.has_logged_drop.swap(true, Ordering::Relaxed) {
            log_line!(
                Warn,
                "xray::emitter",
                "`LinesEmitter` dropped a document: its queue is full because the writer is too slow, or the writer \
                 panicked (logged once)",
            );
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.delivery.flush(limit)
    }
}

/// Writes documents until the queue is closed and empty.
async fn write_all(queue: &Queue, writer: impl Write) {
    let mut writer = BufWriter::new(writer);
    let mut has_failed = false;
    let mut log_first_failure = |result: io::Result<()>| {
        if let (Err(error), false) = (result, has_failed) {
            has_failed = true;
            log_line!(
                Warn,
                "xray::emitter",
                "`LinesEmitter` could not write a document, which is lost: {error} (logged once)",
            );
        }
    };
    while let Some(document) = queue.next().await {
        log_first_failure(write_line(&mut writer, &document));
        // A flush for each document would be a system call for each. Under load documents are waiting, and then several
        // share one; a reader of the file is at most one burst behind.
        if queue.is_flush_due() {
            log_first_failure(writer.flush());
            queue.mark_finished();
        }
    }
}

fn write_line(writer: &mut impl Write, document: &Document) -> io::Result<()> {
    serde_json::to_writer(&mut *writer, document)?;
    writer.write_all(b"\n")
}

impl fmt::Debug for LinesEmitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LinesEmitter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Recorder, Segment};

    /// A writer whose bytes the test can read. With a limit it fails once that many bytes are written.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<Vec<u8>>>, Option<usize>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            if self.1.is_some_and(|limit| written.len() >= limit) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn emit(writer: Disk, count: usize) -> bool {
        let recorder = Recorder::builder().emitter(LinesEmitter::new(writer)).build_isolated();
        for number in 0..count {
            Segment::builder(format!("segment {number}")).recorder(&recorder).sampled(true).begin().end();
        }
        recorder.flush(Duration::from_secs(20))
    }

    #[test]
    fn each_document_is_a_line_in_the_order_of_emission() {
        let writer = Disk::default();
        assert!(emit(writer.clone(), 1000));
        let text = String::from_utf8(writer.0.lock().unwrap().clone()).unwrap();
        let names: Vec<_> = text.lines().map(|line| serde_json::from_str::<Document>(line).unwrap().name).collect();
        assert_eq!(names, (0..1000).map(|number| format!("segment {number}")).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_disk_delays_nothing() {
        let writer = Disk(Arc::default(), Some(2000));
        assert!(emit(writer.clone(), 1000));
        assert!(!writer.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_writer_that_panics_ends_the_emitter_and_nothing_else() {
        struct Panics;

        impl Write for Panics {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("this writer fails")
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let recorder = Recorder::builder().emitter(LinesEmitter::new(Panics)).build_isolated();
        for _ in 0..3 {
            Segment::builder("segment").recorder(&recorder).begin().end();
        }
        assert!(!recorder.flush(Duration::from_secs(5)), "the documents were not written");
        Segment::builder("segment").recorder(&recorder).begin().end();
    }
}
