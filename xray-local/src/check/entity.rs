//! What makes a segment or subsegment one: ids, name, times, and what is embedded in it.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::field::{Place, excerpt};
use super::finding::{Code, Finding, Findings};
use super::name;
use super::shape::{ENTITY, SEGMENT, SUBSEGMENT, shape_of};
use super::values::{self, IdForm};
use crate::document::{TraceId, number};

/// How an entity came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Segment,
    /// A subsegment that is a document by itself.
    Independent,
    Embedded,
}

/// A whole document.
pub(super) fn check(document: &Map<String, Value>, findings: &mut Findings) {
    let is_subsegment = document.get("type").is_some_and(|kind| kind == "subsegment");
    let role = if is_subsegment { Role::Independent } else { Role::Segment };
    let (trace_id, parent_id) = (document.get("trace_id"), document.get("parent_id"));
    own_trace_id(trace_id, &Place::DOCUMENT.field("trace_id"), findings);
    if is_subsegment && parent_id.is_none() {
        findings.add(&Place::DOCUMENT.field("parent_id"), || {
            Finding::suspicious(
                "is missing, so the subsegment belongs to no segment",
                "give the id of the segment or subsegment that it is part of",
            )
        });
    }
    entity(document, role, trace_id, &Place::DOCUMENT, &mut HashSet::new(), findings);
}

fn entity<'a>(
    map: &'a Map<String, Value>,
    role: Role,
    trace_id: Option<&Value>,
    at: &Place,
    ids: &mut HashSet<&'a str>,
    findings: &mut Findings,
) {
    own_id(map.get("id"), &at.field("id"), ids, findings);
    own_name(map.get("name"), &at.field("name"), findings);
    times(map, at, findings);
    kind(map, role, at, findings);
    if role == Role::Embedded && map.get("trace_id").is_some_and(|own| Some(own) != trace_id) {
        findings.add(&at.field("trace_id"), || {
            Finding::suspicious(
                "is not that of the document, which counts",
                "send what belongs to another trace as a document of its own",
            )
        });
    }
    fields(map, role, at, findings);
    subsegments(map.get("subsegments"), trace_id, &at.field("subsegments"), ids, findings);
}

fn fields(map: &Map<String, Value>, role: Role, at: &Place, findings: &mut Findings) {
    let (own, other) = if role == Role::Segment { (SEGMENT, SUBSEGMENT) } else { (SUBSEGMENT, SEGMENT) };
    for (name, value) in map {
        let at = at.field(name);
        match shape_of(name, ENTITY).or_else(|| shape_of(name, own)) {
            Some(shape) => values::check(value, shape, &at, findings),
            None if shape_of(name, other).is_some() => findings.add(&at, || misplaced(role)),
            None if name == "inferred" => findings.add(&at, || {
                Finding::suspicious("only X-Ray says that a segment is inferred, and drops this", "leave it out")
            }),
            None => findings.add(&at, values::unknown_field),
        }
    }
}

/// What a field is that only the other kind of entity has.
fn misplaced(role: Role) -> Finding {
    match role {
        Role::Segment => Finding::suspicious(
            "only subsegments have it, and X-Ray drops it here",
            "add `\"type\": \"subsegment\"` and a `parent_id` if this is a subsegment that is sent by itself",
        ),
        Role::Independent | Role::Embedded => {
            Finding::suspicious("only segments have it, and X-Ray drops it here", "set it on the segment")
        }
    }
}

fn subsegments<'a>(
    value: Option<&'a Value>,
    trace_id: Option<&Value>,
    at: &Place,
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
            Value::Object(map) => entity(map, Role::Embedded, trace_id, &at, ids, findings),
            other => findings.add(&at, || values::wrong_type(other, "an object")),
        }
    }
}

/// `type` and `namespace`.
fn kind(map: &Map<String, Value>, role: Role, at: &Place, findings: &mut Findings) {
    if map.get("type").is_some_and(|kind| kind != "subsegment") {
        findings.add(&at.field("type"), || {
            Finding::suspicious("X-Ray knows no type but `subsegment`", "leave it out of a segment")
        });
    }
    let namespace = map.get("namespace").filter(|_| role != Role::Segment);
    match namespace.map(|namespace| (namespace, namespace.as_str())) {
        None | Some((_, Some("aws" | "remote"))) => {}
        Some((_, Some("local"))) => findings.add(&at.field("namespace"), || {
            Finding::suspicious(
                "`local` is not among X-Ray's namespaces, and collectors older than 2024 refuse the whole document",
                "leave it out of local work",
            )
        }),
        Some((_, Some(other))) => findings.add(&at.field("namespace"), || {
            Finding::suspicious(
                format!(
                    "`{}` is none, so no call of a service is seen here; collectors refuse the whole document",
                    excerpt(other)
                ),
                "use `aws` or `remote` for a call, and leave it out of local work",
            )
        }),
        Some((other, None)) => findings.add(&at.field("namespace"), || values::wrong_type(other, "`aws` or `remote`")),
    }
}

fn own_id<'a>(value: Option<&'a Value>, at: &Place, ids: &mut HashSet<&'a str>, findings: &mut Findings) {
    let advice = "give each segment and subsegment 16 random hexadecimal digits";
    let id = match value {
        Some(Value::String(id)) if !id.is_empty() => id.as_str(),
        Some(other) if !other.is_null() && !other.is_string() => {
            let reason = || format!("is {}, not a string", values::kind(other));
            return findings.add(at, || Finding::rejected(Code::InvalidId, reason(), advice));
        }
        _ => return findings.add(at, || Finding::rejected(Code::MissingId, "is missing", advice)),
    };
    match values::id_form(id) {
        IdForm::Good => {}
        IdForm::UpperCase => findings.add(at, || values::upper_case(id)),
        IdForm::None => findings.add(at, || {
            let reason = format!("`{}` is no id", excerpt(id));
            Finding::rejected(Code::InvalidId, reason, advice)
        }),
    }
    if !ids.insert(id) {
        findings.add(at, || {
            Finding::suspicious(
                format!("`{}` stands twice in the document, and one of them is lost", excerpt(id)),
                advice,
            )
        });
    }
}

