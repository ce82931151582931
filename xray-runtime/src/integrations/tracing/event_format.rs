//! Adds the trace id to log lines of `tracing_subscriber::fmt`.

use std::cell::Cell;
use std::fmt;

use tracing_core::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, format};
use tracing_subscriber::registry::LookupSpan;

use crate::id::TraceId;
use crate::live::context;

const KEY: &str = "trace_id";

/// A format of [`tracing_subscriber::fmt`](mod@tracing_subscriber::fmt) that adds the id of the current trace as the
/// field `trace_id`.
///
/// The field is appended to a text line, and inserted as the first member of a JSON line. The line of an event outside
/// any segment, or of an event with a field `trace_id`, is unchanged. The id is the value of
/// [`trace_id()`](crate::trace_id) when the event occurs. It is added for unsampled traces too.
/// [`SubsegmentLayer`](super::SubsegmentLayer) is not required.
///
/// ```
/// use tracing_subscriber::fmt;
/// use xray::tracing::WithTraceId;
/// # use std::io::{self, Write};
/// # use std::sync::{Arc, Mutex};
/// # #[derive(Clone, Default)]
/// # struct Lines(Arc<Mutex<Vec<u8>>>);
/// # impl Write for Lines {
/// #     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> { self.0.lock().unwrap().write(bytes) }
/// #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
/// # }
///
/// # let lines = Lines::default();
/// # let writer = { let lines = lines.clone(); move || lines.clone() };
/// let subscriber = fmt().json().map_event_format(WithTraceId::new); // or without `.json()`
/// # let subscriber = subscriber.with_writer(writer);
/// # let _guard = tracing::subscriber::set_default(subscriber.finish());
/// // subscriber.init();
///
/// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
/// let segment = xray::Segment::builder("shop").begin();
/// segment.in_scope(|| tracing::info!(items = 2, "sold"));
/// // {"trace_id":"1-6b031e14-9bc0c4e9a7c3750d6dec2af9","timestamp":"..","level":"INFO","fields":{"message":"sold",..
/// # let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
/// # assert!(text.starts_with(&format!(r#"{{"trace_id":"{}","timestamp":"#, segment.trace_id().unwrap())), "{text}");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct WithTraceId<F> {
    inner: F,
}

impl<F> WithTraceId<F> {
    /// Wraps `format`, which must write text or JSON lines: a format of
    /// [`fmt::format`](mod@tracing_subscriber::fmt::format), or a custom one.
    ///
    /// ```
    /// use tracing_subscriber::fmt::{self, format};
    /// use xray::tracing::WithTraceId;
    ///
    /// let layer = fmt::layer::<tracing_subscriber::Registry>().event_format(WithTraceId::new(format().compact()));
    /// # drop(layer);
    /// ```
    #[must_use]
    pub const fn new(format: F) -> Self {
        Self { inner: format }
    }
}

impl<F, S, N> FormatEvent<S, N> for WithTraceId<F>
where
    F: FormatEvent<S, N>,
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let own = event.metadata().fields().field(KEY);
        let Some(id) = context::trace_id().filter(|_| own.is_none()) else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        if writer.has_ansi_escapes() {
            with_ansi_escapes(&self.inner, context, event, &mut line)?;
        } else {
            self.inner.format_event(context, Writer::new(&mut line), event)?;
        }
        write_with(&mut writer, &line, id)
    }
}

/// Writes a formatted line and the id.
fn write_with(writer: &mut Writer<'_>, text: &str, id: TraceId) -> fmt::Result {
    let line = text.trim_end_matches(['\n', '\r']);
    let end = &text[line.len()..];
    match line.strip_prefix('{') {
        Some("}") => write!(writer, r#"{{"{KEY}":"{id}"}}{end}"#),
        Some(members) if members.starts_with('"') && members.ends_with('}') => {
            write!(writer, r#"{{"{KEY}":"{id}",{members}{end}"#)
        }
        _ => write!(writer, "{line} {KEY}={id}{end}"),
    }
}

/// Formats an event with the colours and styles of a terminal.
///
/// A [`Writer`] with escapes cannot be constructed outside `tracing_subscriber`. [`format::Format`] constructs one and
/// passes it to its timer. So this function runs a `Format` with a timer that formats the event, and keeps only the
/// output of the timer.
fn with_ansi_escapes<F, S, N>(
    format: &F,
    context: &FmtContext<'_, S, N>,
    event: &Event<'_>,
    line: &mut String,
) -> fmt::Result
where
    F: FormatEvent<S, N>,
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let progress = Cell::new(Progress::Before);
    let clock = Clock { format, context, event, progress: &progress };
    let frame = format::Format::default().with_ansi(true).with_timer(clock);
    let written = frame.format_event(context, Writer::new(&mut Within { line, progress: &progress }), event);
    match progress.get() {
        Progress::Before | Progress::Inside => written,
        Progress::After(result) => result,
    }
}

/// The position of the `Format` in [`with_ansi_escapes`] relative to its timer.
#[derive(Clone, Copy)]
enum Progress {
    /// The timer has not been called.
    Before,
    /// The timer formats the event.
    Inside,
    /// The timer has returned. Contains its result.
    After(fmt::Result),
}

/// A timer that formats the event instead of the time.
struct Clock<'a, 'b, F, S, N> {
    format: &'a F,
    context: &'a FmtContext<'b, S, N>,
    event: &'a Event<'b>,
    progress: &'a Cell<Progress>,
}

impl<F, S, N> FormatTime for Clock<'_, '_, F, S, N>
where
    F: FormatEvent<S, N>,
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        self.progress.set(Progress::Inside);
        let result = self.format.format_event(self.context, writer.by_ref(), self.event);
        self.progress.set(Progress::After(result));
        Ok(())
    }
}

/// A writer that keeps the output of the timer and discards everything before it. After the timer, every write fails,
/// so the `Format` does not format the rest of its line.
struct Within<'a> {
    line: &'a mut String,
    progress: &'a Cell<Progress>,
}

impl fmt::Write for Within<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.progress.get() {
            Progress::Before => Ok(()),
            Progress::Inside => self.line.write_str(text),
            Progress::After(_) => Err(fmt::Error),
        }
    }
}
