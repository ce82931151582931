//! Evaluates conditions on traces, segments and calls.

use super::expression::{Condition, Key, Operator, Selector};
use super::root_cause::{PathStep, root_causes};
use super::value::KeyValue;
use crate::document::{Cause, Document, Kind, Namespace, State};
use crate::service::ServiceId;
use crate::trace::{Caller, Trace};

/// The target of a condition, with its position among the candidates.
struct Subject<'a> {
    trace: &'a Trace,
    /// The trace's root segment.
    root: Option<&'a Document>,
    target: Target<'a>,
    /// The position of the target among the candidates, from 0.
    index: usize,
    /// The number of candidates.
    count: usize,
}

#[derive(Clone, Copy)]
enum Target<'a> {
    /// The whole trace. Most keys refer to its root segment; users, names and resources may come from any segment.
    Trace,
    /// One segment.
    Segment(&'a Document),
    /// A subsegment that calls a service.
    Call(&'a Document),
    /// A step on the path of a fault or error.
    Step(&'a PathStep<'a>),
}

pub(super) fn matches(condition: &Condition, trace: &Trace) -> bool {
    Subject { trace, root: trace.root(), target: Target::Trace, index: 0, count: 1 }.meets(condition)
}

impl<'a> Subject<'a> {
    fn meets(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(conditions) => conditions.iter().all(|condition| self.meets(condition)),
            Condition::Any(conditions) => conditions.iter().any(|condition| self.meets(condition)),
            Condition::Not(condition) => !self.meets(condition),
            Condition::Set(key) => self.has_value(key, |value| !matches!(value, KeyValue::Flag(false))),
            Condition::Compare(key, Operator::NotEqual, operand) => {
                self.has_value(key, |_| true) && !self.has_value(key, |value| value.compares(Operator::Equal, operand))
            }
            Condition::Compare(key, operator, operand) => {
                self.has_value(key, |value| value.compares(*operator, operand))
            }
            Condition::Service(selector, condition) => {
                let segments = self.trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
                let candidates = segments.filter(|segment| selector.matches(&ServiceId::of(segment), &segment.name));
                self.any(candidates.map(Target::Segment).collect(), condition)
            }
            Condition::Edge(from, to, condition) => {
                let calls = self.trace.calls();
                let candidates = self.trace.segments.iter().filter_map(|callee| {
                    let Caller::Segment { segment: caller, call } = calls.caller(callee) else { return None };
                    let is_candidate = from.matches(&ServiceId::of(caller), &caller.name)
                        && to.matches(&ServiceId::of(callee), &call.name);
                    is_candidate.then_some(Target::Call(call))
                });
                self.any(candidates.collect(), condition)
            }
            Condition::Mentions(text) => self.trace.entities().any(|entity| mentions(entity, text)),
            Condition::RootCause(kind, item, condition) => root_causes(self.trace, *kind).iter().any(|cause| {
                let steps = PathStep::all(cause, *item);
                self.any(steps.iter().map(Target::Step).collect(), condition)
            }),
        }
    }

    /// Returns whether any of the targets meets the condition.
    fn any(&self, targets: Vec<Target>, condition: &Condition) -> bool {
        let count = targets.len();
        let mut targets = targets.into_iter().enumerate();
        targets.any(|(index, target)| Subject { target, index, count, ..*self }.meets(condition))
    }

    /// Returns whether the target has a value of the key for which `predicate` returns true.
    fn has_value(&self, key: &Key, mut predicate: impl FnMut(KeyValue) -> bool) -> bool {
        if let (Target::Step(step), false) = (self.target, matches!(key, Key::First | Key::Last | Key::Index)) {
            return step.value(key).is_some_and(predicate);
        }
        let main = self.main();
        let flag = |flag: bool| Some(KeyValue::Flag(flag));
        let http = main.and_then(|main| main.http.as_ref());
        let value = match key {
            Key::Ok => flag(main.is_some_and(|main| main.state() == State::Ok)),
            Key::Error => flag(main.is_some_and(|main| main.error)),
            Key::Fault => flag(main.is_some_and(|main| main.fault)),
            Key::Throttle => flag(self.segments().any(|segment| segment.throttle)),
            Key::Partial => flag(match self.target {
                Target::Trace => self.trace.is_partial(),
                _ => main.is_some_and(|main| main.in_progress),
            }),
            Key::Inferred => flag(self.segments().any(|segment| segment.inferred)),
            Key::First => flag(self.index == 0),
            Key::Last => flag(self.index + 1 == self.count),
            Key::Remote => flag(self.segments().any(is_remote)),
            Key::Root => flag(main.is_some() && main.map(|main| &main.id) == self.root.map(|root| &root.id)),
            Key::ResponseTime => main.and_then(Document::duration).map(KeyValue::Number),
            Key::Duration => self.duration().map(KeyValue::Number),
            Key::Coverage => self.coverage().map(KeyValue::Number),
            #[expect(clippy::cast_precision_loss, reason = "both numbers are far below 2^53")]
            Key::Index => Some(KeyValue::Number(self.index as f64)),
            #[expect(clippy::cast_precision_loss, reason = "both numbers are far below 2^53")]
            Key::Status => http.and_then(|http| http.status).map(|status| KeyValue::Number(status as f64)),
            Key::Url => http.and_then(|http| http.url.as_deref()).map(KeyValue::Text),
            Key::Method => http.and_then(|http| http.method.as_deref()).map(KeyValue::Text),
            Key::UserAgent => http.and_then(|http| http.user_agent.as_deref()).map(KeyValue::Text),
            Key::ClientIp => http.and_then(|http| http.client_ip.as_deref()).map(KeyValue::Text),
            key => return self.segments().any(|segment| segment_has_value(segment, key, &mut predicate)),
        };
        value.is_some_and(predicate)
    }

    /// Returns the entity that keys with a single value refer to.
    fn main(&self) -> Option<&'a Document> {
        match self.target {
            Target::Trace => self.root,
            Target::Segment(part) | Target::Call(part) => Some(part),
            Target::Step(_) => None,
        }
    }

    /// Returns the segments that keys with a value in any segment refer to.
    fn segments(&self) -> impl Iterator<Item = &'a Document> + use<'a> {
        let (all, one) = match self.target {
            Target::Trace => (&self.trace.segments[..], None),
            Target::Segment(part) | Target::Call(part) => (&[][..], Some(part)),
            Target::Step(_) => (&[][..], None),
        };
        all.iter().chain(one)
    }

    /// Returns the target's duration in seconds, including subsegments that end after it.
    fn duration(&self) -> Option<f64> {
        if let Target::Trace = self.target {
            return self.trace.duration();
        }
        let main = self.main()?;
        let end = main.walk().filter_map(|entity| entity.end_time).max_by(f64::total_cmp)?;
        Some((end - main.start_time).max(0.0))
    }

    /// Returns the target's duration as a share of the root segment's duration.
    fn coverage(&self) -> Option<f64> {
        let whole = self.root.and_then(Document::duration).filter(|whole| *whole > 0.0)?;
        Some(self.main()?.duration()? / whole)
    }
}

