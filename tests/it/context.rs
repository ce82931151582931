//! The current segment: in tasks and threads, across panics, and whatever ends first.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * A segment that begins within another one loses it: `a_segment_within_a_segment_is_a_trace_of_its_own`.
//! * Ending twice raises. Here `end` consumes its segment: see the example at `Segment::end`, which does not compile:
//!   `what_goes_on_after_the_end_harms_nobody`.
//! * Recording after the end raises: `what_goes_on_after_the_end_harms_nobody`.
//! * A subsegment that is not sampled is in the document, with an id of zeros: `what_is_not_sampled_is_in_no_document`.
//! * The count of subsegments drifts, until each subsegment is sent alone:
//!   `a_wide_tree_is_sent_in_parts_that_hold_each_subsegment_once`.
//! * The threads of a pool have no context, and work that is handed to a thread loses its segment:
//!   `nesting_follows_the_code_over_threads`.
//! * An event loop that the SDK did not create sends nothing: `any_executor_on_any_thread_carries_the_context`.
//! * Tasks and threads mix their subsegments: `ten_thousand_tasks_at_once_are_ten_thousand_trees`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use support::child;
use support::documents::{capture, capture_blocking};
use support::subsegments::names;
use xray::document::Cause;
use xray::{Document, Instrument as _, Segment, SegmentId};

