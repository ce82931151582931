//! A task on a background thread. The task starts when there is work for it, and starts again after it has died.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::support::background::{Background, Task};
use crate::support::guard::guard;
use crate::support::lock::lock;
use crate::support::log_line::{LoggedOnce, log_line};

/// Creates the task of a [`Worker`].
type Make = dyn Fn() -> Task + Send + Sync;
/// A function that is called with `true` when the task of a [`Worker`] starts, and with `false` when it ends.
type OnChange = dyn Fn(bool) + Send + Sync;

/// A task on a background thread.
///
/// The task starts with the first call to [`ensure_running`](Self::ensure_running). After a panic, a new task starts by
/// itself. If the thread could not start or has died, a new task starts with the next call.
pub(crate) struct Worker {
    background: Arc<Background>,
    make: Arc<Make>,
    state: Arc<State>,
    /// The task ends when this is dropped. `None` for a task that ends by itself.
    stop: Option<watch::Sender<()>>,
}

struct State {
    is_running: AtomicBool,
    /// When the task was last started. The lock is held while a task starts or ends.
    started: Mutex<Option<Instant>>,
    on_change: Box<OnChange>,
    logged_panic: LoggedOnce,
}

impl Worker {
    /// The shortest time between two starts. A task that dies at once must not take the processor.
    const PAUSE: Duration = Duration::from_secs(1);

    /// Creates a worker whose task ends by itself. Starts neither the task nor its thread.
    ///
    /// `on_change` is called with `true` before the task starts. It is called with `false` when the task has finished,
    /// its thread could not start, or its thread has died. Neither closure may run code of the program, or start the
    /// task.
    pub(crate) fn until_finished(
        background: Arc<Background>,
        make: impl Fn() -> Task + Send + Sync + 'static,
        on_change: impl Fn(bool) + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            is_running: AtomicBool::new(false),
            started: Mutex::default(),
            on_change: Box::new(on_change),
            logged_panic: LoggedOnce::new(),
        };
        Self { background, make: Arc::new(make), state: Arc::new(state), stop: None }
    }

    /// Creates a worker whose task has no end. The task stops when the worker is dropped. Starts nothing.
    //
    // Endless work, such as polling for sampling rules, must stop with the recorder that it serves. An abort handle of
    // tokio would need the runtime, which exists only once the thread has started.
    pub(crate) fn until_dropped(background: Arc<Background>, make: impl Fn() -> Task + Send + Sync + 'static) -> Self {
        Self { stop: Some(watch::Sender::new(())), ..Self::until_finished(background, make, |_| ()) }
    }

    /// Starts the task if it does not run, unless it was started within the last second.
    #[inline]
    pub(crate) fn ensure_running(&self) {
        if !self.state.is_running.load(Ordering::Relaxed) {
            self.start(Self::PAUSE);
        }
    }

    /// Starts the task if it does not run, however recently it was started.
    //
    // Does not read the flag first. A caller who knows from `on_change` that the task has ended must find it ended, and
    // the lock in `start` waits for that.
    pub(crate) fn ensure_running_now(&self) {
        self.start(Duration::ZERO);
    }

    #[cold]
    fn start(&self, pause: Duration) {
        {
            let mut started = lock(&self.state.started);
            if started.is_some_and(|started| started.elapsed() < pause)
                || self.state.is_running.swap(true, Ordering::Acquire)
            {
                return;
            }
            *started = Some(Instant::now());
            (self.state.on_change)(true);
        }
        // Spawned after the lock is released, because spawning may log, and the program's logger may come back here.
        let (running, make) = (Running(Arc::clone(&self.state)), Arc::clone(&self.make));
        let work = async move {
            let running = running;
            running.0.run_again_after_panics(&*make).await;
        };
        self.background.spawn(match &self.stop {
            Some(stop) => Box::pin(stoppable(work, stop.subscribe())),
            None => Box::pin(work),
        });
    }
}

/// A task that runs, or will run. It is part of the task.
//
// It is dropped however the task ends: the task returns, its thread cannot start or dies, or its runtime is dropped.
struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        // Both under the lock that a start takes: a start comes before both or after both.
        let _lock = lock(&self.0.started);
        (self.0.on_change)(false);
        self.0.is_running.store(false, Ordering::Release);
    }
}

impl State {
    async fn run_again_after_panics(&self, make: &Make) {
        while run_to_end(make()).await.is_none() {
            if self.logged_panic.is_first() {
                log_line!(
                    Error,
                    "xray::recorder",
                    "a task of xray panicked; it is started again, and documents wait meanwhile (logged once)",
                );
            }
            sleep(Worker::PAUSE).await;
        }
    }
}

/// Runs a task to its end. Returns `None` if it panicked.
async fn run_to_end(mut task: Task) -> Option<()> {
    poll_fn(|context| match guard(|| task.as_mut().poll(context)) {
        Some(poll) => poll.map(Some),
        None => Poll::Ready(None),
    })
    .await
}

/// Runs `work` until it finishes or the sender of `stop` is dropped.
async fn stoppable(work: impl Future<Output = ()> + Send, mut stop: watch::Receiver<()>) {
    let mut work = pin!(work);
    // An error means that the sender was dropped. Nothing is ever sent.
    let mut stopped = pin!(async move { while stop.changed().await.is_ok() {} });
    poll_fn(|context| match stopped.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => Pin::as_mut(&mut work).poll(context),
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn background() -> Arc<Background> {
        Arc::new(Background::new("xray-test"))
    }

    #[test]
    fn a_task_stops_when_its_worker_is_dropped() {
        let (sender, seen) = channel::<()>();
        let worker = Worker::until_dropped(background(), move || {
            let sender = sender.clone();
            Box::pin(async move {
                sender.send(()).unwrap();
                std::future::pending::<()>().await;
            })
        });
        worker.ensure_running();
        seen.recv_timeout(SOON).expect("the task runs");
        drop(worker);
        assert_eq!(seen.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected), "the task is dropped");
    }

    #[test]
    fn a_task_starts_again_after_a_panic_and_when_it_is_needed() {
        let (count, (sender, seen)) = (AtomicUsize::new(0), channel());
        let ended = sender.clone();
        let on_change = move |is_running: bool| {
            if !is_running {
                ended.send(100).unwrap();
            }
        };
        let make = move || -> Task {
            let (number, sender) = (count.fetch_add(1, Ordering::Relaxed), sender.clone());
            Box::pin(async move {
                sender.send(number).unwrap();
                assert!(number > 0, "the first one fails");
            })
        };
        let worker = Worker::until_finished(background(), make, on_change);
        worker.ensure_running();
        assert_eq!([(); 3].map(|()| seen.recv_timeout(SOON).unwrap()), [0, 1, 100]);
        // The worker notices the end of its task shortly after this call.
        let again = loop {
            worker.ensure_running_now();
            if let Ok(number) = seen.recv_timeout(Duration::from_millis(10)) {
                break number;
            }
        };
        assert_eq!((again, seen.recv_timeout(SOON)), (2, Ok(100)));
        // The task holds this lock while it ends.
        drop(lock(&worker.state.started));
        // A start within the pause is refused, so a thread that cannot start is not tried at each call.
        worker.start(Duration::MAX);
        assert!(!worker.state.is_running.load(Ordering::Relaxed), "the task was started a moment ago");
    }
}