/// Returns whether a segment has a value of the key for which `predicate` returns true.
fn segment_has_value(segment: &Document, key: &Key, predicate: &mut impl FnMut(KeyValue) -> bool) -> bool {
    let text = match key {
        Key::User => segment.user.as_deref(),
        Key::ResourceArn => segment.resource_arn(),
        Key::InstanceId => segment.instance_id(),
        Key::AvailabilityZone => segment.availability_zone(),
        Key::Name => {
            let service = ServiceId::of(segment);
            return predicate(KeyValue::Text(&service.name))
                || (service.name != segment.name && predicate(KeyValue::Text(&segment.name)));
        }
        Key::Type => return ServiceId::of(segment).kind.is_some_and(|kind| predicate(KeyValue::Text(&kind))),
        Key::Message => {
            let exceptions = segment.walk().filter_map(|entity| entity.cause.as_ref()).flat_map(Cause::exceptions);
            return exceptions
                .filter_map(|exception| exception.message.as_deref())
                .any(|message| predicate(KeyValue::Text(message)));
        }
        Key::Annotation(key) => {
            let values = segment.walk().filter_map(|entity| entity.annotations().get(key));
            return values.filter_map(KeyValue::of).any(predicate);
        }
        _ => None,
    };
    text.is_some_and(|text| predicate(KeyValue::Text(text)))
}

/// Returns whether an entity's name or URL contains a text in lower case, or its HTTP method is the text.
fn mentions(entity: &Document, text: &str) -> bool {
    let http = entity.http.as_ref();
    let (url, method) = (http.and_then(|http| http.url.as_deref()), http.and_then(|http| http.method.as_deref()));
    let contains = |value: &str| value.to_lowercase().contains(text);
    contains(&entity.name)
        || url.is_some_and(contains)
        || method.is_some_and(|method| method.eq_ignore_ascii_case(text))
        // A table is a service of its own, with a name that the segment does not have.
        || entity.kind == Kind::Segment && contains(&ServiceId::of(entity).name)
}

fn is_remote(entity: &Document) -> bool {
    entity.namespace == Some(Namespace::Remote) || (entity.inferred && entity.origin.is_none())
}

impl Selector {
    /// Returns whether a service fits the description. `alias` is another name of the service.
    fn matches(&self, service: &ServiceId, alias: &str) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        let is_named = is(&self.name, Some(&service.name)) || is(&self.name, Some(alias));
        is_named && is(&self.kind, service.kind.as_deref()) && is(&self.account_id, service.account_id.as_deref())
    }
}
