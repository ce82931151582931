//! Reads files with traces: segment documents, traces as `BatchGetTraces` returns them, and spans of OpenTelemetry.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::bounded::Bounded;
use crate::check::MAX_DOCUMENT_BYTES;
use crate::document::TraceId;
use crate::intake::{Intake, Spans};
use crate::otlp::Encoding;
use crate::store::Source;

/// The most traces of a file in the form of `BatchGetTraces`.
const MAX_TRACES: usize = 10_000;
/// The most segments of such a trace.
const MAX_SEGMENTS: usize = 10_000;
/// The most subsegments of a segment or subsegment.
const MAX_SUBSEGMENTS: usize = 100_000;

/// How many problems are listed.
const MAX_LISTED: usize = 100;

/// The result of loading a file.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// The traces to which something was added.
    pub(crate) traces: BTreeSet<TraceId>,
    /// The first problems.
    pub(crate) problems: Vec<Problem>,
    /// The number of all problems.
    pub(crate) problem_count: usize,
}

/// Why a part of a file was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line of the part, from 1. `None` if the file is not read by lines.
    pub(crate) line: Option<usize>,
    pub(crate) reason: String,
}

/// The fields that tell the kinds of objects in a file apart.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "Traces")]
    traces: Option<IgnoredAny>,
    #[serde(rename = "resourceSpans")]
    resource_spans: Option<IgnoredAny>,
    format: Option<IgnoredAny>,
    id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'a> {
    #[serde(borrow)]
    traces: Bounded<&'a RawValue, MAX_TRACES>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchTrace<'a> {
    #[serde(borrow)]
    segments: Bounded<BatchSegment<'a>, MAX_SEGMENTS>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchSegment<'a> {
    #[serde(borrow)]
    document: Cow<'a, str>,
}

/// Reads a file and passes what it holds to the intake.
///
/// A file is one JSON value, or one JSON value on each line: a segment document, an object with `Traces` as
/// `BatchGetTraces` returns it, or an `ExportTraceServiceRequest` of OTLP.
pub(crate) fn import(file: &[u8], intake: &Intake) -> Imported {
    let mut import = Import { intake, line: None, imported: Imported::default() };
    match std::str::from_utf8(file) {
        Ok(text) => import.file(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => import.reject(format!("the file is not UTF-8: {error}")),
    }
    intake.flush();
    import.imported
}

struct Import<'a> {
    intake: &'a Intake,
    /// The line that is being read.
    line: Option<usize>,
    imported: Imported,
}

impl Import<'_> {
    fn file(&mut self, text: &str) {
        let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).map(drop);
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
        let Some((_, first)) = lines.peek() else { return self.reject("the file is empty".to_owned()) };
        match is_json(text) {
            Ok(()) => self.value(text),
            Err(_) if is_json(first).is_ok() => {
                for (index, line) in lines {
                    self.line = Some(index + 1);
                    match is_json(line) {
                        Ok(()) => self.value(line),
                        Err(error) => self.reject(format!("it is not JSON: {error}")),
                    }
                }
            }
            Err(error) => self.reject(format!("the file is not JSON: {error}")),
        }
    }

    fn value(&mut self, text: &str) {
        let text = text.trim();
        // `serde_json` would also read the fields from an array.
        let shape = if text.starts_with('{') { serde_json::from_str::<Shape>(text).ok() } else { None };
        match shape {
            Some(Shape { traces: Some(_), .. }) => self.batch(text),
            Some(Shape { resource_spans: Some(_), .. }) => self.spans(text),
            // The header of a datagram is on a line before its document.
            Some(Shape { format: Some(_), id: None, .. }) => {}
            Some(_) => self.document(text),
            None => self.reject(
                "it is not a segment document, not an object with `Traces` as BatchGetTraces returns it, and not OTLP"
                    .to_owned(),
            ),
        }
    }

    fn document(&mut self, text: &str) {
        let outcome = self.intake.take(text, Source::Http);
        self.imported.traces.extend(outcome.trace);
        if let Some(rejection) = outcome.rejection() {
            self.reject(rejection.to_string());
        }
    }

    fn spans(&mut self, text: &str) {
        match self.intake.take_spans(text.as_bytes(), Encoding::Json, Source::Otlp) {
            Ok(Spans { mut traces, rejected }) => {
                self.imported.traces.append(&mut traces);
                if let Some(reason) = rejected.reason {
                    self.reject(format!("{} of the spans were rejected: {reason}", rejected.count));
                }
            }
            Err(error) => self.reject(error.to_string()),
        }
    }

    fn batch(&mut self, text: &str) {
        let malformed = |error: &dyn std::fmt::Display| format!("it is not as BatchGetTraces returns traces: {error}");
        let batch = serde_json::from_str::<Batch<'_>>(text).map_err(|error| malformed(&error));
        let traces = batch.and_then(|batch| batch.traces.checked("Traces").map_err(|error| malformed(&error)));
        let traces = match traces {
            Ok(traces) => traces,
            Err(reason) => return self.reject(reason),
        };
        for trace in traces {
            let trace = serde_json::from_str::<BatchTrace<'_>>(trace.get()).map_err(|error| malformed(&error));
            match trace.and_then(|trace| trace.segments.checked("Segments").map_err(|error| malformed(&error))) {
                Ok(segments) => segments.iter().for_each(|segment| self.segment(&segment.document)),
                Err(reason) => self.reject(reason),
            }
        }
    }

    /// Takes a segment of a trace, with all its subsegments. X-Ray joins subsegments that were sent by themselves to
    /// their segment, which may then be larger than a document can be.
    fn segment(&mut self, text: &str) {
        #[derive(Deserialize)]
        struct Mark {
            #[serde(default)]
            inferred: bool,
        }

        // X-Ray made such a segment from a call. It is made again here.
        if serde_json::from_str::<Mark>(text).is_ok_and(|mark| mark.inferred) {
            return;
        }
        if let Err(reason) = split(text, &mut |document| self.document(document)) {
            self.reject(reason);
        }
    }

    fn reject(&mut self, reason: String) {
        self.imported.problem_count += 1;
        if self.imported.problems.len() < MAX_LISTED {
            self.imported.problems.push(Problem { line: self.line, reason });
        }
    }
}

