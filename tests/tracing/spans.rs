//! Which spans become subsegments, where they stand in the tree, and when they begin and end.

use std::fmt::{self, Debug};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;
use support::documents::{capture, capture_blocking, checked};
use support::{Always, Server, child};
use tokio::time::sleep;
use tracing::{Instrument as _, Level, Span, debug_span, error, error_span, field, info_span, instrument, warn};
use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::prelude::*;
use xray::emitter::{Emitter, FinishedSegment, MemoryEmitter};
use xray::tracing::SubsegmentLayer;
use xray::{Document, Instrument as _, Segment, TraceHeader};

use super::subscriber::{annotations, below, below_blocking, below_layer, subscribe};
use support::subsegments::{mark, seconds, tree};

#[instrument]
fn parse(text: &str) -> u32 {
    xray::current().annotate("length", text.len());
    info_span!("digits").in_scope(|| text.parse().unwrap_or_default())
}

#[instrument(skip_all, fields(sum))]
async fn add(texts: &[&str]) -> u32 {
    let mut sum = 0;
    for text in texts {
        tokio::task::yield_now().await;
        sum += parse(text);
    }
    Span::current().record("sum", sum);
    sum
}

#[tokio::test]
async fn instrumented_functions_are_subsegments_without_a_new_attribute() {
    let (sum, subsegments) = below(add(&["1", "20"])).await;
    assert_eq!(sum, 21);
    assert_eq!(tree(&subsegments), "add(parse(digits), parse(digits))");
    assert_eq!(annotations(&subsegments[0]), r#"{"sum":21}"#);
    assert_eq!(annotations(&subsegments[0].subsegments[1]), r#"{"length":2,"text":"20"}"#);
}

#[test]
fn fields_are_annotations() {
    let ((), subsegments) = below_blocking(|| {
        let span = info_span!(
            "a",
            http.method = "GET",
            r#type = ?'c',
            yes = true,
            float = 1.5,
            small = -1_i8,
            big = u64::MAX,
            huge = 1_u128,
            shown = %"text",
            debug = ?Some(1),
            nothing = field::Empty,
            later = field::Empty,
            long = "x".repeat(2000),
            not_finite = f64::NAN,
            "says {}",
            1
        );
        span.in_scope(|| ());
        span.record("later", "first").record("later", "second");
    });
    let mut annotations = subsegments[0].annotations.clone();
    assert_eq!(annotations.remove("long"), Some("x".repeat(1000).into()));
    let expected =
        r#"{"big":18446744073709551615,"debug":"Some(1)","float":1.5,"http_method":"GET","huge":1,"later":"second","#;
    let expected = expected.replace(r#""huge":1"#, r#""huge":"1""#);
    let expected = expected + r#""message":"says 1","shown":"text","small":-1,"type":"'c'","yes":true}"#;
    assert_eq!(serde_json::to_string(&annotations).unwrap(), expected);
}

#[test]
fn levels_and_filters_choose() {
    let work = || {
        info_span!("a").in_scope(|| debug_span!("b").in_scope(|| error_span!("c").in_scope(|| error!("in c"))));
        debug_span!("d").in_scope(|| error!("in d"));
    };
    assert_eq!(below_layer(SubsegmentLayer::new(), work), "a(c!)");
    assert_eq!(below_layer(SubsegmentLayer::new().with_max_level(LevelFilter::ERROR), work), "c!");
    assert_eq!(below_layer(SubsegmentLayer::new().with_max_level(Level::TRACE), work), "a(b(c!)), d!");
    assert_eq!(below_layer(SubsegmentLayer::new().with_max_level(LevelFilter::OFF), work), "");
    let all = || SubsegmentLayer::new().with_max_level(Level::TRACE);
    assert_eq!(below_layer(all().with_filter(LevelFilter::INFO), work), "a(c!)");
    assert_eq!(below_layer(all().with_filter(FilterFn::new(|metadata| metadata.name() != "c")), work), "a(b!), d!");
    // The filter of another layer has no effect.
    let other = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::OFF);
    assert_eq!(below_layer(other.and_then(SubsegmentLayer::new()), work), "a(c!)");
    // A layer that is added twice by mistake records each span once.
    assert_eq!(below_layer(SubsegmentLayer::new().and_then(SubsegmentLayer::new()), work), "a(c!)");
}

#[test]
fn a_span_stands_below_what_is_current_or_what_it_names() {
    #[xray::traced]
    fn i() {
        info_span!("j").in_scope(|| ());
    }

    let ((), subsegments) = below_blocking(|| {
        let a = info_span!("a");
        let b = a.in_scope(|| info_span!("b"));
        b.in_scope(|| {
            info_span!(parent: &a, "c").in_scope(|| info_span!("d").in_scope(|| ()));
            info_span!(parent: &debug_span!(parent: &a, "not recorded"), "e").in_scope(|| ());
            info_span!(parent: None, "left alone", a = 1).in_scope(|| info_span!("f").in_scope(|| ()));
            xray::current().subsegment("g").in_scope(|| info_span!("h").in_scope(|| ()));
            i();
        });
    });
    assert_eq!(tree(&subsegments), "a(c(d), e, b(f, g(h), i(j)))");
}

#[tokio::test]
async fn a_span_made_outside_belongs_where_it_is_first_entered() {
    subscribe();
    let span = || {
        let span = info_span!("s", a = 1, b = field::Empty);
        span.record("b", 2);
        span
    };
    let ((), documents) = capture(async { info_span!("in").in_scope(|| ()) }.instrument(span()).in_segment("t")).await;
    assert_eq!(tree(&documents), "t(s(in))");
    assert_eq!(annotations(&documents[0].subsegments[0]), r#"{"a":1,"b":2}"#);

    let ((), documents) = capture(async { info_span!("in").in_scope(|| ()) }.in_segment("t").instrument(span())).await;
    assert_eq!(tree(&documents), "t(in)", "the segment is inside the span");

    let ((), documents) = capture_blocking(|| {
        let span = span();
        span.in_scope(|| ());
        Segment::builder("t").begin().in_scope(|| span.in_scope(|| info_span!("in").in_scope(|| ())));
    });
    assert_eq!(tree(&documents), "t(in)", "a span that was entered before does not join the segment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_carries_the_trace_to_tasks_and_threads() {
    let ((), subsegments) = below(async {
        let expected = xray::trace_id();
        let task = async move {
            sleep(Duration::from_millis(1)).await;
            assert_eq!(xray::trace_id(), expected);
            info_span!("in task").in_scope(|| ());
        };
        tokio::spawn(task.instrument(info_span!("task"))).await.unwrap();
        let span = info_span!("thread");
        thread::spawn(move || {
            span.in_scope(|| assert_eq!(xray::trace_id(), expected));
            assert_eq!(xray::trace_id(), None);
        })
        .join()
        .unwrap();
    })
    .await;
    assert_eq!(tree(&subsegments), "task(in task), thread");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_of_tasks_keep_apart() {
    #[instrument]
    async fn work(number: u32) {
        let id = xray::current().id();
        for _ in 0..number % 4 {
            tokio::task::yield_now().await;
            assert_eq!(xray::current().id(), id);
        }
        info_span!("part", number).in_scope(|| assert_ne!(xray::current().id(), id));
    }

    subscribe();
    let tasks = (0..3000).map(|number| {
        tokio::spawn(async move {
            let ((), documents) = capture(work(number).in_segment("t")).await;
            assert_eq!(tree(&documents), "t(work(part))");
            let work = &documents[0].subsegments[0];
            assert_eq!(annotations(work), format!(r#"{{"number":{number}}}"#));
            assert_eq!(annotations(&work.subsegments[0]), annotations(work));
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(xray::trace_id(), None);
}

#[tokio::test]
async fn calls_land_below_the_span() {
    #[instrument(skip_all)]
    #[xray::traced_http]
    async fn get(client: &reqwest::Client, url: String) -> reqwest::Result<u16> {
        Ok(client.get(url).send().await?.status().as_u16())
    }
    let server = Server::start().await;
    let client = reqwest::Client::new();
    let (status, subsegments) = below(get(&client, server.url("/status/200"))).await;
    assert_eq!(status.unwrap(), 200);
    assert_eq!(tree(&subsegments), "get(127.0.0.1)");
    let header = server.take_seen()[0].trace_header();
    assert_eq!(header.parent, Some(subsegments[0].subsegments[0].id));
}

#[tokio::test]
async fn a_future_that_is_dropped_is_closed() {
    let ((), subsegments) = below(async {
        let mut work = Box::pin(async { sleep(Duration::from_secs(60)).await }.instrument(info_span!("work")));
        assert!(work.as_mut().now_or_never().is_none());
        let begun = xray::current().id();
        drop(work);
        assert_eq!(xray::current().id(), begun);
        mark("next");
    })
    .await;
    assert_eq!(tree(&subsegments), "work, next");
    assert!(subsegments[0].end_time < Some(subsegments[1].start_time));
}

#[test]
fn spans_are_left_in_any_order_and_entered_again() {
    let ((), subsegments) = below_blocking(|| {
        let id = || xray::current().id();
        let outside = id();
        let (a, b) = (info_span!("a"), info_span!("b"));
        let a_id = a.in_scope(id);
        let b_id = b.in_scope(id);
        let (entered_a, entered_b) = (a.enter(), b.enter());
        drop(entered_a);
        assert_eq!(id(), b_id);
        let again = b.enter();
        let a_again = a.enter();
        assert_eq!(id(), a_id);
        drop(again);
        assert_eq!(id(), a_id);
        drop(entered_b);
        assert_eq!(id(), a_id);
        a.clone().in_scope(|| a.in_scope(|| assert_eq!(id(), a_id)));
        b.in_scope(|| {
            a.in_scope(|| assert_eq!(id(), a_id));
            assert_eq!(id(), b_id);
        });
        drop(a_again);
        assert_eq!(id(), outside);

        // A span is left after the scope that it was entered in. Both restore what was current before them.
        let scope = xray::current().subsegment("scope");
        let left_later = scope.in_scope(|| info_span!("c").entered());
        assert_eq!(id(), outside);
        let d = info_span!("d").entered();
        let d_id = id();
        drop(left_later);
        assert_eq!(id(), d_id);
        drop(d);
        assert_eq!(id(), outside);
        let other = xray::current().subsegment("other");
        let left_inside = info_span!("e").entered();
        other.in_scope(|| {
            drop(left_inside);
            assert_eq!(id(), other.id());
        });
    });
    assert_eq!(tree(&subsegments), "d, e, other, scope(c), b, a");
}

#[tokio::test]
async fn a_guard_across_an_await_harms_nobody_else() {
    // `tracing` warns against this: the span stays entered while the future waits.
    let ((), subsegments) = below(async {
        let id = xray::current().id();
        let wrong = async {
            let _entered = info_span!("wrong").entered();
            tokio::task::yield_now().await;
        };
        let mut wrong = pin!(wrong.in_current_trace());
        let mut task = Context::from_waker(Waker::noop());
        assert!(wrong.as_mut().poll(&mut task).is_pending());
        assert_eq!(xray::current().id(), id);
        info_span!("right").in_scope(|| ());
        assert!(wrong.as_mut().poll(&mut task).is_ready());
        assert_eq!(xray::current().id(), id);
    })
    .await;
    assert_eq!(tree(&subsegments), "right, wrong");
}

#[test]
fn a_span_ends_where_it_is_left_and_leaves_where_it_is_closed() {
    subscribe();
    let (kept, documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        segment.in_scope(|| {
            let never_entered = info_span!("never entered");
            let span = info_span!("work");
            thread::sleep(Duration::from_millis(50));
            let child = span.in_scope(|| info_span!("child"));
            thread::sleep(Duration::from_millis(50));
            drop(never_entered);
            drop(child);
            span
        })
    });
    assert_eq!(tree(&documents), "t(never entered)");
    assert!(seconds(&documents[0].subsegments[0]) >= 0.1);
    drop(kept);

    let emitter = MemoryEmitter::new();
    let recorder = xray::Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("t").recorder(&recorder).begin();
    let id = segment.id();
    let (span, child) = segment.in_scope(|| {
        let span = info_span!("work");
        mark("before the span is entered");
        let child = span.in_scope(|| info_span!("child"));
        mark("after the span is left");
        (span, child)
    });
    segment.end();
    drop(span);
    let [segment] = &checked(emitter.take())[..] else { panic!("the span is still open") };
    let [before, after] = &segment.subsegments[..] else { panic!("{segment:#?}") };
    // The child is below an ended subsegment, and still part of its trace.
    child.in_scope(|| ());
    drop(child);
    let documents = checked(emitter.take());
    assert_eq!(tree(&documents), "work(child)");
    assert_eq!(documents[0].parent_id, id);
    let work = &documents[0];
    assert!(before.end_time < Some(work.start_time) && work.end_time < Some(after.start_time), "{work:#?}");
    assert!(documents[0].subsegments[0].start_time > documents[0].end_time.unwrap());
}

#[test]
fn a_span_of_work_that_is_over_does_not_take_the_place_of_other_work() {
    subscribe();
    let ((), documents) = capture_blocking(|| {
        let (first, second) = (Segment::builder("first").begin(), Segment::builder("second").begin());
        let span = first.in_scope(|| info_span!("connection"));
        let part = || span.in_scope(|| info_span!("part").in_scope(|| ()));
        second.in_scope(part);
        first.end();
        second.in_scope(|| {
            part();
            assert_eq!(xray::trace_id(), second.trace_id());
        });
        second.end();
        part();
    });
    assert_eq!(tree(&documents), "first, second(part), connection(part, part)");
}

#[test]
fn spans_in_a_segment_that_has_ended_are_nested_too() {
    subscribe();
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        let late = xray::Context::clone(&segment);
        segment.end();
        late.in_scope(|| info_span!("a").in_scope(|| info_span!("b").in_scope(|| ())));
    });
    assert_eq!(tree(&documents), "t, a(b)");
}

#[test]
fn a_span_that_outlives_its_invocation_is_not_current_in_the_next() {
    subscribe();
    let facade = |number| {
        let header = format!("Root=1-5759e988-{number:024};Parent={number:016};Sampled=1");
        (Segment::facade(&header), TraceHeader::parse(&header))
    };
    let ((), documents) = capture_blocking(|| {
        let ((first, first_header), (second, second_header)) = (facade(1), facade(2));
        let span = first.in_scope(|| info_span!("connection"));
        let part = || span.in_scope(|| info_span!("part").in_scope(xray::trace_id));
        assert_eq!(second.in_scope(part), first_header.root);
        first.end();
        assert_eq!(second.in_scope(part), second_header.root);
    });
    assert_eq!(tree(&documents), "part, connection(part)");
    let parents: Vec<_> = documents.iter().map(|document| document.parent_id.unwrap().to_string()).collect();
    assert_eq!(parents, ["0000000000000002", "0000000000000001"]);
}

#[test]
fn a_report_of_a_span_that_was_left_and_is_open_has_no_end() {
    struct Reports(Sender<Document>);

    impl Emitter for Reports {
        fn emit(&self, segment: FinishedSegment) {
            let _ = self.0.send(segment.into());
        }
    }

    subscribe();
    let (sender, reports) = channel();
    let recorder = xray::Recorder::builder().emitter(Reports(sender)).in_progress_after(Duration::from_millis(50));
    let recorder = recorder.sampler(Always).build();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    let header = segment.trace_header().unwrap().to_string();
    let facade = segment.in_scope(|| Segment::facade(&header));
    let span = facade.in_scope(|| info_span!("handler"));
    span.in_scope(|| ());
    let report = loop {
        let report: Document = reports.recv_timeout(Duration::from_secs(20)).expect("the span is reported");
        if report.name == "handler" {
            break report;
        }
    };
    assert!(report.in_progress && report.end_time.is_none(), "{report:#?}");
}

#[test]
fn what_is_not_sampled_is_carried_and_costs_no_formatting() {
    static IS_FORMATTED: AtomicBool = AtomicBool::new(false);

    struct Noted;

    impl Debug for Noted {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            IS_FORMATTED.store(true, Ordering::Relaxed);
            Ok(())
        }
    }

    let layer = tracing_subscriber::registry().with(SubsegmentLayer::new());
    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    let ((), documents) = tracing::subscriber::with_default(layer, || {
        capture_blocking(|| {
            let segment = Segment::builder("t").trace_header(&header).begin();
            let span = segment.in_scope(|| info_span!("a", field = ?Noted));
            span.record("field", field::debug(Noted));
            thread::spawn(move || span.in_scope(|| assert_eq!(xray::trace_id(), header.root))).join().unwrap();
        })
    });
    assert!(documents.is_empty() && !IS_FORMATTED.load(Ordering::Relaxed));
}

/// A span outside any segment may be entered in one later, unless the process records nothing.
fn outside_any_segment(is_enabled: bool) {
    static IS_FORMATTED: AtomicBool = AtomicBool::new(false);

    struct Noted;

    impl Debug for Noted {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            IS_FORMATTED.store(true, Ordering::Relaxed);
            formatter.write_str("noted")
        }
    }

    let emitter = MemoryEmitter::new();
    let builder = xray::Recorder::builder().enabled(is_enabled).sampler(Always).emitter(emitter.clone());
    let _recorder = builder.install().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(SubsegmentLayer::new()), || {
        let span = info_span!("a", field = ?Noted);
        assert_eq!(IS_FORMATTED.load(Ordering::Relaxed), is_enabled);
        Segment::builder("t").begin().in_scope(move || span.in_scope(|| ()));
    });
    let documents = emitter.take();
    assert_eq!(tree(&documents), if is_enabled { "t(a)" } else { "" });
    assert!(documents.iter().all(|segment| annotations(&segment.subsegments[0]) == r#"{"field":"noted"}"#));
}

#[test]
fn the_fields_of_a_span_outside_any_segment_are_recorded_where_it_is_entered() {
    let name = "the_fields_of_a_span_outside_any_segment_are_recorded_where_it_is_entered";
    child::run(module_path!(), name, || outside_any_segment(true));
}

#[test]
fn a_span_formats_no_field_while_tracing_is_disabled() {
    let name = "a_span_formats_no_field_while_tracing_is_disabled";
    child::run(module_path!(), name, || outside_any_segment(false));
}
