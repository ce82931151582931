//! Checks segments and subsegments: their ids, names, times and embedded subsegments.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::field::{FieldPath, excerpt};
use super::finding::{Code, Finding, Findings};
use super::name;
use super::shape::{ENTITY, SEGMENT, SUBSEGMENT, shape_of};
use super::values::{self, IdForm};
use crate::document::{TraceId, number};

/// The role of an entity in its document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The document is a segment.
    Segment,
    /// The document is a subsegment sent separately from its segment.
    Independent,
    /// The entity is a subsegment inside the document.
    Embedded,
}

/// Checks a whole document.
pub(super) fn check(document: &Map<String, Value>, findings: &mut Findings) {
    let is_subsegment = document.get("type").is_some_and(|kind| kind == "subsegment");
    let role = if is_subsegment { Role::Independent } else { Role::Segment };
    let (trace_id, parent_id) = (document.get("trace_id"), document.get("parent_id"));
    check_trace_id(trace_id, &FieldPath::DOCUMENT.field("trace_id"), findings);
    if is_subsegment && parent_id.is_none() {
        findings.add(&FieldPath::DOCUMENT.field("parent_id"), || {
            Finding::suspicious(
                "is missing, so X-Ray cannot tell which segment the subsegment belongs to",
                "send the id of the segment or subsegment that contains this subsegment",
            )
        });
    }
    check_entity(document, role, trace_id, &FieldPath::DOCUMENT, &mut HashSet::new(), findings);
}

/// Checks an entity and the subsegments in it. `trace_id` is the document's, and `ids` collects the ids seen in the
/// document.
fn check_entity<'a>(
    map: &'a Map<String, Value>,
    role: Role,
    trace_id: Option<&Value>,
    at: &FieldPath,
    ids: &mut HashSet<&'a str>,
    findings: &mut Findings,
) {
    check_id(map.get("id"), &at.field("id"), ids, findings);
    check_name(map.get("name"), &at.field("name"), findings);
    check_times(map, at, findings);
    check_type_and_namespace(map, role, at, findings);
    if role == Role::Embedded && map.get("trace_id").is_some_and(|own| Some(own) != trace_id) {
        findings.add(&at.field("trace_id"), || {
            Finding::suspicious(
                "differs from the document's trace id, and X-Ray uses the document's",
                "send a subsegment of another trace as a separate document",
            )
        });
    }
    check_fields(map, role, at, findings);
    check_subsegments(map.get("subsegments"), trace_id, &at.field("subsegments"), ids, findings);
}

fn check_fields(map: &Map<String, Value>, role: Role, at: &FieldPath, findings: &mut Findings) {
    let (own, other) = if role == Role::Segment { (SEGMENT, SUBSEGMENT) } else { (SUBSEGMENT, SEGMENT) };
    for (name, value) in map {
        let at = at.field(name);
        match shape_of(name, ENTITY).or_else(|| shape_of(name, own)) {
            Some(shape) => values::check(value, shape, &at, findings),
            None if shape_of(name, other).is_some() => findings.add(&at, || misplaced(role)),
            None if name == "inferred" => findings.add(&at, || {
                Finding::suspicious("is set by X-Ray only, so X-Ray drops it here", "leave the field out")
            }),
            None => findings.add(&at, values::unknown_field),
        }
    }
}

/// Returns the finding for a segment's field in a subsegment, or a subsegment's field in a segment.
fn misplaced(role: Role) -> Finding {
    match role {
        Role::Segment => Finding::suspicious(
            "is a field of subsegments, so X-Ray drops it from a segment",
            "add `\"type\": \"subsegment\"` and a `parent_id` if this document is a subsegment",
        ),
        Role::Independent | Role::Embedded => Finding::suspicious(
            "is a field of segments, so X-Ray drops it from a subsegment",
            "set the field on the segment",
        ),
    }
}

fn check_subsegments<'a>(
    value: Option<&'a Value>,
    trace_id: Option<&Value>,
    at: &FieldPath,
    ids: &mut HashSet<&'a str>,
    findings: &mut Findings,
) {
    let embedded = match value {
        None => return,
        Some(Value::Array(embedded)) => embedded,
        Some(other) => return findings.add(at, || values::wrong_type(other, "an array")),
    };
    for (index, value) in embedded.iter().enumerate() {
        let at = at.element(index);
        match value {
            Value::Object(map) => check_entity(map, Role::Embedded, trace_id, &at, ids, findings),
            other => findings.add(&at, || values::wrong_type(other, "an object")),
        }
    }
}