/// The longest `id` or `trace_id` that is copied into parts, in bytes of JSON. X-Ray's are 18 and 37 bytes long.
const MAX_ID_BYTES: usize = 64;

/// The most levels of subsegments that are split. JSON of deeper documents is not read.
const MAX_DEPTH: usize = 100;

/// A part of a segment that becomes a document of its own.
struct Part<'a> {
    text: &'a str,
    /// The fields that an embedded subsegment does not have. The parts of one parent share them.
    head: Rc<str>,
    depth: usize,
}

/// Passes a segment to `take` as documents that X-Ray accepts: as long as a document is too large, its subsegments
/// become documents of their own.
///
/// The parts are cut out of the text. As JSON values, they could take a hundred times the memory.
fn split(segment: &str, take: &mut impl FnMut(&str)) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Entity<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        trace_id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        subsegments: Option<&'a RawValue>,
    }

    let mut trace_id = None;
    let mut waiting = vec![Part { text: segment.trim(), head: "".into(), depth: 0 }];
    while let Some(Part { text, head, depth }) = waiting.pop() {
        if head.len() + text.len() <= MAX_DOCUMENT_BYTES {
            take(&with_head(&head, text));
            continue;
        }
        let entity: Entity<'_> =
            serde_json::from_str(text).map_err(|error| format!("a segment cannot be read: {error}"))?;
        let list = entity.subsegments.map(RawValue::get).filter(|list| list.starts_with('['));
        let Some(list) = list else {
            take(&with_head(&head, text));
            continue;
        };
        if depth == MAX_DEPTH {
            return Err(format!("a segment has more than {MAX_DEPTH} levels of subsegments"));
        }
        let subsegments: Bounded<&RawValue, MAX_SUBSEGMENTS> =
            serde_json::from_str(list).map_err(|error| format!("subsegments cannot be read: {error}"))?;
        let subsegments = subsegments.checked("subsegments").map_err(|error| error.to_string())?;
        let id = entity.id.map_or("null", RawValue::get);
        let trace_id = *trace_id.get_or_insert(entity.trace_id.map_or("null", RawValue::get));
        if id.len().max(trace_id.len()) > MAX_ID_BYTES {
            return Err(format!("the `id` or `trace_id` of a segment has more than {MAX_ID_BYTES} bytes"));
        }
        let head_of_parts: Rc<str> =
            format!("\"type\":\"subsegment\",\"trace_id\":{trace_id},\"parent_id\":{id}").into();
        // The list is a part of the text.
        let start = list.as_ptr() as usize - text.as_ptr() as usize;
        take(&with_head(&head, &format!("{}[]{}", &text[..start], &text[start + list.len()..])));
        waiting.extend(subsegments.into_iter().map(|part| Part {
            text: part.get(),
            head: Rc::clone(&head_of_parts),
            depth: depth + 1,
        }));
    }
    Ok(())
}

