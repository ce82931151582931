//! Progress reports: segments that stay open for long are sent before they end.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::id::SegmentId;
use crate::support::background::{self, Background, TaskOwner};
use crate::support::guard::guard;

/// An open segment that can be sent before its end.
pub(crate) trait InProgress: Send + Sync {
    /// Emits what is known of the segment so far. Runs on the recorder's background thread and must not wait for a flush:
    /// the task that sends documents is on the same thread.
    fn report(&self);
}

/// Watches open segments from a task on the recorder's background thread. The task starts with the first segment.
//
// The task shares the thread with the one that sends datagrams and with the polling for sampling rules, and it calls the
// emitter, which may be the program's own code. A panic there is caught. A slow `emit` breaks the contract of `Emitter`;
// it delays the polling, during which the fallback or the last rules decide, and delays no datagram, since with an
// emitter of the program's own there are none. The built-in emitters only push into a queue. That is not worth a second
// thread in every program.
pub(super) struct Progress {
    watched: Arc<Watched>,
    background: Arc<Background>,
    /// Stops the task when the recorder is dropped. Empty until the first segment begins.
    task: OnceCell<TaskOwner>,
}

struct Watched {
    /// How long a segment has been open before its first report, and the time between its reports.
    interval: Duration,
    segments: Mutex<HashMap<SegmentId, OpenSegment>>,
    /// Wakes the task when a segment begins.
    registered: Notify,
}

struct OpenSegment {
    /// When the segment was last reported, or when it began.
    reported: Instant,
    segment: Weak<dyn InProgress>,
}

impl Progress {
    pub(super) fn new(background: Arc<Background>, interval: Duration) -> Self {
        let watched = Watched { interval, segments: Mutex::default(), registered: Notify::new() };
        Self { watched: Arc::new(watched), background, task: OnceCell::new() }
    }

    pub(super) fn register(&self, id: SegmentId, segment: Weak<dyn InProgress>) {
        if self.task.get().is_none() {
            self.start();
        }
        self.watched.lock().insert(id, OpenSegment { reported: Instant::now(), segment });
        self.watched.registered.notify_one();
    }

    pub(super) fn forget(&self, id: SegmentId) {
        self.watched.lock().remove(&id);
    }

    fn start(&self) {
        let watched = Arc::clone(&self.watched);
        let (owner, task) = background::owned(async move { watched.report_for_ever().await });
        // Spawned after `set` rather than inside `get_or_init`, because spawning may log, and the program's logger may
        // begin a segment, which would wait for the cell that it is itself initialising.
        if self.task.set(owner).is_ok() {
            self.background.spawn(task);
        }
    }
}

impl Watched {
    /// How often the segments are looked through in one interval. A report is late by at most this share of it.
    const LOOKS: u32 = 4;
    /// Bounds the work of the thread, whatever interval the program sets.
    const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

    async fn report_for_ever(&self) {
        // One pause for all segments rather than a timer for each: a service has thousands of short segments, of which
        // none lives to its first report.
        let pause = (self.interval / Self::LOOKS).max(Self::SHORTEST_PAUSE);
        loop {
            self.wait_for_a_segment().await;
            sleep(pause).await;
            for segment in self.take_due() {
                // The segment is dropped inside the guard too. If it ended meanwhile this is its last reference, and
                // with it goes the recorder and the program's emitter.
                guard(move || segment.report());
            }
        }
    }

    /// Waits until a segment is open, so that an idle program is not woken up.
    async fn wait_for_a_segment(&self) {
        while self.lock().is_empty() {
            // `notify_one` stores a permit, so a segment that begins between the check and this line is not missed.
            self.registered.notified().await;
        }
    }

    /// Returns the segments that are due for a report, and notes the time of it.
    //
    // They are collected and the lock released before any is reported, because a report runs the emitter, and its thread
    // may begin or end segments.
    fn take_due(&self) -> Vec<Arc<dyn InProgress>> {
        let now = Instant::now();
        let mut segments = self.lock();
        let due = segments.values_mut().filter(|open| now.duration_since(open.reported) >= self.interval);
        due.filter_map(|open| {
            open.reported = now;
            open.segment.upgrade()
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SegmentId, OpenSegment>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").field("interval", &self.watched.interval).finish_non_exhaustive()
    }
}
