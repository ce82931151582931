//! Conditions on traces, segments and calls.

use super::expression::{Condition, Key, Operator, Selector};
use super::root_cause::{self, Listed};
use super::value::Found;
use crate::document::{Cause, Document, Kind, Namespace, State};
use crate::service::ServiceId;
use crate::trace::{Caller, Trace};

/// What a condition is about, and its place among its like.
struct Subject<'a> {
    trace: &'a Trace,
    /// The trace's root segment.
    root: Option<&'a Document>,
    part: Part<'a>,
    index: usize,
    count: usize,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    /// The trace as a whole: of most keys, its root segment; of users, names and resources, all its segments.
    Whole,
    /// One segment.
    Segment(&'a Document),
    /// A subsegment that calls a service.
    Call(&'a Document),
    /// Something on the way of a fault or error.
    Listed(&'a Listed<'a>),
}

pub(super) fn matches(condition: &Condition, trace: &Trace) -> bool {
    Subject { trace, root: trace.root(), part: Part::Whole, index: 0, count: 1 }.meets(condition)
}

impl<'a> Subject<'a> {
    fn meets(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(conditions) => conditions.iter().all(|condition| self.meets(condition)),
            Condition::Any(conditions) => conditions.iter().any(|condition| self.meets(condition)),
            Condition::Not(condition) => !self.meets(condition),
            Condition::Set(key) => self.has(key, |found| !matches!(found, Found::Flag(false))),
            Condition::Compare(key, Operator::NotEqual, operand) => {
                self.has(key, |_| true) && !self.has(key, |found| found.is(Operator::Equal, operand))
            }
            Condition::Compare(key, operator, operand) => self.has(key, |found| found.is(*operator, operand)),
            Condition::Service(selector, condition) => {
                let segments = self.trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
                let meant = segments.filter(|segment| selector.means(&ServiceId::of(segment), &segment.name));
                self.any(meant.map(Part::Segment).collect(), condition)
            }
            Condition::Edge(from, to, condition) => {
                let calls = self.trace.calls();
                let meant = self.trace.segments.iter().filter_map(|callee| {
                    let Caller::Segment { segment: caller, call } = calls.caller(callee) else { return None };
                    let is_meant = from.means(&ServiceId::of(caller), &caller.name)
                        && to.means(&ServiceId::of(callee), &call.name);
                    is_meant.then_some(Part::Call(call))
                });
                self.any(meant.collect(), condition)
            }
            Condition::RootCause(ways, within, condition) => root_cause::ways(self.trace, *ways).iter().any(|way| {
                let listed = Listed::all(way, *within);
                self.any(listed.iter().map(Part::Listed).collect(), condition)
            }),
        }
    }

    fn any(&self, parts: Vec<Part>, condition: &Condition) -> bool {
        let count = parts.len();
        let mut parts = parts.into_iter().enumerate();
        parts.any(|(index, part)| Subject { part, index, count, ..*self }.meets(condition))
    }

    /// Whether the key has a value of which something is so.
    fn has(&self, key: &Key, mut is_so: impl FnMut(Found) -> bool) -> bool {
        if let (Part::Listed(listed), false) = (self.part, matches!(key, Key::First | Key::Last | Key::Index)) {
            return listed.value(key).is_some_and(is_so);
        }
        let main = self.main();
        let flag = |flag: bool| Some(Found::Flag(flag));
        let http = main.and_then(|main| main.http.as_ref());
        let one = match key {
            Key::Ok => flag(main.is_some_and(|main| main.state() == State::Ok)),
            Key::Error => flag(main.is_some_and(|main| main.error)),
            Key::Fault => flag(main.is_some_and(|main| main.fault)),
            Key::Throttle => flag(self.segments().any(|segment| segment.throttle)),
            Key::Partial => flag(match self.part {
                Part::Whole => self.trace.is_partial(),
                _ => main.is_some_and(|main| main.in_progress),
            }),
            Key::Inferred => flag(self.segments().any(|segment| segment.inferred)),
            Key::First => flag(self.index == 0),
            Key::Last => flag(self.index + 1 == self.count),
            Key::Remote => flag(self.segments().any(is_remote)),
            Key::Root => flag(main.is_some() && main.map(|main| &main.id) == self.root.map(|root| &root.id)),
            Key::ResponseTime => main.and_then(Document::duration).map(Found::Number),
            Key::Duration => self.duration().map(Found::Number),
            Key::Coverage => self.coverage().map(Found::Number),
            #[expect(clippy::cast_precision_loss, reason = "a trace has fewer segments, and a status fewer digits")]
            Key::Index => Some(Found::Number(self.index as f64)),
            #[expect(clippy::cast_precision_loss, reason = "a trace has fewer segments, and a status fewer digits")]
            Key::Status => http.and_then(|http| http.status).map(|status| Found::Number(status as f64)),
            Key::Url => http.and_then(|http| http.url.as_deref()).map(Found::Text),
            Key::Method => http.and_then(|http| http.method.as_deref()).map(Found::Text),
            Key::UserAgent => http.and_then(|http| http.user_agent.as_deref()).map(Found::Text),
            Key::ClientIp => http.and_then(|http| http.client_ip.as_deref()).map(Found::Text),
            key => return self.segments().any(|segment| segment_has(segment, key, &mut is_so)),
        };
        one.is_some_and(is_so)
    }

    /// What the keys are about that are about one entity.
    fn main(&self) -> Option<&'a Document> {
        match self.part {
            Part::Whole => self.root,
            Part::Segment(part) | Part::Call(part) => Some(part),
            Part::Listed(_) => None,
        }
    }

    /// What the keys are about that are about all entities.
    fn segments(&self) -> impl Iterator<Item = &'a Document> + use<'a> {
        let (whole, part) = match self.part {
            Part::Whole => (&self.trace.segments[..], None),
            Part::Segment(part) | Part::Call(part) => (&[][..], Some(part)),
            Part::Listed(_) => (&[][..], None),
        };
        whole.iter().chain(part)
    }

    fn duration(&self) -> Option<f64> {
        if let Part::Whole = self.part {
            return self.trace.duration();
        }
        let main = self.main()?;
        let end = main.walk().filter_map(|entity| entity.end_time).max_by(f64::total_cmp)?;
        Some((end - main.start_time).max(0.0))
    }

    /// The part of the root segment's time that it took.
    fn coverage(&self) -> Option<f64> {
        let whole = self.root.and_then(Document::duration).filter(|whole| *whole > 0.0)?;
        Some(self.main()?.duration()? / whole)
    }
}

