//! Terminal output: one line per trace, and one line per document with findings.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval};
use xray_local::Server;
use xray_local::check::one_line;
use xray_local::document::{Document, Kind, State, TraceId};
use xray_local::printable::is_printable;
use xray_local::store::{Report, Store};
use xray_local::summary::ServiceId;
use xray_local::trace::Trace;

use crate::output::Printer;

/// How long a trace must receive no documents before its line is printed. If more documents arrive later, the line is
/// printed again.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// How often traces are checked for [`QUIET_TIME`].
const TICK: Duration = Duration::from_millis(250);

/// The most lines printed per tick. For the rest, one line says how many there are.
const MAX_LINES: usize = 20;

/// The most traces that may wait for their line to be printed.
const MAX_WAITING: usize = 10_000;

/// Prints a line for each trace and finding from this call on. The future completes when nothing can be printed
/// anymore.
pub(crate) fn follow(server: &Server, printer: Printer) -> impl Future<Output = ()> + use<> {
    let (store, mut arrivals, mut reported) = (server.store().clone(), server.arrivals(), SystemTime::now());
    let (mut changes, problems) = (store.changes(), server.problems_url());
    async move {
        let (mut waiting, mut missed, mut ticks) = (HashMap::new(), 0, interval(TICK));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                arrival = arrivals.recv() => match arrival {
                    Ok(id) if waiting.len() < MAX_WAITING || waiting.contains_key(&id) => _ = waiting.insert(id, Instant::now()),
                    Ok(_) => missed += 1,
                    Err(RecvError::Lagged(count)) => missed += count,
                    Err(RecvError::Closed) => return,
                },
                _ = ticks.tick() => {
                    let (quiet, mut lines) = (take_quiet(&mut waiting), String::new());
                    push_some(&mut lines, trace_lines(&store, &quiet).await, quiet.len(), "traces");
                    if changes.has_changed().unwrap_or(false) {
                        changes.mark_unchanged();
                        reported = push_reports(&mut lines, &store, reported, &problems);
                    }
                    if std::mem::take(&mut missed) > 0 {
                        lines += "some traces are not listed here because too many arrived at once; see the console\n";
                    }
                    if !lines.is_empty() && printer.print(lines).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Returns the lines of the first traces. A trace may be megabytes large, so they are assembled on another thread: the
/// signal that stops the program must not wait.
async fn trace_lines(store: &Store, ids: &[TraceId]) -> Vec<String> {
    let stored: Vec<_> = ids.iter().take(MAX_LINES).filter_map(|id| store.stored(&id.to_string())).collect();
    let lines = move || stored.iter().map(|stored| TraceLine::of(&stored.open()).to_string()).collect();
    tokio::task::spawn_blocking(lines).await.unwrap_or_default()
}

/// Appends the lines of the reports made after a time. Returns the time of the latest report. `problems` is the address
/// of all reports.
fn push_reports(out: &mut String, store: &Store, after: SystemTime, problems: &str) -> SystemTime {
    let mut reports = store.reports();
    reports.retain(|report| report.at > after);
    let latest = reports.iter().map(|report| report.at).max().unwrap_or(after);
    let lines = reports.iter().take(MAX_LINES).rev().map(|report| report_line(report, problems));
    push_some(out, lines, reports.len(), "documents with findings");
    latest
}

/// Appends the first lines, and a line with the number of the others. `count` is the number of all.
fn push_some(out: &mut String, lines: impl IntoIterator<Item = String>, count: usize, what: &str) {
    for line in lines {
        out.push_str(&line);
        out.push('\n');
    }
    let more = count.saturating_sub(MAX_LINES);
    if more > 0 {
        let _ = writeln!(out, "and {more} more {what}");
    }
}

/// Removes the traces that have been quiet for [`QUIET_TIME`] and returns them, oldest first.
fn take_quiet(waiting: &mut HashMap<TraceId, Instant>) -> Vec<TraceId> {
    let now = Instant::now();
    let mut quiet = Vec::new();
    waiting.retain(|id, last_arrival| {
        let is_quiet = now.duration_since(*last_arrival) >= QUIET_TIME;
        if is_quiet {
            quiet.push((*last_arrival, *id));
        }
        !is_quiet
    });
    quiet.sort_unstable();
    quiet.into_iter().map(|(_, id)| id).collect()
}

/// What the line of a trace says.
pub(crate) struct TraceLine<'a> {
    pub(crate) id: &'a str,
    pub(crate) state: State,
    /// The request that the root segment answers, as [`request`] returns it.
    pub(crate) request: String,
    /// The duration of the root segment in seconds, if it has ended.
    pub(crate) response_time: Option<f64>,
    /// The duration of the trace in seconds, if it is known.
    pub(crate) duration: Option<f64>,
    /// The name of the root segment. Without one, the name of the first segment or subsegment.
    pub(crate) name: &'a str,
    /// `true` if the name is that of a segment.
    pub(crate) has_segment: bool,
    /// The number of services.
    pub(crate) services: usize,
}

impl<'a> TraceLine<'a> {
    pub(crate) fn of(trace: &'a Trace) -> Self {
        let root = trace.root();
        let main = root.or_else(|| trace.rows(false).first().map(|row| row.document));
        let segments = trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
        Self {
            id: &trace.id,
            state: trace.state(),
            request: main.map(request).unwrap_or_default(),
            response_time: trace.response_time(),
            duration: trace.duration(),
            name: main.map_or("", |main| &main.name),
            has_segment: main.is_some_and(|main| main.kind == Kind::Segment),
            services: segments.map(ServiceId::of).collect::<HashSet<_>>().len(),
        }
    }

    /// Returns the response time. Work that goes on after the response makes the trace longer, so both are returned
    /// then.
    fn times(&self) -> String {
        let [response_time, duration] = [self.response_time, self.duration].map(|time| time.map(milliseconds));
        match (response_time, duration) {
            (Some(response_time), Some(whole)) if response_time != whole => {
                format!("{response_time} (whole trace {whole})")
            }
            (Some(time), _) | (None, Some(time)) => time,
            (None, None) => "?".to_owned(),
        }
    }
}

/// Writes a line such as
/// `fault     GET 503 http://example.com/  12 ms  shop, 3 services  1-5880168b-fd5153bb58284b67678aa78c`.
impl fmt::Display for TraceLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, color) = verdict(self.state);
        let note = if self.has_segment { "" } else { " (no segment)" };
        let services = match self.services {
            0 => String::new(),
            1 => ", 1 service".to_owned(),
            count => format!(", {count} services"),
        };
        let mut text = format!("{}  {}{note}{services}  {}", self.times(), self.name, self.id);
        if !self.request.is_empty() {
            text.insert_str(0, &format!("{}  ", self.request));
        }
        write!(formatter, "{} {}", colored(word, color), plain(&text))
    }
}