/// Checks `type` and `namespace`.
fn check_type_and_namespace(map: &Map<String, Value>, role: Role, at: &FieldPath, findings: &mut Findings) {
    if map.get("type").is_some_and(|kind| kind != "subsegment") {
        findings.add(&at.field("type"), || {
            Finding::suspicious(
                "is not `subsegment`, the only type that X-Ray knows",
                "leave the field out of a segment",
            )
        });
    }
    let namespace = map.get("namespace").filter(|_| role != Role::Segment);
    match namespace.map(|namespace| (namespace, namespace.as_str())) {
        None | Some((_, Some("aws" | "remote"))) => {}
        Some((_, Some("local"))) => findings.add(&at.field("namespace"), || {
            Finding::suspicious(
                "is `local`, which is not a namespace of X-Ray; collectors older than 2024 reject the whole document",
                "leave the field out of a subsegment that calls no service",
            )
        }),
        Some((_, Some(other))) => findings.add(&at.field("namespace"), || {
            Finding::suspicious(
                format!(
                    "is `{}`, not `aws` or `remote`, so X-Ray sees no call here; collectors reject the whole document",
                    excerpt(other)
                ),
                "send `aws` for a call to AWS and `remote` for any other call; leave the field out otherwise",
            )
        }),
        Some((other, None)) => findings.add(&at.field("namespace"), || values::wrong_type(other, "`aws` or `remote`")),
    }
}

fn check_id<'a>(value: Option<&'a Value>, at: &FieldPath, ids: &mut HashSet<&'a str>, findings: &mut Findings) {
    let advice = "send 16 hexadecimal digits, chosen at random for each segment and subsegment";
    let id = match value {
        Some(Value::String(id)) if !id.is_empty() => id.as_str(),
        Some(other) if !other.is_null() && !other.is_string() => {
            let reason = || format!("is {}, not a string", values::describe(other));
            return findings.add(at, || Finding::rejected(Code::InvalidId, reason(), advice));
        }
        _ => return findings.add(at, || Finding::rejected(Code::MissingId, "is missing", advice)),
    };
    match values::id_form(id) {
        IdForm::Valid => {}
        IdForm::UpperCase => findings.add(at, || values::upper_case_id(id)),
        IdForm::Invalid => findings.add(at, || {
            let reason = format!("`{}` is not an id", excerpt(id));
            Finding::rejected(Code::InvalidId, reason, advice)
        }),
    }
    if !ids.insert(id) {
        findings.add(at, || {
            Finding::suspicious(
                format!("`{}` appears twice in the document, so X-Ray loses one of the two", excerpt(id)),
                advice,
            )
        });
    }
}

fn check_name(value: Option<&Value>, at: &FieldPath, findings: &mut Findings) {
    let name = match value {
        Some(Value::String(name)) if !name.is_empty() => name,
        Some(other) if !other.is_null() && !other.is_string() => {
            return findings.add(at, || {
                let reason = format!("is {}, not a string", values::describe(other));
                Finding::rejected(Code::InvalidName, reason, "send the name as a string")
            });
        }
        _ => {
            let advice = "send the name of the service, host, database or function";
            return findings.add(at, || Finding::rejected(Code::MissingName, "is missing", advice));
        }
    };
    let mut refused: Vec<char> = name.chars().filter(|character| !name::is_allowed(*character)).collect();
    if refused.is_empty() && (name.len() <= name::MAX_CHARS || name.chars().count() <= name::MAX_CHARS) {
        return;
    }
    findings.add(at, || {
        if refused.is_empty() {
            let reason =
                format!("has {} characters, and X-Ray accepts at most {}", name.chars().count(), name::MAX_CHARS);
            return Finding::rejected(Code::InvalidName, reason, "shorten the name");
        }
        refused.sort_unstable();
        refused.dedup();
        let refused: Vec<String> =
            refused.iter().take(10).map(|character| format!("`{}`", character.escape_debug())).collect();
        let reason = format!("`{}` contains {}, which X-Ray does not accept", excerpt(name), refused.join(" "));
        let allowed = "use letters, numbers, spaces and _ . : / % & # = + - @";
        Finding::rejected(
            Code::InvalidName,
            reason,
            match name::allowed_part(name).as_str() {
                "" => allowed.to_owned(),
                part => format!("{allowed}, for example `{}`", excerpt(part)),
            },
        )
    });
}