/// Inserts fields at the start of an object.
fn with_head<'a>(head: &str, object: &'a str) -> Cow<'a, str> {
    match object.strip_prefix('{').map(str::trim_start) {
        Some(rest) if !head.is_empty() && rest.starts_with('}') => format!("{{{head}{rest}").into(),
        Some(rest) if !head.is_empty() => format!("{{{head},{rest}").into(),
        _ => object.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns the documents of a segment.
    fn parts(segment: &Value) -> Vec<Value> {
        let mut parts = Vec::new();
        split(&segment.to_string(), &mut |text| {
            assert!(text.len() <= MAX_DOCUMENT_BYTES, "{}", text.len());
            parts.push(serde_json::from_str(text).unwrap());
        })
        .unwrap();
        parts
    }

    fn entity(id: usize, children: &[Value]) -> Value {
        json!({"id": format!("{id:016x}"), "name": "n".repeat(200), "start_time": 1, "end_time": 2, "subsegments": children})
    }

    #[test]
    fn a_segment_is_split_as_far_as_it_is_too_large() {
        let mut small = entity(1, &[entity(2, &[])]);
        small["trace_id"] = "1-2-3".into();
        assert_eq!(parts(&small), [small]);

        let inner: Vec<_> = (100..500).map(|id| entity(id, &[])).collect();
        let mut large = entity(1, &[entity(2, &[entity(3, &[])]), entity(4, &inner)]);
        large["trace_id"] = "1-2-3".into();
        let parts = parts(&large);
        assert_eq!(parts.len(), 3 + 400, "the segment, two subsegments, and those of the large one");
        let found = |id: usize| parts.iter().find(|part| part["id"] == format!("{id:016x}")).unwrap();
        assert_eq!(found(1)["subsegments"], json!([]));
        assert_eq!(found(2)["subsegments"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&found(2)["parent_id"], &found(2)["trace_id"], &found(2)["type"]),
            (&json!(format!("{:016x}", 1)), &json!("1-2-3"), &json!("subsegment"))
        );
        assert_eq!(
            (&found(100)["parent_id"], &found(100)["trace_id"]),
            (&json!(format!("{:016x}", 4)), &json!("1-2-3"))
        );
    }

    #[test]
    fn ids_that_would_multiply_are_refused() {
        for field in ["id", "trace_id"] {
            let long = format!(r#"{{"{field}":"{}","subsegments":[{{}},{{}}]}}"#, "a".repeat(70_000));
            let mut parts = 0;
            assert!(split(&long, &mut |_| parts += 1).unwrap_err().contains("more than 64 bytes"));
            assert_eq!(parts, 0);
        }
    }

    #[test]
    fn deep_and_long_lists_are_refused() {
        let deep = format!("{}{}{}", r#"{"subsegments":["#.repeat(3_000), " ".repeat(70_000), "]}".repeat(3_000));
        assert!(split(&deep, &mut |_| {}).unwrap_err().contains("levels"));
        let long = format!(r#"{{"subsegments":[{}{{}}]}}"#, "{},".repeat(200_000));
        assert!(split(&long, &mut |_| {}).unwrap_err().contains("at most"));
        assert!(split(&"[".repeat(70_000), &mut |_| {}).is_err());
    }
}
