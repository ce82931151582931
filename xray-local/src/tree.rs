//! The tree of a trace, which the command `trace` prints.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::AnsiColor;
use serde_json::Value;
use xray_local::document::{Cause, Document, Kind, Namespace, StandIn, TraceId};
use xray_local::trace::{Trace, retries};

use crate::terminal::{colored, milliseconds, plain, request, verdict};

/// The deepest level of indentation. Entities on deeper levels are indented to this level.
const MAX_INDENT: usize = 20;

/// The most annotations of an entity that are printed, and the most characters of their values.
const MAX_ANNOTATIONS: usize = 10;
const MAX_VALUE_CHARS: usize = 40;

/// Prints the segments and subsegments of a trace, each below its caller. Inferred segments are left out, as on the
/// page of the trace, unless `shows_inferred` is set. `problems` is the address of the page that says which documents
/// were rejected.
pub(crate) fn print(out: &mut impl Write, trace: &Trace, shows_inferred: bool, problems: &str) -> io::Result<()> {
    let duration = trace.duration().map_or_else(|| "in progress".to_owned(), milliseconds);
    writeln!(out, "{}  {duration}", trace.id)?;
    let reasons: BTreeSet<&str> =
        trace.segments.iter().filter_map(|it| it.stand_in).map(StandIn::explanation).collect();
    for reason in reasons {
        writeln!(out, "{reason} {} shows whether it was rejected.", plain(problems))?;
    }
    if let Some(explanation) = trace.missing_parents() {
        writeln!(out, "{} {} shows whether it was rejected.", plain(&explanation), plain(problems))?;
    }
    let start = trace.start();
    let rows = trace.rows(shows_inferred);
    for (row, retry) in rows.iter().zip(retries(&rows)) {
        let entity = row.document;
        let (word, color) = if entity.stand_in.is_some() { ("-", AnsiColor::White) } else { verdict(entity.state()) };
        let indent = "  ".repeat(row.depth.min(MAX_INDENT));
        let line = entity_line(entity, retry.as_deref(), start);
        writeln!(out, "{} {indent}{}", colored(word, color), plain(&line))?;
        for line in exceptions(entity).into_iter().chain(annotations(entity)).chain(links(entity)) {
            writeln!(out, "{:9} {indent}  {}", "", plain(&line))?;
        }
    }
    Ok(())
}

fn entity_line(entity: &Document, retry: Option<&str>, start: f64) -> String {
    let mut parts = vec![entity.name.clone()];
    match (entity.kind, entity.namespace) {
        (Kind::Segment, _) if entity.inferred => parts.push("(inferred)".to_owned()),
        (Kind::Segment, _) if entity.stand_in == Some(StandIn::Lambda) => parts.push("(not received)".to_owned()),
        (Kind::Subsegment, Some(Namespace::Aws)) => parts.push("(aws)".to_owned()),
        (Kind::Subsegment, Some(Namespace::Remote)) => parts.push("(remote)".to_owned()),
        _ => {}
    }
    if entity.is_cancelled() {
        parts.push("(cancelled)".to_owned());
    }
    if entity.orphan {
        parts.push("(parent missing)".to_owned());
    }
    parts.extend(entity.operation());
    parts.extend(Some(request(entity)).filter(|request| !request.is_empty()));
    parts.extend(retry.map(|retry| format!("({retry})")));
    let begin = milliseconds(entity.start_time - start);
    let duration = entity.duration().map_or_else(|| "running".to_owned(), milliseconds);
    format!("{}  at {begin} for {duration}", parts.join(" "))
}

fn exceptions(entity: &Document) -> Vec<String> {
    let exceptions = entity.cause.iter().flat_map(Cause::exceptions);
    let line = exceptions.map(|exception| {
        let kind = exception.kind.as_deref().unwrap_or("Exception");
        format!("{kind}: {}", exception.message.as_deref().unwrap_or_default())
    });
    line.collect()
}

/// Returns the line of the annotations, with long values cut.
fn annotations(entity: &Document) -> Option<String> {
    let all = entity.annotations();
    let mut parts: Vec<String> =
        all.iter().take(MAX_ANNOTATIONS).map(|(key, value)| format!("{key}={}", short(value))).collect();
    match all.len().saturating_sub(MAX_ANNOTATIONS) {
        0 => {}
        more => parts.push(format!("and {more} more")),
    }
    (!parts.is_empty()).then(|| format!("annotations: {}", parts.join(", ")))
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        None => text,
        Some(_) => text.chars().take(MAX_VALUE_CHARS - 1).chain(['…']).collect(),
    }
}

/// Returns the line of the traces to which an entity links, such as those of the senders of messages.
fn links(entity: &Document) -> Option<String> {
    let ids = entity.links().filter_map(|link| TraceId::parse(link.trace_id)).map(|id| id.to_string());
    let ids: Vec<String> = ids.collect();
    (!ids.is_empty()).then(|| format!("linked traces: {}", ids.join(", ")))
}
