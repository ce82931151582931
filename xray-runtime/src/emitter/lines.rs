//! An emitter that writes documents as lines of JSON.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

use super::background_queue::BackgroundQueue;
use super::counts::Counts;
use super::queue::Queue;
use super::{Deliveries, Emitter, FinishedSegment};
use crate::support::background::Background;
use crate::support::guard::guard;
use crate::support::log_line::{LoggedOnce, log_line};

/// An emitter that writes each document as one line of JSON: to a file, to the standard output, or to any writer.
///
/// It writes on its own thread, which starts with the first document. Whenever no document is waiting, it flushes the
/// writer, so a writer needs no buffer of its own. Up to 16,384 documents, about 128 MiB of memory in total, wait in a
/// queue. A document that finds the queue full, or that cannot be written, is dropped and [counted](crate::Stats). The
/// first document that finds the queue full is logged. The first document that cannot be written is logged, and after a
/// successful write the next such document. After an error in the middle of a line, the next document begins a new
/// line. Unlike a datagram, a line has no limit of length: no document is split or trimmed.
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
    queue: BackgroundQueue,
    counts: Arc<Counts>,
}

impl LinesEmitter {
    /// Creates an emitter that writes to `writer`.
    ///
    /// A panic of the writer loses the documents that it was given, as an error does.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        // Not the recorder's thread: a write to a full disk or to a pipe that nobody reads blocks, and would stop the
        // polling for sampling rules with it.
        let background = Arc::new(Background::new("xray-lines"));
        let counts = Arc::<Counts>::default();
        let output = Arc::new(Output::new(writer, Arc::clone(&counts)));
        let queue = BackgroundQueue::new(background, move |queue| {
            let output = Arc::clone(&output);
            async move { output.write_all(&queue).await }
        });
        Self { queue, counts }
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
    fn emit(&self, segment: FinishedSegment) {
        if !self.queue.push(segment) {
            self.counts.dropped_at_full_queue("LinesEmitter", "the writer is too slow");
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        self.queue.flush(limit)
    }

    fn attach(&self, deliveries: &Deliveries) {
        self.counts.claim(deliveries);
    }
}

/// The writer and its state, which belong to the writing task.
struct Output<W> {
    // Only one task at a time locks it, and only to write. The child of a fork during a write cannot lock it.
    file: Mutex<LineWriter<W>>,
    counts: Arc<Counts>,
    /// Limits the line about a failure to one since the last successful write.
    logged_failure: LoggedOnce,
}

impl<W: Write> Output<W> {
    fn new(writer: W, counts: Arc<Counts>) -> Self {
        Self { file: Mutex::new(LineWriter { writer, is_torn: false }), counts, logged_failure: LoggedOnce::new() }
    }

    /// Writes documents until the queue is closed and empty.
    async fn write_all(&self, queue: &Queue) {
        let mut batch = Batch::new(&self.counts);
        while let Some(segment) = queue.next().await {
            batch.push(&segment);
            // One write for each document would be a system call for each. Under load documents are waiting, and then
            // several share one; a reader of the file is at most one burst behind.
            if batch.is_full() || queue.is_flush_due() {
                self.write(&mut batch);
                queue.mark_finished();
            }
        }
    }

    fn write(&self, batch: &mut Batch<'_>) {
        let (written, result) = match self.file.try_lock() {
            Ok(mut file) => write_guarded(&mut file, &batch.text),
            Err(TryLockError::Poisoned(file)) => write_guarded(&mut file.into_inner(), &batch.text),
            Err(TryLockError::WouldBlock) => {
                (0, Err(io::Error::other("this process was forked while its parent wrote a line")))
            }
        };
        batch.finish(written);
        match result {
            Ok(()) => _ = self.logged_failure.reset(),
            Err(error) => self.log_failure(&error),
        }
    }

    fn log_failure(&self, error: &io::Error) {
        if self.logged_failure.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "`LinesEmitter` could not write a document, which is lost: {error}. Further ones are counted in \
                 `Stats::documents_dropped` (logged once until documents can be written)",
            );
        }
    }
}

