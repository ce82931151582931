//! Many segments at once, on every kind of executor: each tree is complete and holds nothing of another tree. Tasks of
//! tokio that end well are in `it/context.rs`.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;

use futures::executor::{LocalPool, ThreadPool};
use futures::task::{LocalSpawnExt as _, SpawnExt as _};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use support::documents::{capture, capture_blocking};
use tokio::task::yield_now;
use xray::document::Cause;
use xray::{Document, Instrument as _, Segment, TraceId};

/// Panics without calling the panic hook, which would print each of the many panics.
fn goes_wrong(number: usize) {
    std::panic::resume_unwind(Box::new(format!("meant {number}")));
}

/// Checks that there is one document for each number, and that all its subsegments have its number and its trace.
fn by_number(documents: Vec<Document>) -> HashMap<usize, Document> {
    fn check(document: &Document, number: usize) {
        assert!(document.end_time.is_some_and(|end| end >= document.start_time), "{document:#?}");
        assert_eq!(document.annotations.get("number"), Some(&number.into()), "{document:#?}");
        document.subsegments.iter().for_each(|inner| check(inner, number));
    }

    let mut found = HashMap::new();
    let mut traces = Vec::<TraceId>::new();
    for document in documents {
        let number = document.name[1..].parse().unwrap();
        check(&document, number);
        traces.extend(document.trace_id);
        assert!(found.insert(number, document).is_none(), "{number} comes twice");
    }
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), found.len(), "each document has a trace of its own");
    found
}

/// Returns names in the order of their ends, such as `a!(b c(d))`. A `!` marks a fault.
fn shape(document: &Document) -> String {
    let inner: Vec<_> = document.subsegments.iter().map(shape).collect();
    let inner = if inner.is_empty() { String::new() } else { format!("({})", inner.join(" ")) };
    let name = if document.trace_id.is_some() { "t" } else { &document.name };
    format!("{name}{}{inner}", if document.fault { "!" } else { "" })
}

fn note(number: usize) {
    xray::current().annotate("number", number);
}

/// Work in subsegments. Some of them run in other tasks, and one of them can fail.
async fn part(number: usize, fails: bool) {
    note(number);
    yield_now().await;
    let child = async move {
        note(number);
        yield_now().await;
    };
    let child = tokio::spawn(child.in_subsegment("spawned").in_current_trace());
    let inner = async {
        note(number);
        yield_now().await;
        if fails {
            goes_wrong(number);
        }
    };
    child.await.unwrap();
    inner.in_subsegment("inner").await;
}

#[derive(Debug, Clone, Copy)]
enum End {
    Well,
    Panic,
    Aborted,
    DroppedAfterPoll,
    NeverPolled,
}

impl End {
    fn of(number: usize) -> Self {
        [Self::Well, Self::Panic, Self::Aborted, Self::DroppedAfterPoll, Self::NeverPolled][number % 5]
    }

    fn shape(self) -> &'static str {
        match self {
            Self::Well => "t(outer(spawned inner))",
            Self::Panic => "t!(outer!(spawned inner!))",
            Self::Aborted | Self::DroppedAfterPoll => "t(waits)",
            Self::NeverPolled => unreachable!("it has no tree"),
        }
    }
}

async fn waits(number: usize, polled: Option<tokio::sync::oneshot::Sender<()>>) {
    note(number);
    let pending = async {
        note(number);
        polled.map(|polled| polled.send(()));
        std::future::pending::<()>().await;
    };
    pending.in_subsegment("waits").await;
}

