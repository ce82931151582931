//! The emitter that writes documents as lines of JSON.

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

/// Writes each document as one line of JSON: to a file, to the standard output, or to any writer.
///
/// A thread of its own writes, which starts with the first document; each time nothing more waits it flushes the
/// writer. Between the two stands a queue of 16,384 documents and about 128 MiB; what finds it full is dropped, as is
/// what cannot be written, and the first time is logged. A line has no limit of length, as a datagram has.
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
    /// Whether a loss is logged already.
    has_lost: AtomicBool,
}

impl LinesEmitter {
    /// Writes to a writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        let background = Arc::new(Background::new("xray-lines"));
        let delivery = Delivery::new(background, |queue| async move { write_all(&queue, writer).await });
        Self { delivery, has_lost: AtomicBool::new(false) }
    }

    /// Writes to the standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(io::stdout())
    }

    /// Writes to the end of a file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened for that.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(File::options().create(true).append(true).open(path)?))
    }
}

impl Emitter for LinesEmitter {
    fn emit(&self, document: Document) {
        if !self.delivery.take(document) && !self.has_lost.swap(true, Ordering::Relaxed) {
            log::warn!(target: "xray::emitter", "a document is dropped: the writer is too slow, or has ended");
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.delivery.flush(limit)
    }
}

/// Writes until the emitter is dropped.
async fn write_all(queue: &Queue, writer: impl Write) {
    let mut writer = BufWriter::new(writer);
    let mut has_failed = false;
    let mut told = |result: io::Result<()>| {
        if let (Err(error), false) = (result, has_failed) {
            has_failed = true;
            log::warn!(target: "xray::emitter", "a document is not written: {error}; further ones are not reported");
        }
    };
    while let Some(document) = queue.next().await {
        told(write_line(&mut writer, &document));
        if queue.is_to_settle() {
            told(writer.flush());
            queue.settle();
        }
    }
}

fn write_line(writer: &mut impl Write, document: &Document) -> io::Result<()> {
    serde_json::to_writer(&mut *writer, document)?;
    writer.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Recorder, Segment};

    /// What was written, and after how many documents the disk is full.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>, Option<usize>);

    impl Write for Shared {
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

    fn emit(writer: Shared, count: usize) -> bool {
        let recorder = Recorder::builder().emitter(LinesEmitter::new(writer)).build_isolated();
        for number in 0..count {
            Segment::builder(format!("segment {number}")).recorder(&recorder).sampled(true).begin().end();
        }
        recorder.flush(Duration::from_secs(20))
    }

    #[test]
    fn a_line_for_each_document_in_order() {
        let writer = Shared::default();
        assert!(emit(writer.clone(), 1000));
        let text = String::from_utf8(writer.0.lock().unwrap().clone()).unwrap();
        let names: Vec<_> = text.lines().map(|line| serde_json::from_str::<Document>(line).unwrap().name).collect();
        assert_eq!(names, (0..1000).map(|number| format!("segment {number}")).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_disk_holds_nothing_up() {
        let writer = Shared(Arc::default(), Some(2000));
        assert!(emit(writer.clone(), 1000));
        assert!(!writer.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_writer_that_panics_is_no_one_elses_affair() {
        struct Panics;

        impl Write for Panics {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("a writer's own affair")
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let recorder = Recorder::builder().emitter(LinesEmitter::new(Panics)).build_isolated();
        for _ in 0..3 {
            Segment::builder("segment").recorder(&recorder).begin().end();
        }
        assert!(!recorder.flush(Duration::from_secs(5)), "there is nobody to write");
        Segment::builder("segment").recorder(&recorder).begin().end();
    }
}
