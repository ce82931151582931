//! Segments that stay open for long, told of while they are open.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::id::SegmentId;
use crate::support::guard::guard;

/// Something that can be told of before its end.
pub(crate) trait InProgress: Send + Sync {
    /// Emits what is known so far.
    fn report(&self);
}

/// Watches open segments, from one thread that starts with the first.
pub(super) struct Progress {
    shared: Arc<Shared>,
    started: Once,
}

struct Shared {
    /// How long a segment is open, or was told of last, until it is told of.
    interval: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: HashMap<SegmentId, Open>,
    closed: bool,
}

struct Open {
    told: Instant,
    segment: Weak<dyn InProgress>,
}

impl Progress {
    pub(super) fn new(interval: Duration) -> Self {
        let shared = Shared { interval, state: Mutex::default(), changed: Condvar::new() };
        Self { shared: Arc::new(shared), started: Once::new() }
    }

    pub(super) fn begins(&self, id: SegmentId, segment: Weak<dyn InProgress>) {
        self.started.call_once(|| self.start());
        self.shared.lock().open.insert(id, Open { told: Instant::now(), segment });
        self.shared.changed.notify_one();
    }

    pub(super) fn ends(&self, id: SegmentId) {
        self.shared.lock().open.remove(&id);
    }

    fn start(&self) {
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new().name("xray-progress".to_owned()).spawn(move || shared.run());
        if let Err(error) = started {
            log::error!(target: "xray::recorder", "no thread to tell of open segments from: {error}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    /// How often the segments are looked through in one interval: a segment is told of at most so much later.
    const LOOKS: u32 = 4;
    const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

    fn run(&self) {
        let pause = (self.interval / Self::LOOKS).max(Self::SHORTEST_PAUSE);
        while self.wait(pause) {
            for segment in self.due() {
                // The emitter may be the user's own.
                guard(|| segment.report());
            }
        }
    }

    /// Waits until it is time to look again; false at the end.
    fn wait(&self, pause: Duration) -> bool {
        let idle = |state: &mut State| state.open.is_empty() && !state.closed;
        let state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        !state.closed
    }

    fn due(&self) -> Vec<Arc<dyn InProgress>> {
        let now = Instant::now();
        let mut state = self.lock();
        let due = state.open.values_mut().filter(|open| now.duration_since(open.told) >= self.interval);
        due.filter_map(|open| {
            open.told = now;
            open.segment.upgrade()
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").field("interval", &self.shared.interval).finish_non_exhaustive()
    }
}
