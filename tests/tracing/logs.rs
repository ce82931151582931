//! The trace id in the lines that `tracing_subscriber::fmt` writes.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::{Event, Subscriber, error, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::format::{DefaultFields, Format, Writer, format};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter, layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use xray::tracing::WithTraceId;
use xray::{Segment, TraceHeader};

const ID: &str = "1-5759e988-bd862e3fe1be46a994272793";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Runs `work` in a segment and returns the log.
fn logged<L>(make: impl FnOnce(Lines) -> L, work: impl FnOnce()) -> String
where
    L: tracing_subscriber::Layer<Registry> + Send + Sync,
{
    let lines = Lines::default();
    let registry = tracing_subscriber::registry().with(make(lines.clone()));
    let header = TraceHeader::parse(&format!("Root={ID};Sampled=0"));
    // The segment begins and ends outside the subscriber, so that what `xray` itself logs about it is not in the log.
    let segment = Segment::builder("t").trace_header(&header).begin();
    tracing::subscriber::with_default(registry, || segment.in_scope(work));
    let bytes = std::mem::take(&mut *lines.0.lock().unwrap());
    String::from_utf8(bytes).unwrap()
}

fn work() {
    info_span!("span", a = 1).in_scope(|| error!(b = "two", "three"));
}

#[test]
fn text_ends_with_the_id() {
    let full = logged(|lines| layer().with_writer(lines).without_time().map_event_format(WithTraceId::new), work);
    // `fmt` writes colours by default.
    assert!(full.contains('\u{1b}') && full.ends_with(&format!(" trace_id={ID}\n")), "{full:?}");

    let text = |format: Format<_, ()>| layer().with_ansi(false).event_format(WithTraceId::new(format));
    let full = logged(|lines| text(format().without_time()).with_writer(lines), work);
    assert_eq!(full, format!("ERROR span{{a=1}}: tracing::logs: three b=\"two\" trace_id={ID}\n"));
    let bare = format().without_time().with_level(false).with_target(false);
    let twice = logged(|lines| text(bare).with_writer(lines), || (0..2).for_each(|number| info!("{number}")));
    assert_eq!(twice, format!("0 trace_id={ID}\n1 trace_id={ID}\n"));

    let compact = layer().with_ansi(false).compact().without_time().map_event_format(WithTraceId::new);
    let compact = logged(|lines| compact.with_writer(lines), work);
    assert_eq!(compact, format!("ERROR span: tracing::logs: three b=\"two\" a=1 trace_id={ID}\n"));

    let pretty = layer().with_ansi(false).pretty().without_time().map_event_format(WithTraceId::new);
    let pretty = logged(|lines| pretty.with_writer(lines), work);
    assert!(pretty.ends_with(&format!("in tracing::logs::span with a: 1 trace_id={ID}\n\n")), "{pretty:?}");
}

#[test]
fn colours_stay_and_nothing_else_changes() {
    let plain = logged(|lines| layer().with_ansi(true).without_time().with_writer(lines), work);
    let with_id = layer().with_ansi(true).without_time().map_event_format(WithTraceId::new);
    let with_id = logged(|lines| with_id.with_writer(lines), work);
    assert!(plain.contains("\u{1b}[31mERROR"), "{plain:?}");
    assert_eq!(with_id.replace(&format!(" trace_id={ID}"), ""), plain);

    let pretty = logged(|lines| layer().with_ansi(true).pretty().without_time().with_writer(lines), work);
    let with_id = layer().with_ansi(true).pretty().without_time().map_event_format(WithTraceId::new);
    let with_id = logged(|lines| with_id.with_writer(lines), work);
    assert_eq!(with_id.replace(&format!(" trace_id={ID}"), ""), pretty);

    let json = layer().with_ansi(true).event_format(WithTraceId::new(format().json())).fmt_fields(format_json_fields());
    let json = logged(|lines| json.with_writer(lines), work);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["trace_id"], ID);
}

