//! Evaluates conditions on traces, segments and calls.

use super::expression::{Condition, Key, Operator, Selector};
use super::facts::{Call, Facts};
use super::root_cause::{PathStep, has_root_cause};
use super::value::KeyValue;
use crate::document::{Cause, Document, Kind, Namespace, State};
use crate::service::ServiceId;
use crate::trace::Trace;

/// The target of a condition, with its position among the candidates.
struct Subject<'f, 'a> {
    facts: &'f Facts<'f>,
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

/// Returns whether a call goes from a service that `from` selects to a service that `to` selects.
pub(super) fn is_between(facts: &Facts<'_>, call: &Call<'_>, from: &Selector, to: &Selector) -> bool {
    let (segments, services) = (&facts.trace.segments, facts.services());
    from.matches(&services[call.caller], &segments[call.caller].name)
        && to.matches(&services[call.callee], &call.subsegment.name)
}

pub(super) fn matches(condition: &Condition, trace: &Trace) -> bool {
    Subject { facts: &Facts::new(trace), target: Target::Trace, index: 0, count: 1 }.meets(condition)
}

impl<'f: 'a, 'a> Subject<'f, 'a> {
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
                let candidates = self.facts.segments().filter(|(segment, id)| selector.matches(id, &segment.name));
                self.any(candidates.map(|(segment, _)| Target::Segment(segment)).collect(), condition)
            }
            Condition::Edge(from, to, condition) => {
                let candidates = self.facts.calls().iter().filter(|call| is_between(self.facts, call, from, to));
                self.any(candidates.map(|call| Target::Call(call.subsegment)).collect(), condition)
            }
            Condition::Mentions(texts) => self.mentions_all(texts),
            Condition::RootCause(kind, item, condition) => PathStep::paths(self.facts, *kind, *item)
                .iter()
                .any(|steps| self.any(steps.iter().map(Target::Step).collect(), condition)),
            Condition::RootCauseJson(pattern) => has_root_cause(self.facts, pattern),
            Condition::Group(filter) => self.meets(&filter.condition),
        }
    }

    /// Returns whether each text is mentioned somewhere in the trace.
    fn mentions_all(&self, texts: &[String]) -> bool {
        let mut missing: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.facts.trace.entities().any(|entity| {
            missing = not_mentioned(entity, std::mem::take(&mut missing));
            missing.is_empty()
        }) || missing.is_empty()
    }

    /// Returns whether any of the targets meets the condition.
    fn any<'t>(&self, targets: Vec<Target<'t>>, condition: &Condition) -> bool
    where
        'f: 't,
    {
        let count = targets.len();
        let mut targets = targets.into_iter().enumerate();
        targets.any(|(index, target)| Subject { facts: self.facts, target, index, count }.meets(condition))
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
            Key::Ok => flag(match self.target {
                Target::Trace => self.facts.state() == State::Ok,
                _ => main.is_some_and(|main| main.state() == State::Ok),
            }),
            Key::Error => flag(self.has_flag(|document| document.error)),
            Key::Fault => flag(self.has_flag(|document| document.fault)),
            Key::Throttle => flag(self.segments().any(|segment| segment.throttle)),
            Key::Partial => flag(match self.target {
                Target::Trace => self.facts.is_partial(),
                _ => main.is_some_and(|main| main.in_progress),
            }),
            Key::Inferred => flag(self.segments().any(|segment| segment.inferred)),
            Key::First => flag(self.index == 0),
            Key::Last => flag(self.index + 1 == self.count),
            Key::Remote => flag(self.segments().any(is_remote)),
            Key::Root => flag(main.is_some() && main.map(|main| &main.id) == self.facts.root().map(|root| &root.id)),
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
            Key::Name | Key::Type => return self.service_has_value(key, predicate),
            key => return self.segments().any(|segment| segment_has_value(segment, key, &mut predicate)),
        };
        value.is_some_and(predicate)
    }

    /// Returns whether a service's name or type is a value for which `predicate` returns true.
    fn service_has_value(&self, key: &Key, mut predicate: impl FnMut(KeyValue) -> bool) -> bool {
        let mut has_value = |segment: &Document, service: &ServiceId| match key {
            Key::Type => service.kind.as_deref().is_some_and(|kind| predicate(KeyValue::Text(kind))),
            _ => {
                predicate(KeyValue::Text(&service.name))
                    || (service.name != segment.name && predicate(KeyValue::Text(&segment.name)))
            }
        };
        match self.target {
            Target::Trace => {
                let mut all = self.facts.trace.segments.iter().zip(self.facts.services());
                all.any(|(segment, service)| has_value(segment, service))
            }
            _ => self.segments().any(|segment| has_value(segment, &ServiceId::of(segment))),
        }
    }

    /// Returns whether the target has a flag, such as `fault`.
    fn has_flag(&self, flag: impl Fn(&Document) -> bool) -> bool {
        match self.target {
            Target::Trace => self.facts.heads().iter().copied().any(flag),
            _ => self.main().is_some_and(flag),
        }
    }

    /// Returns the entity that keys with a single value refer to.
    fn main(&self) -> Option<&'a Document> {
        match self.target {
            Target::Trace => self.facts.root(),
            Target::Segment(part) | Target::Call(part) => Some(part),
            Target::Step(_) => None,
        }
    }

    /// Returns the segments that keys with a value in any segment refer to.
    fn segments(&self) -> impl Iterator<Item = &'a Document> + use<'f, 'a> {
        let (all, one) = match self.target {
            Target::Trace => (&self.facts.trace.segments[..], None),
            Target::Segment(part) | Target::Call(part) => (&[][..], Some(part)),
            Target::Step(_) => (&[][..], None),
        };
        all.iter().chain(one)
    }

    /// Returns the target's duration in seconds, including subsegments that end after it.
    fn duration(&self) -> Option<f64> {
        if let Target::Trace = self.target {
            return self.facts.duration();
        }
        let main = self.main()?;
        let end = main.walk().filter_map(|entity| entity.end_time).max_by(f64::total_cmp)?;
        Some((end - main.start_time).max(0.0))
    }

    /// Returns the target's duration as a share of the root segment's duration.
    fn coverage(&self) -> Option<f64> {
        let whole = self.facts.root().and_then(Document::duration).filter(|whole| *whole > 0.0)?;
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

/// Returns the texts that an entity does not mention. It mentions a text if its name or URL contains the text, or if
/// its HTTP method is the text. The texts are in lower case.
fn not_mentioned<'t>(entity: &Document, texts: Vec<&'t str>) -> Vec<&'t str> {
    let http = entity.http.as_ref();
    let (url, method) = (http.and_then(|http| http.url.as_deref()), http.and_then(|http| http.method.as_deref()));
    // A table is a service of its own, with a name that the segment does not have.
    let service = (entity.kind == Kind::Segment).then(|| ServiceId::of(entity).name);
    let names: Vec<String> =
        [Some(entity.name.as_str()), url, service.as_deref()].into_iter().flatten().map(str::to_lowercase).collect();
    let is_mentioned = |text: &str| {
        names.iter().any(|name| name.contains(text)) || method.is_some_and(|method| method.eq_ignore_ascii_case(text))
    };
    texts.into_iter().filter(|text| !is_mentioned(text)).collect()
}

fn is_remote(entity: &Document) -> bool {
    entity.namespace == Some(Namespace::Remote) || (entity.inferred && entity.origin.is_none())
}

impl Selector {
    /// Returns whether a service fits the description. `alias` is another name of the service.
    pub(super) fn matches(&self, service: &ServiceId, alias: &str) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        let is_named = is(&self.name, Some(&service.name)) || is(&self.name, Some(alias));
        is_named && is(&self.kind, service.kind.as_deref()) && is(&self.account_id, service.account_id.as_deref())
    }
}