fn own_name(value: Option<&Value>, at: &Place, findings: &mut Findings) {
    let name = match value {
        Some(Value::String(name)) if !name.is_empty() => name,
        Some(other) if !other.is_null() && !other.is_string() => {
            return findings.add(at, || {
                let reason = format!("is {}, not a string", values::kind(other));
                Finding::rejected(Code::InvalidName, reason, "give the name as a string")
            });
        }
        _ => {
            let advice = "name the service, host, database or function";
            return findings.add(at, || Finding::rejected(Code::MissingName, "is missing", advice));
        }
    };
    let mut refused: Vec<char> = name.chars().filter(|character| !name::is_allowed(*character)).collect();
    if refused.is_empty() && (name.len() <= name::MAX_CHARS || name.chars().count() <= name::MAX_CHARS) {
        return;
    }
    findings.add(at, || {
        if refused.is_empty() {
            let reason = format!("has {} characters; X-Ray takes {}", name.chars().count(), name::MAX_CHARS);
            return Finding::rejected(Code::InvalidName, reason, "cut it");
        }
        refused.sort_unstable();
        refused.dedup();
        let refused: Vec<String> =
            refused.iter().take(10).map(|character| format!("`{}`", character.escape_debug())).collect();
        let reason = format!("`{}` has {}", excerpt(name), refused.join(" "));
        let allowed = "X-Ray takes letters, numbers, spaces and _ . : / % & # = + - @ in a name";
        Finding::rejected(
            Code::InvalidName,
            reason,
            match name::allowed_part(name).as_str() {
                "" => allowed.to_owned(),
                part => format!("{allowed}; it takes `{}`", excerpt(part)),
            },
        )
    });
}

fn own_trace_id(value: Option<&Value>, at: &Place, findings: &mut Findings) {
    let form = "`1-`, 8 hexadecimal digits, `-`, 24 hexadecimal digits";
    let id = match value {
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(other) if !other.is_null() && !other.is_string() => {
            let reason = || format!("is {}, not a string", values::kind(other));
            return findings.add(at, || Finding::rejected(Code::InvalidTraceId, reason(), format!("write {form}")));
        }
        _ => {
            let advice = format!("give the id of the trace that it belongs to: {form}");
            return findings.add(at, || Finding::rejected(Code::MissingTraceId, "is missing", advice));
        }
    };
    if TraceId::parse(id).is_none() {
        findings.add(at, || {
            let is_w3c = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            let advice = if is_w3c {
                format!("write an id of W3C trace context as `1-{}-{}`", &id[..8], &id[8..])
            } else {
                format!("write {form}")
            };
            Finding::rejected(Code::InvalidTraceId, format!("`{}` is no trace id", excerpt(id)), advice)
        });
    } else if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        findings.add(at, || values::upper_case(id));
    }
}

/// `start_time`, `end_time` and `in_progress`.
fn times(map: &Map<String, Value>, at: &Place, findings: &mut Findings) {
    let (start_at, end_at) = (at.field("start_time"), at.field("end_time"));
    let start = time(map.get("start_time"), &start_at, findings);
    if start.is_none() {
        findings.add(&start_at, || {
            let reason = if map.contains_key("start_time") { "is no time" } else { "is missing" };
            Finding::rejected(Code::MissingStartTime, reason, "give the seconds since 1970, with a fraction")
        });
    }
    let end = time(map.get("end_time"), &end_at, findings);
    let in_progress = map.get("in_progress");
    match (end, in_progress) {
        (None, Some(Value::Bool(true))) | (Some(_), None | Some(Value::Bool(false))) => {}
        (Some(_), Some(Value::Bool(true))) => findings.add(&at.field("in_progress"), || {
            Finding::suspicious(
                "says that it has not ended, and `end_time` that it has, which counts",
                "send one of the two",
            )
        }),
        (Some(_), Some(other)) => {
            findings.add(&at.field("in_progress"), || values::wrong_type(other, "`true` or `false`"));
        }
        (None, _) => findings.add(&end_at, || {
            let advice = "give the end, or `\"in_progress\": true` and the whole document again when it has ended";
            Finding::rejected(Code::MissingEndTime, "is missing", advice)
        }),
    }
    if let (Some(start), Some(end)) = (start, end) {
        if end < start {
            findings.add(&end_at, || {
                Finding::suspicious(
                    format!("is {:.6} seconds before the start", start - end),
                    "measure durations with a monotonic clock",
                )
            });
        }
    }
}

/// Seconds since 1970, if there are any.
fn time(value: Option<&Value>, at: &Place, findings: &mut Findings) -> Option<f64> {
    /// Seconds since 1970 reach it in the year 5138; milliseconds did in 1973.
    const FAR: f64 = 1e11;

    let value = value?;
    let seconds = number(value);
    if !value.is_number() {
        findings.add(at, || values::wrong_type(value, "a number"));
    }
    if seconds.is_some_and(|seconds| seconds <= 0.0) {
        findings.add(at, || Finding::suspicious("is not after 1970", "give the seconds since 1970"));
    }
    if seconds.is_some_and(|seconds| seconds >= FAR) {
        findings.add(at, || {
            Finding::suspicious(
                "is thousands of years ahead",
                "give seconds since 1970, not milliseconds or nanoseconds",
            )
        });
    }
    seconds
}