/// Of keys that each segment may have a value of.
fn segment_has(segment: &Document, key: &Key, is_so: &mut impl FnMut(Found) -> bool) -> bool {
    let text = match key {
        Key::User => segment.user.as_deref(),
        Key::ResourceArn => segment.resource_arn(),
        Key::InstanceId => segment.instance_id(),
        Key::AvailabilityZone => segment.availability_zone(),
        Key::Name => {
            let service = ServiceId::of(segment);
            return is_so(Found::Text(&service.name))
                || (service.name != segment.name && is_so(Found::Text(&segment.name)));
        }
        Key::Type => return ServiceId::of(segment).kind.is_some_and(|kind| is_so(Found::Text(&kind))),
        Key::Message => {
            let exceptions = segment.walk().filter_map(|entity| entity.cause.as_ref()).flat_map(Cause::exceptions);
            return exceptions
                .filter_map(|exception| exception.message.as_deref())
                .any(|message| is_so(Found::Text(message)));
        }
        Key::Annotation(key) => {
            let values = segment.walk().filter_map(|entity| entity.annotations().get(key));
            return values.filter_map(Found::of).any(is_so);
        }
        _ => None,
    };
    text.is_some_and(|text| is_so(Found::Text(text)))
}

fn is_remote(entity: &Document) -> bool {
    entity.namespace == Some(Namespace::Remote) || (entity.inferred && entity.origin.is_none())
}

impl Selector {
    /// Whether a service is meant; `alias` is another name that it is called by.
    fn means(&self, service: &ServiceId, alias: &str) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        let is_named = is(&self.name, Some(&service.name)) || is(&self.name, Some(alias));
        is_named && is(&self.kind, service.kind.as_deref()) && is(&self.account_id, service.account_id.as_deref())
    }
}