fn check_trace_id(value: Option<&Value>, at: &FieldPath, findings: &mut Findings) {
    let form = "`1-`, 8 hexadecimal digits, `-`, 24 hexadecimal digits";
    let id = match value {
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(other) if !other.is_null() && !other.is_string() => {
            let reason = || format!("is {}, not a string", values::describe(other));
            return findings.add(at, || Finding::rejected(Code::InvalidTraceId, reason(), format!("send {form}")));
        }
        _ => {
            let advice = format!("send the id of the trace: {form}");
            return findings.add(at, || Finding::rejected(Code::MissingTraceId, "is missing", advice));
        }
    };
    if TraceId::parse(id).is_none() {
        findings.add(at, || {
            let is_w3c = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            let advice = if is_w3c {
                format!("this is a W3C trace id; send it as `1-{}-{}`", &id[..8], &id[8..])
            } else {
                format!("send {form}")
            };
            Finding::rejected(Code::InvalidTraceId, format!("`{}` is not a trace id", excerpt(id)), advice)
        });
    } else if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        findings.add(at, || values::upper_case_id(id));
    }
}

/// Checks `start_time`, `end_time` and `in_progress`.
fn check_times(map: &Map<String, Value>, at: &FieldPath, findings: &mut Findings) {
    let (start_at, end_at) = (at.field("start_time"), at.field("end_time"));
    let start = checked_time(map.get("start_time"), &start_at, findings);
    if start.is_none() {
        findings.add(&start_at, || {
            let reason = if map.contains_key("start_time") { "is not a time" } else { "is missing" };
            Finding::rejected(Code::MissingStartTime, reason, "send the start in seconds since 1970, with a fraction")
        });
    }
    let end = checked_time(map.get("end_time"), &end_at, findings);
    let in_progress = map.get("in_progress");
    match (end, in_progress) {
        (None, Some(Value::Bool(true))) | (Some(_), None | Some(Value::Bool(false))) => {}
        (Some(_), Some(Value::Bool(true))) => findings.add(&at.field("in_progress"), || {
            Finding::suspicious(
                "is `true` although there is an `end_time`, and X-Ray uses the `end_time`",
                "send only one of the two fields",
            )
        }),
        (Some(_), Some(other)) => {
            findings.add(&at.field("in_progress"), || values::wrong_type(other, "`true` or `false`"));
        }
        (None, _) => findings.add(&end_at, || {
            let advice = "send the end, or send `\"in_progress\": true` now and the whole document again after the end";
            Finding::rejected(Code::MissingEndTime, "is missing", advice)
        }),
    }
    if let (Some(start), Some(end)) = (start, end) {
        if end < start {
            findings.add(&end_at, || {
                Finding::suspicious(
                    format!("is {:.6} seconds before `start_time`", start - end),
                    "measure durations with a monotonic clock",
                )
            });
        }
    }
}

/// Checks a time and returns it in seconds since 1970. Returns `None` if the value is absent or not a number.
fn checked_time(value: Option<&Value>, at: &FieldPath, findings: &mut Findings) -> Option<f64> {
    /// In seconds, this time is in the year 5138; in milliseconds, in 1973. A larger number is surely not in seconds.
    const FAR_FUTURE: f64 = 1e11;

    let value = value?;
    let seconds = number(value);
    if !value.is_number() {
        findings.add(at, || values::wrong_type(value, "a number"));
    }
    if seconds.is_some_and(|seconds| seconds <= 0.0) {
        findings.add(at, || Finding::suspicious("is not after 1970", "send the time in seconds since 1970"));
    }
    if seconds.is_some_and(|seconds| seconds >= FAR_FUTURE) {
        findings.add(at, || {
            Finding::suspicious(
                "is thousands of years in the future",
                "send seconds since 1970, not milliseconds or nanoseconds",
            )
        });
    }
    seconds
}
