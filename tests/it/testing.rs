//! `xray::testing` as a program's own tests use it: what a capture returns, and what it does not.

use std::sync::Barrier;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use support::documents::{capture, capture_blocking, checked};
use support::subsegments::names;
use support::{Always, child};
use tokio::task::yield_now;
use xray::emitter::MemoryEmitter;
use xray::{Document, Instrument as _, Recorder, Segment};

async fn work(name: &str) {
    for part in 0..10 {
        yield_now().await;
        async { yield_now().await }.in_subsegment(format!("{name} {part}")).await;
    }
}

fn check(documents: &[Document], name: &str) {
    assert_eq!(names(documents), [name]);
    let expected: Vec<_> = (0..10).map(|part| format!("{name} {part}")).collect();
    assert_eq!(names(&documents[0].subsegments), expected);
}

#[tokio::test]
async fn two_captures_on_one_thread_take_turns() {
    let (((), one), ((), other)) =
        tokio::join!(capture(work("one").in_segment("one")), capture(work("other").in_segment("other")));
    check(&one, "one");
    check(&other, "other");
}

#[test]
fn two_captures_on_two_threads_are_open_at_once() {
    let barrier = Barrier::new(2);
    let captured = |name: &str| {
        let ((), documents) = capture_blocking(|| {
            let segment = Segment::builder(name).begin();
            for part in 0..10 {
                barrier.wait();
                segment.subsegment(format!("{name} {part}")).end();
            }
        });
        check(&documents, name);
    };
    thread::scope(|scope| {
        scope.spawn(|| captured("one"));
        scope.spawn(|| captured("other"));
    });
}

#[tokio::test]
async fn a_capture_in_a_capture_keeps_its_documents_to_itself() {
    let outer = async {
        async {}.in_segment("before").await;
        let ((), inner) = capture(async {}.in_segment("inner")).await;
        let ((), closure) = capture_blocking(|| Segment::builder("closure").begin().end());
        async {}.in_segment("after").await;
        (inner, closure)
    };
    let ((inner, closure), outer) = capture(outer).await;
    assert_eq!((names(&inner), names(&closure)), (vec!["inner"], vec!["closure"]));
    assert_eq!(names(&outer), ["before", "after"]);
}

/// A capture inside a segment starts without a current segment. The segment around it is current again afterwards.
#[tokio::test]
async fn within_a_segment_a_capture_begins_anew() {
    let work = async {
        let (seen, inner) = capture(async { xray::trace_id() }).await;
        assert_eq!((seen, inner.len()), (None, 0), "no segment is open in the capture");
        xray::trace_id()
    };
    let (seen, documents) = capture(work.in_segment("outer")).await;
    assert_eq!(seen, documents[0].trace_id);
}

/// In a child process, because it installs a recorder.
#[test]
fn a_task_without_the_context_uses_the_recorder_of_the_process() {
    let name = "a_task_without_the_context_uses_the_recorder_of_the_process";
    child::run(module_path!(), name, tasks_with_and_without_the_context);
}

#[tokio::main]
async fn tasks_with_and_without_the_context() {
    let process = MemoryEmitter::new();
    Recorder::builder().sampler(Always).emitter(process.clone()).install().unwrap();
    let ((), captured) = capture(async {
        tokio::spawn(async {}.in_segment("plain")).await.unwrap();
        tokio::spawn(async {}.in_segment("carried").in_current_trace()).await.unwrap();
        thread::spawn(|| Segment::builder("plain thread").begin().end()).join().unwrap();
        thread::spawn(xray::in_current_trace(|| Segment::builder("carried thread").begin().end())).join().unwrap();
    })
    .await;
    assert_eq!(names(&captured), ["carried", "carried thread"]);
    assert_eq!(names(&checked(process.take())), ["plain", "plain thread"]);
}

#[tokio::test]
async fn what_has_not_ended_by_then_is_not_captured() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let ((task,), captured) = capture(async {
        async {}.in_segment("early").await;
        (tokio::spawn(async { told.await.unwrap() }.in_segment("late").in_current_trace()),)
    })
    .await;
    tell.send(()).unwrap();
    task.await.unwrap();
    assert_eq!(names(&captured), ["early"]);
}

#[tokio::test]
async fn a_dropped_capture_ends_its_open_segments_and_loses_them() {
    let outer = async {
        let inner = capture(async { tokio::time::sleep(Duration::from_secs(3600)).await }.in_segment("lost"));
        let mut inner = Box::pin(inner);
        let mut task = Context::from_waker(Waker::noop());
        assert!(inner.as_mut().poll(&mut task).is_pending());
        drop(inner);
        async {}.in_segment("next").await;
        drop(capture(async {}.in_segment("unpolled")));
    };
    let ((), documents) = capture(outer).await;
    assert_eq!(names(&documents), ["next"]);
}

#[test]
fn a_panic_in_a_capture_goes_on_and_the_next_begins_anew() {
    let result = std::panic::catch_unwind(|| {
        capture_blocking(|| {
            let _segment = Segment::builder("lost").begin();
            panic!("no way out")
        })
    });
    let Err(panic) = result.map(|((), documents)| documents) else { panic!("it ends there") };
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no way out"));
    assert_eq!(xray::trace_id(), None);
    let ((), documents) = capture_blocking(|| Segment::builder("next").begin().end());
    assert_eq!(names(&documents), ["next"]);
}