/// Writes lines. The writer is the program's own code, and a panic of it is an error.
fn write_guarded(file: &mut LineWriter<impl Write>, lines: &[u8]) -> (usize, io::Result<()>) {
    guard(|| file.write(lines)).unwrap_or_else(|| (0, Err(io::Error::other("the writer panicked"))))
}

/// A writer of whole lines.
struct LineWriter<W> {
    writer: W,
    /// `true` if the last line was written in part.
    is_torn: bool,
}

impl<W: Write> LineWriter<W> {
    /// Writes lines and flushes the writer. Returns how many bytes of them are written, and the error if not all are.
    fn write(&mut self, lines: &[u8]) -> (usize, io::Result<()>) {
        // The line counts as torn until the write has ended, because the writer may panic.
        if std::mem::replace(&mut self.is_torn, true) {
            if let Err(error) = self.writer.write_all(b"\n") {
                return (0, Err(error));
            }
        }
        let mut written = 0;
        let mut result = Ok(());
        while written < lines.len() {
            match self.writer.write(&lines[written..]) {
                Ok(0) => {
                    result = Err(io::ErrorKind::WriteZero.into());
                    break;
                }
                Ok(bytes) => written = lines.len().min(written + bytes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.is_torn = written > 0 && lines[written - 1] != b'\n';
        // A buffered writer that fails to flush may lose the buffered documents.
        if let Err(error) = self.writer.flush() {
            return (0, Err(error));
        }
        (written, result)
    }
}

/// Lines that are written together. Every document in it is counted once, however the task ends.
struct Batch<'a> {
    text: Vec<u8>,
    /// Where each document ends in the text.
    ends: Vec<usize>,
    counts: &'a Counts,
}

impl<'a> Batch<'a> {
    const FULL: usize = 64 * 1024;

    fn new(counts: &'a Counts) -> Self {
        Self { text: Vec::new(), ends: Vec::new(), counts }
    }

    /// Adds a document.
    fn push(&mut self, segment: &FinishedSegment) {
        segment.write_json(&mut self.text);
        self.text.push(b'\n');
        self.ends.push(self.text.len());
    }

    fn is_full(&self) -> bool {
        self.text.len() >= Self::FULL
    }

    /// Counts each document of the batch as sent or dropped, given the number of bytes that were written, and empties
    /// the batch.
    fn finish(&mut self, written: usize) {
        let sent = self.ends.iter().filter(|end| **end <= written).count();
        self.counts.sent(sent as u64);
        self.counts.dropped((self.ends.len() - sent) as u64);
        self.text.clear();
        // A document may be large once, and the next ones small.
        self.text.shrink_to(2 * Self::FULL);
        self.ends.clear();
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.finish(0);
    }
}

impl fmt::Debug for LinesEmitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LinesEmitter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::id::SegmentId;
    use crate::support::stats::Counters;
    use crate::{Document, Recorder, Segment};

    /// A writer whose bytes the test can read. It takes that many bytes and then fails.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, Arc<AtomicUsize>);

    impl Default for Disk {
        fn default() -> Self {
            Self(Arc::default(), Arc::new(AtomicUsize::new(usize::MAX)))
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            let room = self.1.load(Ordering::Relaxed).saturating_sub(written.len());
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = &bytes[..bytes.len().min(room)];
            written.extend_from_slice(taken);
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn emit(writer: Disk, count: usize) -> bool {
        let recorder = Recorder::builder().emitter(LinesEmitter::new(writer)).build_for_capture();
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
    fn documents_that_wait_share_a_write() {
        /// Waits in its first write until the sender of its channel is dropped. Passes on how many lines each write
        /// has.
        struct Gate(Receiver<()>, Sender<usize>);

        impl Write for Gate {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                self.1.send(std::str::from_utf8(bytes).unwrap().lines().count()).unwrap();
                Ok(bytes.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let ((closed, gate), (sender, lines)) = (channel(), channel());
        let recorder = Recorder::builder().emitter(LinesEmitter::new(Gate(gate, sender))).build_for_capture();
        for _ in 0..100 {
            Segment::builder("segment").recorder(&recorder).sampled(true).begin().end();
        }
        drop(closed);
        let mut writes = Vec::new();
        while writes.iter().sum::<usize>() < 100 {
            writes.push(lines.recv_timeout(Duration::from_secs(20)).unwrap());
        }
        assert!(writes.len() <= 2, "{writes:?}");
    }

    #[test]
    fn a_task_that_dies_has_counted_each_of_its_documents_once() {
        let counters = Arc::new(Counters::default());
        let counts = Counts::default();
        counts.claim(&Deliveries::new(Arc::clone(&counters), "service"));
        let mut batch = Batch::new(&counts);
        let push = |batch: &mut Batch<'_>| batch.push(&Document::new(SegmentId::random(), "s".to_owned(), 1.0).into());
        push(&mut batch);
        let written = batch.text.len();
        push(&mut batch);
        batch.finish(written);
        push(&mut batch);
        drop(batch);
        let stats = counters.snapshot();
        assert_eq!([stats.documents_sent, stats.documents_dropped], [1, 2]);
    }

    #[test]
    fn a_full_disk_loses_what_does_not_fit_and_tears_at_most_one_line() {
        let disk = Disk(Arc::default(), Arc::new(AtomicUsize::new(2000)));
        let recorder = Recorder::builder().emitter(LinesEmitter::new(disk.clone())).build_for_capture();
        for number in 0..1000 {
            if number == 500 {
                assert!(recorder.flush(Duration::from_secs(20)));
                disk.1.store(usize::MAX, Ordering::Relaxed);
            }
            Segment::builder(format!("segment {number}")).recorder(&recorder).sampled(true).begin().end();
        }
        assert!(recorder.flush(Duration::from_secs(20)));
        let stats = recorder.stats();
        assert_eq!(stats.documents_sent + stats.documents_dropped, 1000, "{stats:?}");
        let text = String::from_utf8(disk.0.lock().unwrap().clone()).unwrap();
        let whole = text.lines().filter(|line| serde_json::from_str::<Document>(line).is_ok()).count();
        assert_eq!(whole as u64, stats.documents_sent);
        assert!(stats.documents_sent > 500 && text.lines().count() <= whole + 1, "{stats:?}");
    }

    #[test]
    fn a_write_goes_on_where_it_stopped_and_a_torn_line_is_ended_first() {
        /// Gives one answer to each call.
        struct Answers(Vec<io::Result<usize>>, Vec<u8>);

        impl Write for Answers {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let length = self.0.remove(0)?;
                self.1.extend_from_slice(&bytes[..length]);
                Ok(length)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let mut lines = LineWriter { writer: Answers(Vec::new(), Vec::new()), is_torn: false };
        let mut write = |text: &[u8], answers: Vec<io::Result<usize>>| {
            lines.writer = Answers(answers, Vec::new());
            let (written, result) = lines.write(text);
            assert!(lines.writer.0.is_empty(), "each answer is used");
            (String::from_utf8(lines.writer.1.clone()).unwrap(), written, result.is_ok(), lines.is_torn)
        };
        let (full, interrupted) =
            (|| Err(io::ErrorKind::StorageFull.into()), || Err(io::ErrorKind::Interrupted.into()));
        let text = b"ab\ncd\n";
        assert_eq!(write(text, vec![Ok(1), interrupted(), Ok(5)]), ("ab\ncd\n".to_owned(), 6, true, false));
        assert_eq!(write(text, vec![full()]), (String::new(), 0, false, false));
        assert_eq!(write(text, vec![Ok(3), full()]), ("ab\n".to_owned(), 3, false, false));
        assert_eq!(write(text, vec![Ok(4), Ok(0)]), ("ab\nc".to_owned(), 4, false, true));
        assert_eq!(write(text, vec![full()]), (String::new(), 0, false, true));
        assert_eq!(write(text, vec![Ok(1), Ok(6)]), ("\nab\ncd\n".to_owned(), 6, true, false));
    }

    #[test]
    fn a_writer_that_panics_loses_its_documents_and_nothing_else() {
        struct Panics;

        impl Write for Panics {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("this writer fails")
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let recorder = Recorder::builder().emitter(LinesEmitter::new(Panics)).build_for_capture();
        for _ in 0..3 {
            Segment::builder("segment").recorder(&recorder).sampled(true).begin().end();
        }
        assert!(recorder.flush(Duration::from_secs(5)));
        assert_eq!(recorder.stats().documents_dropped, 3);
    }
}
