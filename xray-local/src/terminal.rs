//! Terminal output: one line per trace, and one line per document with findings.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval};
use xray_local::Server;
use xray_local::document::{Document, State, TraceId};
use xray_local::store::Report;
use xray_local::trace::Trace;

/// How long a trace must receive no documents before its line is printed. If more documents arrive later, the line is
/// printed again.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// How often traces are checked for [`QUIET_TIME`].
const TICK: Duration = Duration::from_millis(250);

/// The most lines printed per tick. For the rest, one line says how many there are.
const MAX_LINES: usize = 20;

/// The most traces that may wait for their line to be printed.
const MAX_WAITING: usize = 10_000;

/// Prints a line for each trace and finding from this call on. The future completes when writing fails, for example
/// because standard output is closed.
pub(crate) fn follow(server: &Server, mut out: impl Write) -> impl Future<Output = io::Result<()>> {
    let (mut arrivals, mut changes, mut reported) = (server.arrivals(), server.store().changes(), SystemTime::now());
    async move {
        let (mut waiting, mut missed, mut ticks) = (HashMap::new(), 0, interval(TICK));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                arrival = arrivals.recv() => match arrival {
                    Ok(id) if waiting.len() < MAX_WAITING || waiting.contains_key(&id) => _ = waiting.insert(id, Instant::now()),
                    Ok(_) => missed += 1,
                    Err(RecvError::Lagged(count)) => missed += count,
                    Err(RecvError::Closed) => return Ok(()),
                },
                _ = ticks.tick() => {
                    write_traces(&mut out, server, take_quiet(&mut waiting))?;
                    if changes.has_changed().unwrap_or(false) {
                        changes.mark_unchanged();
                        reported = write_reports(&mut out, server, reported)?;
                    }
                    if std::mem::take(&mut missed) > 0 {
                        writeln!(out, "some traces are not listed here because too many arrived at once; see the console")?;
                    }
                    out.flush()?;
                }
            }
        }
    }
}

fn write_traces(out: &mut impl Write, server: &Server, ids: Vec<TraceId>) -> io::Result<()> {
    let count = ids.len();
    let traces = ids.into_iter().take(MAX_LINES).filter_map(|id| server.store().trace(&id.to_string()));
    write_some(out, traces.map(|trace| trace_line(&trace)), count, "traces")
}

/// Prints the reports made after a time. Returns the time of the latest report.
fn write_reports(out: &mut impl Write, server: &Server, after: SystemTime) -> io::Result<SystemTime> {
    let mut reports = server.store().reports();
    reports.retain(|report| report.at > after);
    let latest = reports.iter().map(|report| report.at).max().unwrap_or(after);
    write_some(out, reports.iter().take(MAX_LINES).rev().map(report_line), reports.len(), "documents with findings")?;
    Ok(latest)
}

fn write_some(out: &mut impl Write, lines: impl Iterator<Item = String>, count: usize, what: &str) -> io::Result<()> {
    for line in lines {
        writeln!(out, "{line}")?;
    }
    match count.saturating_sub(MAX_LINES) {
        0 => Ok(()),
        more => writeln!(out, "and {more} more {what}"),
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

/// Returns a trace's line, such as
/// `fault     GET 503 http://example.com/  12 ms  shop, 3 segments  1-5880168b-fd5153bb58284b67678aa78c`.
fn trace_line(trace: &Trace) -> String {
    let root = trace.root();
    let (word, color) = verdict(root);
    let http = root.and_then(|root| root.http.as_ref());
    let request = http.map(|http| {
        let status = http.status.map(|status| status.to_string());
        [http.method.clone(), status, http.url.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let duration = trace.duration().map_or_else(|| "?".to_owned(), milliseconds);
    let name = root.map_or("(no segment)", |root| &root.name);
    let segments = match trace.segments.len() {
        1 => "1 segment".to_owned(),
        count => format!("{count} segments"),
    };
    let mut parts = vec![duration, format!("{name}, {segments}"), trace.id.clone()];
    if let Some(request) = request.filter(|request| !request.is_empty()) {
        parts.insert(0, request);
    }
    format!("{} {}", colored(word, color), plain(&parts.join("  ")))
}

fn verdict(root: Option<&Document>) -> (&'static str, AnsiColor) {
    match root.map(Document::state) {
        Some(State::Ok) => ("ok", AnsiColor::Green),
        Some(State::Error) => ("error", AnsiColor::Yellow),
        Some(State::Throttle) => ("throttle", AnsiColor::Magenta),
        Some(State::Fault) => ("fault", AnsiColor::Red),
        Some(State::InProgress) => ("running", AnsiColor::Cyan),
        None => ("partial", AnsiColor::Cyan),
    }
}

/// Returns a report's line, such as `rejected  70de5b6f19ff9a0a  name: contains characters that ..`.
fn report_line(report: &Report) -> String {
    let is_rejected = report.findings.iter().any(xray_local::check::Finding::is_rejection);
    let (word, color) = if is_rejected { ("rejected", AnsiColor::Red) } else { ("suspect", AnsiColor::Yellow) };
    let id = report.id.as_deref().unwrap_or("(no id)");
    let findings: Vec<_> = report.findings.iter().take(3).map(ToString::to_string).collect();
    format!("{} {}", colored(word, color), plain(&format!("{id}  {}", findings.join(" | "))))
}

fn colored(word: &str, color: AnsiColor) -> String {
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{word:<9}{style:#}")
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1000.0)
}

/// Replaces control characters, so that text from a document cannot send escape sequences to the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
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