async fn task(number: usize) {
    let name = format!("t{number}");
    match End::of(number) {
        end @ (End::Well | End::Panic) => {
            let work = async move {
                note(number);
                yield_now().await;
                part(number, matches!(end, End::Panic)).in_subsegment("outer").await;
            };
            let result = tokio::spawn(work.in_segment(name).in_current_trace()).await;
            assert_eq!(result.is_err(), matches!(end, End::Panic));
        }
        End::Aborted => {
            let (polled, is_polled) = tokio::sync::oneshot::channel();
            let task = tokio::spawn(waits(number, Some(polled)).in_segment(name).in_current_trace());
            is_polled.await.unwrap();
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        End::DroppedAfterPoll => {
            let mut work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(waits(number, None).in_segment(name));
            assert!(work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            yield_now().await;
            // Another task, in which another segment is current.
            tokio::spawn(async move { drop(work) }).await.unwrap();
        }
        End::NeverPolled => drop(waits(number, None).in_segment(name)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_end_in_every_way_are_trees_of_their_own() {
    let ((), documents) = capture(async {
        let tasks = (0..10_000).map(|number| tokio::spawn(task(number).in_current_trace()));
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    })
    .await;
    let trees = by_number(documents);
    assert_eq!(trees.len(), 8_000);
    for (number, tree) in trees {
        let end = End::of(number);
        assert_eq!(shape(&tree), end.shape(), "{end:?} {tree:#?}");
        if let End::Panic = end {
            let inner = &tree.subsegments[0].subsegments[1];
            let Some(Cause::Exceptions(recorded)) = &inner.cause else { panic!("{tree:#?}") };
            assert_eq!(recorded.exceptions[0].message, Some(format!("meant {number}")));
            let reference = Some(Cause::Reference(recorded.exceptions[0].id));
            assert_eq!((&tree.cause, &tree.subsegments[0].cause), (&reference, &reference));
        }
    }
}

/// Work for threads: a segment with two nested subsegments. In each seventh segment the inner one fails.
fn blocking(number: usize) {
    let segment = Segment::builder(format!("t{number}")).begin();
    let outer = || {
        note(number);
        segment.subsegment("outer").in_scope(|| {
            note(number);
            thread::yield_now();
            xray::current().subsegment("inner").in_scope(|| {
                note(number);
                if number % 7 == 0 {
                    goes_wrong(number);
                }
            });
        });
    };
    let result = catch_unwind(AssertUnwindSafe(|| segment.in_scope(outer)));
    assert_eq!(result.is_err(), number % 7 == 0);
}

fn check_blocking(documents: Vec<Document>, count: usize) {
    let trees = by_number(documents);
    assert_eq!(trees.len(), count);
    for (number, tree) in trees {
        let expected = if number % 7 == 0 { "t!(outer!(inner!))" } else { "t(outer(inner))" };
        assert_eq!(shape(&tree), expected, "{tree:#?}");
    }
}

#[test]
fn a_pool_of_rayon_carries_each_its_own() {
    let ((), documents) = capture_blocking(|| {
        let context = xray::current();
        (0..10_000).into_par_iter().for_each(|number| context.in_scope(|| blocking(number)));
    });
    check_blocking(documents, 10_000);
}

/// One segment, whose subsegments begin on many threads: none is lost, and each is below its own parent.
#[test]
fn the_parts_of_one_segment_are_shared_out_by_rayon() {
    let ((), documents) = capture_blocking(|| {
        Segment::builder("t0").begin().in_scope(|| {
            note(0);
            let halves = ["left", "right"].map(|name| {
                xray::in_current_trace(move || {
                    let half = xray::current().subsegment(name);
                    half.in_scope(|| {
                        note(0);
                        rayon::scope(|scope| {
                            for _ in 0..20 {
                                let part =
                                    xray::in_current_trace(|| xray::current().subsegment("part").in_scope(|| note(0)));
                                scope.spawn(|_| part());
                            }
                        });
                    });
                })
            });
            let [left, right] = halves;
            rayon::join(left, right);
            assert_eq!(xray::current().trace_id(), xray::trace_id());
        });
    });
    let tree = &by_number(documents)[&0];
    assert_eq!(tree.subsegments.len(), 2);
    assert!(tree.subsegments.iter().all(|half| half.subsegments.len() == 20), "{}", shape(tree));
}

#[tokio::test]
async fn blocking_tasks_carry_each_their_own() {
    let ((), documents) = capture(async {
        let tasks =
            (0..2_000).map(|number| tokio::task::spawn_blocking(xray::in_current_trace(move || blocking(number))));
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    })
    .await;
    check_blocking(documents, 2_000);
}

#[test]
fn threads_carry_each_their_own() {
    let ((), documents) = capture_blocking(|| {
        for round in 0..10 {
            let threads = (0..50).map(|thread| {
                let work = move || (0..4).for_each(|step| blocking((round * 50 + thread) * 4 + step));
                thread::spawn(xray::in_current_trace(work))
            });
            threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
        }
    });
    check_blocking(documents, 2_000);
}

/// Yields once, without tokio.
async fn give_way() {
    let mut is_first = true;
    std::future::poll_fn(|task| {
        if std::mem::take(&mut is_first) {
            task.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    })
    .await;
}

async fn anywhere(number: usize) {
    let outer = async {
        note(number);
        give_way().await;
        let inner = async {
            note(number);
            give_way().await;
        };
        inner.in_subsegment("inner").await;
    };
    note(number);
    give_way().await;
    outer.in_subsegment("outer").await;
}

fn check_anywhere(documents: Vec<Document>) {
    let trees = by_number(documents);
    assert_eq!(trees.len(), 10_000);
    assert!(trees.values().all(|tree| shape(tree) == "t(outer(inner))"));
}

#[test]
fn a_local_pool_carries_each_its_own() {
    let ((), documents) = capture_blocking(|| {
        let mut pool = LocalPool::new();
        for number in 0..10_000 {
            let work = anywhere(number).in_segment(format!("t{number}")).in_current_trace();
            pool.spawner().spawn_local(work).unwrap();
        }
        pool.run();
    });
    check_anywhere(documents);
}

#[test]
fn a_thread_pool_of_futures_carries_each_its_own() {
    let ((), documents) = capture_blocking(|| {
        let pool = ThreadPool::builder().pool_size(4).create().unwrap();
        let tasks = (0..10_000).map(|number| {
            let work = anywhere(number).in_segment(format!("t{number}")).in_current_trace();
            pool.spawn_with_handle(work).unwrap()
        });
        futures::executor::block_on(futures::future::join_all(tasks.collect::<Vec<_>>()));
    });
    check_anywhere(documents);
}
