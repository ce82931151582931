//! The emitter that writes documents as lines of JSON.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Emitter;
use crate::document::Document;

/// Writes each document as one line of JSON: to a file, to the standard output, or to any writer.
///
/// A thread of its own writes, which starts with the first document; each time nothing more waits it flushes the writer. Between
/// the two stands a queue of 16,384 documents; what finds it full is dropped, as is what cannot be written, and the
/// first time is logged. A line has no limit of length, as a datagram has.
///
/// ```
/// use std::time::Duration;
/// use xray::{LinesEmitter, Recorder, Segment};
///
/// let path = std::env::temp_dir().join("xray-lines-example.jsonl");
/// # let _ = std::fs::remove_file(&path);
/// let recorder = Recorder::builder().emitter(LinesEmitter::append(&path)?).build();
/// Segment::builder("todo-app").recorder(&recorder).begin().end();
/// recorder.flush(Duration::from_secs(2));
/// let lines = std::fs::read_to_string(&path)?;
/// assert_eq!(lines.lines().count(), 1);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct LinesEmitter {
    state: Mutex<State>,
}

enum State {
    /// Nothing was emitted so far.
    Idle(Box<dyn Write + Send>),
    Running {
        queue: SyncSender<Item>,
        /// Whether a loss is logged already.
        has_lost: bool,
    },
    /// There is no thread to write.
    Broken,
}

enum Item {
    Document(Box<Document>),
    /// Answered once all before it is written.
    Flush(Sender<()>),
}

impl LinesEmitter {
    const QUEUE_CAPACITY: usize = 16_384;

    /// Writes to a writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self { state: Mutex::new(State::Idle(Box::new(writer))) }
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

    /// The queue to the thread, if there is one to have.
    fn queue<T>(&self, use_it: impl FnOnce(&SyncSender<Item>, &mut bool) -> T) -> Option<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Idle(_) = *state {
            *state = match std::mem::replace(&mut *state, State::Broken) {
                State::Idle(writer) => start(writer),
                other => other,
            };
        }
        match &mut *state {
            State::Running { queue, has_lost } => Some(use_it(queue, has_lost)),
            _ => None,
        }
    }
}

impl Emitter for LinesEmitter {
    fn emit(&self, document: Document) {
        self.queue(|queue, has_lost| {
            if queue.try_send(Item::Document(Box::new(document))).is_err() && !*has_lost {
                *has_lost = true;
                log::warn!(target: "xray::emitter", "a document is dropped: the writer is too slow, or has ended");
            }
        });
    }

    fn flush(&self, limit: Duration) -> bool {
        /// How often a full queue is tried again.
        const PAUSE: Duration = Duration::from_millis(1);

        let end = Instant::now() + limit;
        let (written, wait) = channel();
        // Not kept here: where the thread is gone, so is every sender, and nobody waits in vain.
        let mut item = Item::Flush(written);
        loop {
            item = match self.queue(|queue, _| queue.try_send(item)) {
                Some(Ok(())) => return wait.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok(),
                Some(Err(TrySendError::Full(item))) if Instant::now() < end => item,
                _ => return false,
            };
            thread::sleep(PAUSE);
        }
    }
}

fn start(writer: Box<dyn Write + Send>) -> State {
    let (queue, items) = sync_channel(LinesEmitter::QUEUE_CAPACITY);
    let started = thread::Builder::new().name("xray-lines".to_owned()).spawn(move || write_all(&items, writer));
    match started {
        Ok(_) => State::Running { queue, has_lost: false },
        Err(error) => {
            log::error!(target: "xray::emitter", "no thread to write segments from: {error}");
            State::Broken
        }
    }
}

/// Writes until the emitter is dropped.
fn write_all(items: &Receiver<Item>, writer: Box<dyn Write + Send>) {
    let mut writer = BufWriter::new(writer);
    let mut has_failed = false;
    let mut told = |result: io::Result<()>| {
        if let (Err(error), false) = (result, has_failed) {
            has_failed = true;
            log::warn!(target: "xray::emitter", "a document is not written: {error}; further ones are not reported");
        }
    };
    while let Ok(item) = items.recv() {
        let mut next = Some(item);
        while let Some(item) = next {
            match item {
                Item::Document(document) => told(write_line(&mut writer, &document)),
                Item::Flush(written) => {
                    told(writer.flush());
                    // Nobody may wait any more.
                    let _ = written.send(());
                }
            }
            next = items.try_recv().ok();
        }
        told(writer.flush());
    }
}

fn write_line(writer: &mut impl Write, document: &Document) -> io::Result<()> {
    serde_json::to_writer(&mut *writer, document)?;
    writer.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
            Segment::builder(format!("segment {number}")).recorder(&recorder).begin().end();
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