fn format_json_fields() -> tracing_subscriber::fmt::format::JsonFields {
    tracing_subscriber::fmt::format::JsonFields::new()
}

#[test]
fn json_has_the_id_as_a_member() {
    let work = || info_span!("span", a = 1).in_scope(|| info!(b = "}\n\"", "{{three}}"));
    let nested = logged(|lines| layer().json().with_writer(lines).map_event_format(WithTraceId::new), work);
    assert!(nested.starts_with(&format!("{{\"trace_id\":\"{ID}\",\"timestamp\":\"")), "{nested}");
    assert_eq!(nested.lines().count(), 1);
    let nested: Value = serde_json::from_str(&nested).unwrap();
    assert_eq!(
        (&nested["trace_id"], &nested["fields"]["b"], &nested["span"]["a"]),
        (&ID.into(), &"}\n\"".into(), &1.into())
    );

    let flat = layer().json().flatten_event(true).without_time().map_event_format(WithTraceId::new);
    let flat = logged(|lines| flat.with_writer(lines), || info!(trace_id = "mine"));
    assert_eq!(flat.matches("trace_id").count(), 1, "{flat}");
    assert_eq!(serde_json::from_str::<Value>(&flat).unwrap()["trace_id"], "mine");
}

/// A format that writes the message alone.
struct Bare;

impl<S, N> FormatEvent<S, N> for Bare
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = String::new();
        context.field_format().format_fields(Writer::new(&mut text), event)?;
        if text == "fail" {
            return Err(fmt::Error);
        }
        writer.write_str(&text)
    }
}

#[test]
fn custom_formats_get_the_id() {
    for ansi in [false, true] {
        for (message, expected) in [
            ("{}", format!("{{\"trace_id\":\"{ID}\"}}")),
            ("{}\r\n", format!("{{\"trace_id\":\"{ID}\"}}\r\n")),
            ("{\"a\":1}", format!("{{\"trace_id\":\"{ID}\",\"a\":1}}")),
            ("{a}", format!("{{a}} trace_id={ID}")),
            ("{\"a", format!("{{\"a trace_id={ID}")),
            ("", format!(" trace_id={ID}")),
            ("a\nb\n", format!("a\nb trace_id={ID}\n")),
        ] {
            let layer = layer().with_ansi(ansi).fmt_fields(DefaultFields::new()).event_format(WithTraceId::new(Bare));
            assert_eq!(logged(|lines| layer.with_writer(lines), || info!("{message}")), expected, "{message:?}");
        }
        let layer = layer().with_ansi(ansi).log_internal_errors(false).event_format(WithTraceId::new(Bare));
        assert_eq!(logged(|lines| layer.with_writer(lines), || info!("fail")), "");
    }
}

#[test]
fn outside_any_segment_nothing_is_added() {
    let bare = || format().without_time().with_level(false).with_target(false);
    let text = |lines| layer().with_ansi(false).event_format(WithTraceId::new(bare())).with_writer(lines);
    let lines = Lines::default();
    let registry = tracing_subscriber::registry().with(text(lines.clone()));
    tracing::subscriber::with_default(registry, || info!("a"));
    assert_eq!(*lines.0.lock().unwrap(), b"a\n");
}

#[test]
fn a_bare_subscriber_writes_the_id() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().map_event_format(WithTraceId::new).with_writer(lines.clone());
    // As in `logged`, what `xray` itself logs about the segment is not in the log.
    let segment = Segment::builder("t").trace_header(&TraceHeader::parse("Sampled=0")).begin();
    tracing::subscriber::with_default(subscriber.finish(), || {
        segment.in_scope(|| info!("a"));
        let mut expected = String::new();
        write!(expected, "{{\"trace_id\":\"{}\",", segment.trace_id().unwrap()).unwrap();
        assert!(String::from_utf8(lines.0.lock().unwrap().clone()).unwrap().starts_with(&expected));
    });
}
