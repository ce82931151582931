//! The flush at the end of the process.

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use super::Recorder;
use crate::support::guard::guard;

/// How long the end of the process may wait for one recorder.
//
// A local daemon takes what is queued in milliseconds. If it does not, the program's exit matters more than its traces.
const LIMIT: Duration = Duration::from_secs(1);

thread_local! {
    static FLUSHED_AT_END: RefCell<FlushOnDrop> = const { RefCell::new(FlushOnDrop(Vec::new())) };
}

/// Recorders that are flushed when the thread ends.
struct FlushOnDrop(Vec<Recorder>);

impl Recorder {
    /// Flushes this recorder when the main thread ends, if called on the main thread.
    //
    // Rust has no hook for the end of a process: it joins no other thread and drops no static. A thread-local of the
    // main thread is dropped after a return from `main`, after a panic in it, and inside `exit` called on it. On
    // another thread the end would come too early, as threads end while the process goes on.
    pub(super) fn flush_at_process_end(&self) {
        if thread::current().name() == Some("main") {
            // Fails only while the thread's other destructors run. Then it is too late to register anything.
            let _ = FLUSHED_AT_END.try_with(|recorders| recorders.borrow_mut().0.push(self.clone()));
        }
    }
}

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        for recorder in &self.0 {
            // The emitter may be the program's own code. A panic in a destructor of a thread-local aborts the process.
            guard(|| recorder.flush(LIMIT));
        }
    }
}