fn only_exception(document: &Document) -> &xray::document::Exception {
    match &document.cause {
        Some(Cause::Exceptions(cause)) if cause.exceptions.len() == 1 => &cause.exceptions[0],
        other => panic!("{other:#?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nesting_follows_the_code_over_threads() {
    let work = async {
        tokio::task::yield_now().await;
        async {
            let id = xray::current().id();
            let handle = tokio::spawn(async move { xray::current().id() == id }.in_current_trace());
            assert!(handle.await.unwrap());
            let thread = std::thread::spawn(xray::in_current_trace(move || xray::current().id() == id));
            assert!(thread.join().unwrap());
            assert!(
                tokio::task::spawn_blocking(xray::in_current_trace(move || xray::current().id() == id)).await.unwrap()
            );
            tokio::spawn(async {}.in_subsegment("lost")).await.unwrap();
            tokio::spawn(async {}.in_subsegment("inner").in_current_trace()).await.unwrap();
        }
        .in_subsegment("outer")
        .await;
        assert_eq!(
            tokio::spawn(async { xray::trace_id() }).await.unwrap(),
            None,
            "a plain spawn does not carry the context"
        );
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    assert_eq!(names(&documents), ["t"]);
    assert_eq!(names(&documents[0].subsegments), ["outer"]);
    assert_eq!(names(&documents[0].subsegments[0].subsegments), ["inner"]);
}

#[tokio::test]
async fn ten_thousand_tasks_at_once_are_ten_thousand_trees() {
    let work = async {
        let tasks = (0..10_000).map(|number| {
            let task = async move {
                tokio::task::yield_now().await;
                let inner = async { xray::current().annotate("number", number) }.in_subsegment("inner");
                tokio::task::yield_now().await;
                inner.await;
            };
            tokio::spawn(task.in_segment(format!("t{number}")).in_current_trace())
        });
        futures::future::join_all(tasks.collect::<Vec<_>>()).await;
    };
    let ((), documents) = capture(work).await;
    assert_eq!(documents.len(), 10_000);
    for document in documents {
        assert_eq!(names(&document.subsegments), ["inner"]);
        let number: i64 = document.name[1..].parse().unwrap();
        assert_eq!(document.subsegments[0].annotations["number"], number.into());
    }
}

#[tokio::test]
async fn captures_side_by_side_see_only_their_own() {
    let one = capture(async { tokio::task::yield_now().await }.in_segment("one"));
    let other = capture(async { tokio::task::yield_now().await }.in_segment("other"));
    let (((), one), ((), other)) = tokio::join!(one, other);
    assert_eq!((names(&one), names(&other)), (vec!["one"], vec!["other"]));
}

#[tokio::test]
async fn a_panic_is_recorded_where_it_passes_and_goes_on() {
    let work = async {
        async { panic!("no way {}", std::hint::black_box("out")) }.in_subsegment("part").await;
    };
    let (result, documents) = capture(AssertUnwindSafe(work.in_segment("t")).catch_unwind()).await;
    assert_eq!(result.unwrap_err().downcast_ref::<String>().unwrap(), "no way out");
    let (segment, part) = (&documents[0], &documents[0].subsegments[0]);
    assert!(segment.fault && part.fault);
    assert_eq!(only_exception(part).message.as_deref(), Some("no way out"));
    assert_eq!(only_exception(part).kind.as_deref(), Some("panic"));
    assert_eq!(segment.cause, Some(Cause::Reference(only_exception(part).id)), "the panic is recorded once");

    let (result, documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        catch_unwind(AssertUnwindSafe(|| segment.in_scope(|| std::panic::panic_any(7))))
    });
    assert!(result.is_err());
    assert_eq!(only_exception(&documents[0]).message.as_deref(), Some("panicked"));
    assert_eq!(xray::trace_id(), None, "the panic restores the context");
}

/// The code that owns the segment handles the panic, or does not notice it, and goes on.
#[tokio::test]
async fn a_panic_of_a_spawned_task_is_no_fault_of_the_segment_that_it_carries() {
    async fn fails() {
        tokio::task::yield_now().await;
        panic!("in the background");
    }

    let work = async {
        tokio::spawn(fails().in_current_trace()).await.unwrap_err();
        tokio::spawn(fails().in_context(xray::current())).await.unwrap_err();
        std::thread::spawn(xray::in_current_trace(|| panic!("in the background"))).join().unwrap_err();
        tokio::spawn(fails().in_subsegment("part").in_current_trace()).await.unwrap_err();
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let (segment, part) = (&documents[0], &documents[0].subsegments[0]);
    assert_eq!((segment.fault, &segment.cause), (false, &None));
    assert_eq!((part.fault, only_exception(part).message.as_deref()), (true, Some("in the background")));
}

/// Subsegments that a panic unwinds end from the inside out. Those that it does not pass end with their segment.
#[tokio::test]
async fn a_panic_is_recorded_once_on_its_way() {
    fn check(documents: &[Document], levels: usize) {
        let [segment] = documents else { panic!("{documents:#?}") };
        let mut way = vec![segment];
        while let Some(inner) = way[way.len() - 1].subsegments.iter().find(|inner| inner.name != "held") {
            way.push(inner);
        }
        assert_eq!(way.len(), levels, "{segment:#?}");
        let innermost = way.pop().unwrap();
        let panic = only_exception(innermost);
        assert_eq!((panic.message.as_deref(), innermost.fault), (Some("no way out"), true));
        for outer in way {
            assert_eq!((&outer.cause, outer.fault), (&Some(Cause::Reference(panic.id)), true), "{segment:#?}");
        }
    }

    async fn goes_wrong() {
        let _held = xray::current().subsegment("held");
        tokio::task::yield_now().await;
        panic!("no way out");
    }

    fn inner_goes_wrong(outer: &xray::Subsegment) {
        let _held = outer.subsegment("held");
        outer.subsegment("inner").in_scope(|| panic!("no way out"));
    }

    let awaited = async {
        let _held = xray::current().subsegment("held");
        let part = Box::pin(goes_wrong().in_subsegment("inner"));
        futures::future::join(part, tokio::task::yield_now()).in_subsegment("outer").in_current_trace().await;
    };
    let (result, documents) = capture(AssertUnwindSafe(awaited.in_segment("t")).catch_unwind()).await;
    assert!(result.is_err());
    check(&documents, 3);

    let (result, documents) = capture_blocking(|| {
        catch_unwind(|| {
            let segment = Segment::builder("t").begin();
            segment.in_scope(|| {
                let _held = segment.subsegment("held");
                let outer = xray::current().subsegment("outer");
                // The panic passes this subsegment twice, because the subsegment is current within itself.
                outer.in_scope(|| xray::current().in_scope(|| inner_goes_wrong(&outer)));
            });
        })
    });
    assert!(result.is_err());
    check(&documents, 3);
}

/// The owner of a subsegment can keep it open while a panic passes the segment.
#[test]
fn a_panic_that_leaves_a_part_open_is_recorded_once() {
    let (result, documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        let part = segment.subsegment("part");
        catch_unwind(AssertUnwindSafe(|| segment.in_scope(|| part.in_scope(|| panic!("no way out")))))
    });
    assert!(result.is_err());
    let panic = only_exception(&documents[0].subsegments[0]);
    assert_eq!(documents[0].cause, Some(Cause::Reference(panic.id)));
}

/// Two panics with the same message are recorded twice, unless the second is the first one resumed.
#[test]
fn a_second_panic_is_recorded_as_another_one() {
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        for _ in 0..2 {
            let attempt = || segment.subsegment("attempt").in_scope(|| panic!("no way out"));
            assert!(catch_unwind(AssertUnwindSafe(attempt)).is_err());
        }
    });
    let [first, second] = &documents[0].subsegments[..] else { panic!("{documents:#?}") };
    assert_ne!(only_exception(first).id, only_exception(second).id);
    assert!(!documents[0].fault);
}

