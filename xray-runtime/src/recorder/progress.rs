//! Progress reports: segments that stay open for long are sent before they end.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::id::{Process, SegmentId};
use crate::support::background::{Background, Task};
use crate::support::guard::guard;
use crate::support::lock::lock;
use crate::support::process::PerProcess;
use crate::support::worker::Worker;

/// An open segment that can be sent before its end.
pub(crate) trait InProgress: Send + Sync {
    /// Emits what is known of the segment so far. Runs on the recorder's background thread and must not wait for a
    /// flush: the task that sends documents is on the same thread.
    fn report(&self);
}

/// Watches open segments from a task on the recorder's background thread. The task starts with the first segment.
//
// The task shares the thread with the sender of datagrams and with the polling for sampling rules. It calls the
// emitter, which may be the program's own code. A panic there is caught. The built-in emitters only push into a queue.
// An `emit` that blocks breaks the contract of `Emitter` and delays the polling; the last rules or the fallback decide
// meanwhile. It delays no datagram, because a recorder with an emitter of the program sends none. This delay does not
// justify a second thread in every program.
pub(super) struct Progress {
    interval: Duration,
    watch: PerProcess<Watch>,
}

/// The segments of one process, and the task that reports them. The task stops when the recorder is dropped.
struct Watch {
    watched: Arc<Watched>,
    worker: Worker,
}

struct Watched {
    /// How long a segment has been open before its first report, and the time between its reports.
    interval: Duration,
    segments: Mutex<HashMap<SegmentId, OpenSegment>>,
    /// Wakes the task when a segment begins.
    registered: Notify,
    reports: Mutex<Reports>,
    /// Wakes threads that wait for a report.
    reported: Condvar,
}

/// How many reports have begun and ended since the start.
#[derive(Default)]
struct Reports {
    begun: u64,
    ended: u64,
}

struct OpenSegment {
    /// When the segment was last reported, or when it began.
    reported: Instant,
    segment: Weak<dyn InProgress>,
}

impl Progress {
    pub(super) fn new(background: Arc<Background>, interval: Duration) -> Self {
        let watch = move || {
            let watched = Arc::new(Watched {
                interval,
                segments: Mutex::default(),
                registered: Notify::new(),
                reports: Mutex::default(),
                reported: Condvar::new(),
            });
            let reported = Arc::clone(&watched);
            let make = move || -> Task {
                let watched = Arc::clone(&reported);
                Box::pin(async move { watched.report_forever().await })
            };
            Watch { watched, worker: Worker::until_dropped(Arc::clone(&background), make) }
        };
        Self { interval, watch: PerProcess::new(watch) }
    }

    pub(super) fn register(&self, id: SegmentId, segment: Weak<dyn InProgress>) {
        // Notices a fork: the lock of the parent's segments may be held.
        let _ = Process::current();
        let Watch { watched, worker } = self.watch.get();
        worker.ensure_running();
        watched.lock().insert(id, OpenSegment { reported: Instant::now(), segment });
        watched.registered.notify_one();
    }

    pub(super) fn forget(&self, id: SegmentId) {
        // A segment that began in the parent may end in the child, where the lock of the parent's segments may be held.
        let _ = Process::current();
        self.watch.get().watched.lock().remove(&id);
    }

    /// Blocks until the reports that have begun have ended, for at most `limit`. Returns whether they have.
    pub(super) fn wait_for_reports(&self, limit: Duration) -> bool {
        let watched = &self.watch.get().watched;
        let reports = watched.reports();
        let begun = reports.begun;
        let is_reporting = |reports: &mut Reports| reports.ended < begun;
        let waited = watched.reported.wait_timeout_while(reports, limit, is_reporting);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended >= begun
    }
}

impl Watched {
    /// How often the segments are looked through in one interval. A report is late by at most this share of it.
    const CHECKS_PER_INTERVAL: u32 = 4;
    /// Bounds the work of the thread, whatever interval the program sets.
    const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

    async fn report_forever(&self) {
        // One pause for all segments rather than a timer for each: a service has thousands of short segments, of which
        // none lives to its first report.
        let pause = (self.interval / Self::CHECKS_PER_INTERVAL).max(Self::SHORTEST_PAUSE);
        loop {
            self.wait_for_a_segment().await;
            sleep(pause).await;
            for segment in self.take_due() {
                let report = Report::begin(self);
                // The segment is dropped inside the guard too. If it ended meanwhile this is its last reference, and
                // with it goes the recorder and the program's emitter.
                guard(move || segment.report());
                drop(report);
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
    // They are collected and the lock released before any is reported, because a report runs the emitter, and its
    // thread may begin or end segments.
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
        lock(&self.segments)
    }

    fn reports(&self) -> MutexGuard<'_, Reports> {
        lock(&self.reports)
    }
}

/// A report that is being made. It ends when this is dropped.
struct Report<'a>(&'a Watched);

impl<'a> Report<'a> {
    fn begin(watched: &'a Watched) -> Self {
        watched.reports().begun += 1;
        Self(watched)
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        self.0.reports().ended += 1;
        self.0.reported.notify_all();
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").field("interval", &self.interval).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use super::*;

    /// A segment that says when its report begins. The report ends when it is allowed to.
    struct Slow(Sender<()>, Mutex<Receiver<()>>);

    impl InProgress for Slow {
        fn report(&self) {
            let _ = self.0.send(());
            let _ = lock(&self.1).recv();
        }
    }

    #[test]
    fn a_flush_waits_for_a_report_that_has_begun() {
        const LONG: Duration = Duration::from_secs(20);

        let progress = Progress::new(Arc::new(Background::new("xray-test")), Duration::from_millis(1));
        assert!(progress.wait_for_reports(Duration::ZERO), "no report has begun");
        let ((begun, reports), (allow, allowed)) = (channel(), channel());
        let segment: Arc<dyn InProgress> = Arc::new(Slow(begun, Mutex::new(allowed)));
        progress.register(SegmentId::random(), Arc::downgrade(&segment));
        reports.recv_timeout(LONG).expect("the segment is reported");
        assert!(!progress.wait_for_reports(Duration::from_millis(1)), "the report has not ended");
        let start = Instant::now();
        thread::scope(|scope| {
            let (waits, is_waiting) = channel();
            let waiting = scope.spawn({
                let progress = &progress;
                move || {
                    waits.send(()).unwrap();
                    progress.wait_for_reports(LONG)
                }
            });
            is_waiting.recv().unwrap();
            // Every further report ends at once.
            drop(allow);
            assert!(waiting.join().unwrap() && start.elapsed() < LONG, "the end of the report wakes the flush");
        });
    }
}
