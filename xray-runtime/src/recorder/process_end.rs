//! The end of the process: what has ended by then leaves.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use super::Recorder;
use crate::support::guard::guard;

/// How long the end of the process may wait for documents to leave.
const LIMIT: Duration = Duration::from_secs(1);

thread_local! {
    static FLUSHING: RefCell<Flushing> = const { RefCell::new(Flushing(Vec::new())) };
}

/// Recorders whose documents leave when this thread ends.
struct Flushing(Vec<Recorder>);

impl Recorder {
    /// Flushes the recorder when the main thread ends, if this is the main thread: by a return from `main`, by a panic
    /// in it or by [`exit`](std::process::exit) on it.
    pub(super) fn flush_at_end(&self) {
        if thread::current().name() == Some("main") {
            // Too late only in the thread's own destructors.
            let _ = FLUSHING.try_with(|flushing| flushing.borrow_mut().0.push(self.clone()));
        }
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        for recorder in &self.0 {
            // The emitter may be the user's own, and a panic here would abort the process.
            guard(|| recorder.flush(LIMIT));
        }
    }
}