#[tokio::test]
async fn an_aborted_task_closes_what_was_open() {
    let work = async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let task = async {
            let _held = xray::current().subsegment("held");
            let sleep = async {
                tell.send(()).unwrap();
                std::future::pending::<()>().await;
            };
            sleep.in_subsegment("sleeping").await;
        };
        let task = tokio::spawn(task.in_segment("aborted").in_current_trace());
        told.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    };
    let ((), documents) = capture(work).await;
    assert_eq!(names(&documents), ["aborted"]);
    assert_eq!(names(&documents[0].subsegments), ["sleeping", "held"], "the inner subsegment ends first");
    assert!(documents[0].subsegments.iter().all(|part| part.end_time.is_some()));
    let is_cancelled = |document: &Document| document.metadata.contains_key("xray");
    assert_eq!(documents[0].metadata["xray"]["cancelled"], true);
    assert_eq!(names_of(&documents[0], is_cancelled), ["sleeping"], "a value that is dropped has ended");
}

/// Returns the names of the subsegments for which `is_wanted` returns `true`.
fn names_of(document: &Document, is_wanted: impl Fn(&Document) -> bool) -> Vec<&str> {
    let wanted = document.subsegments.iter().filter(|subsegment| is_wanted(subsegment));
    wanted.map(|subsegment| subsegment.name.as_str()).collect()
}

#[tokio::test]
async fn a_future_that_panics_or_only_runs_in_a_segment_is_not_cancelled() {
    let ((), documents) = capture(async {
        let panics = async { panic!("no way") }.in_subsegment("inner").in_segment("panics");
        assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
        let segment = Segment::builder("of another").begin();
        let mut visitor = Box::pin(std::future::pending::<()>().in_context(segment.clone()));
        assert!(visitor.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    })
    .await;
    assert_eq!(names(&documents), ["panics", "of another"]);
    for document in documents.iter().chain(&documents[0].subsegments) {
        assert!(document.metadata.is_empty(), "{document:#?}");
    }
}

#[test]
fn a_future_that_is_never_polled_opens_nothing() {
    let ((), documents) = capture_blocking(|| drop(async {}.in_segment("t")));
    assert!(documents.is_empty());
}

#[test]
fn what_a_future_holds_is_dropped_in_its_context() {
    struct Reporter;

    impl Drop for Reporter {
        fn drop(&mut self) {
            xray::current().annotate("dropped_in", "the segment");
        }
    }

    let ((), documents) = capture_blocking(|| {
        let held = Reporter;
        let mut future = pin!(
            async move {
                let _held = held;
                std::future::pending::<()>().await;
            }
            .in_segment("t")
        );
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    assert_eq!(documents[0].annotations.len(), 1);
}

#[test]
fn a_handle_keeps_nothing_open_and_writes_to_nothing_that_ended() {
    let (handle, documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        let handle = segment.in_scope(xray::current);
        segment.end();
        handle.annotate("late", true);
        handle
    });
    assert!(documents[0].annotations.is_empty());
    assert_eq!(handle.trace_id(), documents[0].trace_id);
    assert!(!documents.is_empty());
}

/// A task that runs on after its segment has ended, and everything that it can do there.
#[tokio::test]
async fn what_goes_on_after_the_end_harms_nobody() {
    let (tell, ended) = tokio::sync::oneshot::channel();
    let work = async {
        let task = async {
            ended.await.unwrap();
            xray::current().annotate("late", true);
            xray::current().add_metadata("late", true);
            xray::current().set_user("late");
            xray::current().record_error(&std::fmt::Error);
            async { xray::current().annotate("mine", true) }.in_subsegment("late").await;
            7
        };
        let segment = Segment::builder("t").begin();
        let task = segment.in_scope(|| tokio::spawn(task.in_current_trace()));
        segment.end();
        tell.send(()).unwrap();
        task.await.unwrap()
    };
    let (result, documents) = capture(work).await;
    assert_eq!((result, names(&documents)), (7, vec!["t", "late"]));
    let [segment, late] = &documents[..] else { panic!("{documents:#?}") };
    assert!(segment.annotations.is_empty() && segment.metadata.is_empty() && !segment.fault, "{segment:#?}");
    assert_eq!((late.trace_id, late.parent_id), (segment.trace_id, Some(segment.id)));
    assert_eq!(late.annotations.len(), 1);
}

#[test]
fn any_executor_on_any_thread_carries_the_context() {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let work = async {
        let outer = xray::trace_id();
        async { receiver.await.unwrap() }.in_subsegment("waits").await;
        outer == xray::trace_id()
    };
    // The future is created on this thread and polled on another.
    let work = capture(work.in_segment("t"));
    let thread = std::thread::spawn(move || futures::executor::block_on(work));
    sender.send(()).unwrap();
    let (is_same, documents) = thread.join().unwrap();
    assert!(is_same);
    assert_eq!(names(&documents[0].subsegments), ["waits"]);
}

#[test]
fn what_is_not_sampled_is_in_no_document() {
    let ((), documents) = capture_blocking(|| {
        Segment::builder("t").begin().in_scope(|| {
            let unsampled = Segment::builder("unsampled").trace_header(&xray::TraceHeader::parse("Sampled=0")).begin();
            let part = unsampled.subsegment("part");
            part.in_scope(|| xray::current().subsegment("inner").end());
            part.end();
        });
    });
    assert_eq!(names(&documents), ["t"]);
    assert!(documents[0].subsegments.is_empty(), "{documents:#?}");
}

/// A subsegment that leaves takes its own subsegments along, and the count starts again.
#[test]
fn a_wide_tree_is_sent_in_parts_that_hold_each_subsegment_once() {
    fn collect_ids(document: &Document, ids: &mut Vec<SegmentId>) {
        ids.push(document.id);
        document.subsegments.iter().for_each(|inner| collect_ids(inner, ids));
    }

    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        for _ in 0..250 {
            let step = segment.subsegment("step");
            for _ in 0..5 {
                step.subsegment("part").end();
            }
        }
    });
    // Each step has six subsegments, so the seventeenth step exceeds the limit of one hundred.
    let leaving = 250 / 17 * 17;
    assert_eq!(documents.len(), leaving + 1);
    assert!(documents[..leaving].iter().all(|step| step.subsegments.len() == 5));
    assert_eq!(documents[leaving].subsegments.len(), 250 - leaving);
    let mut ids = Vec::new();
    for document in &documents {
        collect_ids(document, &mut ids);
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1 + 250 + 250 * 5);
}