/// Returns the method, the status and the URL of the request that a segment answers or a subsegment sends. Returns an
/// empty text if there is no request.
pub(crate) fn request(entity: &Document) -> String {
    let http = entity.http.as_ref();
    http.map(|http| request_of(http.method.as_deref(), http.status, http.url.as_deref())).unwrap_or_default()
}

pub(crate) fn request_of(method: Option<&str>, status: Option<i64>, url: Option<&str>) -> String {
    let status = status.map(|status| status.to_string());
    [method, status.as_deref(), url].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

pub(crate) fn verdict(state: State) -> (&'static str, AnsiColor) {
    match state {
        State::Ok => ("ok", AnsiColor::Green),
        State::Error => ("error", AnsiColor::Yellow),
        State::Throttle => ("throttle", AnsiColor::Magenta),
        State::Fault => ("fault", AnsiColor::Red),
        State::InProgress => ("running", AnsiColor::Cyan),
    }
}

/// Returns a report's line, such as `rejected  70de5b6f19ff9a0a  name: contains characters that ..`.
fn report_line(report: &Report, problems: &str) -> String {
    let is_rejected = report.is_rejection();
    let (word, color) = if is_rejected { ("rejected", AnsiColor::Red) } else { ("suspicious", AnsiColor::Yellow) };
    let id = report.id.as_deref().unwrap_or("(no id)");
    let text = format!("{id}  {}", one_line(&report.findings, problems));
    format!("{} {}", colored(word, color), plain(&text))
}

pub(crate) fn colored(word: &str, color: AnsiColor) -> String {
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{word:<9}{style:#}")
}

pub(crate) fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1000.0)
}

/// Replaces the characters that control a terminal or the direction of its text. Text from a document, a file or the
/// command line could otherwise send escape sequences, or show a different text than it holds.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|char| if is_printable(char) { char } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Escapes the characters of a JSON text that control a terminal or the direction of its text. The text stays valid
/// JSON with the same meaning: outside of strings, JSON has only printable characters.
pub(crate) fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        if is_printable(character) {
            plain.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(plain, "\\u{unit:04x}");
            }
        }
    }
    plain
}

/// Prints the library's warnings and errors to standard error.
pub(crate) fn log_to_stderr() {
    static STDERR: Stderr = Stderr;
    log::set_max_level(log::LevelFilter::Warn);
    // Fails only if a logger is set already, and this is the program's only call.
    let _ = log::set_logger(&STDERR);
}

struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("xray_local")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let _ = writeln!(
                anstream::stderr(),
                "{} {}",
                colored("warning", AnsiColor::Yellow),
                plain(&record.args().to_string())
            );
        }
    }

    fn flush(&self) {}
}