/// A value that a caller passes can itself record something while it is read.
#[test]
fn no_lock_is_held_while_the_callers_code_runs() {
    #[derive(Debug)]
    struct Recording;

    impl std::fmt::Display for Recording {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            xray::current().annotate("shown", true);
            formatter.write_str("recording")
        }
    }

    impl std::error::Error for Recording {}

    impl From<Recording> for xray::document::AnnotationValue {
        fn from(_: Recording) -> Self {
            xray::current().annotate("converted", true);
            Self::from(1)
        }
    }

    impl AsRef<str> for Recording {
        fn as_ref(&self) -> &'static str {
            xray::current().annotate("read", true);
            "me"
        }
    }

    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let ((), documents) = capture_blocking(|| {
            Segment::builder("t").begin().in_scope(|| {
                xray::current().record_error(&Recording);
                xray::current().annotate("key", Recording);
                xray::current().set_user(Recording);
            });
        });
        sender.send(documents).unwrap();
    });
    let documents =
        receiver.recv_timeout(Duration::from_secs(10)).expect("a lock was held while the caller's code ran");
    assert_eq!(documents[0].annotations.len(), 4, "{documents:#?}");
    assert_eq!(only_exception(&documents[0]).message.as_deref(), Some("recording"));
}

#[test]
fn a_segment_within_a_segment_is_a_trace_of_its_own() {
    let ((), documents) = capture_blocking(|| {
        let outer = Segment::builder("outer").begin();
        outer.in_scope(|| Segment::builder("inner").begin().end());
    });
    assert_eq!(names(&documents), ["inner", "outer"]);
    assert_ne!(documents[0].trace_id, documents[1].trace_id);
}

/// In a child process, because it installs the default recorder.
#[test]
fn nothing_panics_in_the_destructors_of_a_thread() {
    let name = "nothing_panics_in_the_destructors_of_a_thread";
    child::run(module_path!(), name, a_thread_with_destructors);
}

fn a_thread_with_destructors() {
    struct AtTheEnd;

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            assert_eq!(xray::trace_id(), None);
            Segment::builder("late").begin().in_scope(|| xray::current().annotate("key", 1));
            assert_eq!(xray::TraceId::random().to_string().len(), 35);
        }
    }

    thread_local! {
        static AT_THE_END: AtTheEnd = const { AtTheEnd };
    }
    let thread = std::thread::spawn(|| {
        AT_THE_END.with(|_| ());
        Segment::builder("first").begin().in_scope(|| ());
    });
    thread.join().unwrap();
}
