//! Summaries of traces, as `GetTraceSummaries` returns them.

mod root_cause;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use serde::Serialize;
use serde_json::Value;

pub use crate::service::ServiceId;
pub use root_cause::{
    ResponseTimeRootCause, ResponseTimeRootCauseEntity, ResponseTimeRootCauseService, RootCause, RootCauseEntity,
    RootCauseException, RootCauseService,
};
pub(crate) use root_cause::{error_root_causes, fault_root_causes, response_time_root_causes};

use crate::document::{Document, Kind};
use crate::trace::Trace;

/// The summary of a trace. It serializes in the form of X-Ray's API. Times and durations are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the API")]
#[non_exhaustive]
pub struct TraceSummary {
    /// The trace id.
    pub id: String,
    /// The earliest start, in seconds since 1970.
    pub start_time: f64,
    /// The time from the earliest start to the latest end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The duration of the root segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_time: Option<f64>,
    /// `true` if the root segment has a fault, or without a root segment one of the topmost subsegments.
    pub has_fault: bool,
    /// `true` if the root segment has an error, or without a root segment one of the topmost subsegments.
    pub has_error: bool,
    /// `true` if any segment was throttled.
    pub has_throttle: bool,
    /// `true` if a segment or subsegment is in progress.
    pub is_partial: bool,
    /// The request that the root segment answers.
    pub http: SummaryHttp,
    /// The values of each annotation, by key.
    pub annotations: BTreeMap<String, Vec<AnnotatedValue>>,
    /// The users of the trace's segments.
    pub users: Vec<User>,
    /// The services of the trace.
    pub service_ids: Vec<ServiceId>,
    /// The AWS resources of the trace.
    #[serde(rename = "ResourceARNs")]
    pub resource_arns: Vec<ResourceArn>,
    /// The EC2 instances of the trace.
    pub instance_ids: Vec<InstanceId>,
    /// The availability zones of the trace.
    pub availability_zones: Vec<AvailabilityZone>,
    /// The root causes of faults, at most 5.
    pub fault_root_causes: Vec<RootCause>,
    /// The root causes of errors, at most 5.
    pub error_root_causes: Vec<RootCause>,
    /// The root cause of the response time.
    pub response_time_root_causes: Vec<ResponseTimeRootCause>,
    /// The service of the root segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<ServiceId>,
    /// The number of documents that the trace was assembled from.
    pub revision: u64,
    /// The arrival of the trace's last document, if the request asked for traces by that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_event_time: Option<f64>,
}

/// The request that a root segment answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SummaryHttp {
    /// The request's URL.
    #[serde(rename = "HttpURL", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The response's status code.
    #[serde(rename = "HttpStatus", skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// The request's method, such as `GET`.
    #[serde(rename = "HttpMethod", skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The request's `User-Agent`.
    #[serde(rename = "UserAgent", skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The IP address of the client.
    #[serde(rename = "ClientIp", skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
}

/// A value of an annotation, and the services that recorded the value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AnnotatedValue {
    /// The value.
    pub annotation_value: AnnotationValue,
    /// The services that recorded the value.
    pub service_ids: Vec<ServiceId>,
}

/// The value of an annotation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum AnnotationValue {
    /// A string.
    #[serde(rename = "StringValue")]
    String(String),
    /// A number.
    #[serde(rename = "NumberValue")]
    Number(f64),
    /// A boolean.
    #[serde(rename = "BooleanValue")]
    Boolean(bool),
}

/// A user, and the services that recorded the user.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct User {
    /// The user's name.
    pub user_name: String,
    /// The services that recorded the user.
    pub service_ids: Vec<ServiceId>,
}

/// An AWS resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResourceArn {
    /// The resource's ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
}

/// An EC2 instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct InstanceId {
    /// The instance's id.
    pub id: String,
}

/// An AWS availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AvailabilityZone {
    /// The zone's name.
    pub name: String,
}

/// Returns the summary of a trace.
#[must_use]
pub fn summary(trace: &Trace) -> TraceSummary {
    let (root, heads) = (trace.root(), trace.heads());
    TraceSummary {
        id: trace.id.clone(),
        start_time: trace.start(),
        duration: trace.duration(),
        response_time: trace.response_time(),
        has_fault: heads.iter().any(|head| head.fault),
        has_error: heads.iter().any(|head| head.error),
        has_throttle: trace.segments.iter().any(|segment| segment.throttle),
        is_partial: trace.is_partial(),
        http: root.map(SummaryHttp::of).unwrap_or_default(),
        annotations: annotations(trace),
        users: users(trace),
        service_ids: services(trace),
        resource_arns: distinct(trace, Document::resource_arn).map(|arn| ResourceArn { arn }).collect(),
        instance_ids: distinct(trace, Document::instance_id).map(|id| InstanceId { id }).collect(),
        availability_zones: distinct(trace, Document::availability_zone)
            .map(|name| AvailabilityZone { name })
            .collect(),
        fault_root_causes: fault_root_causes(trace),
        error_root_causes: error_root_causes(trace),
        response_time_root_causes: response_time_root_causes(trace),
        entry_point: root.map(ServiceId::of),
        revision: trace.revision,
        matched_event_time: None,
    }
}

impl SummaryHttp {
    fn of(root: &Document) -> Self {
        let Some(http) = root.http.clone() else { return Self::default() };
        Self {
            url: http.url,
            status: http.status,
            method: http.method,
            user_agent: http.user_agent,
            client_ip: http.client_ip,
        }
    }
}

/// Returns the distinct services of the trace's segments.
fn services(trace: &Trace) -> Vec<ServiceId> {
    let segments = trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
    segments.map(ServiceId::of).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the distinct values of a field over all segments.
fn distinct(trace: &Trace, text: fn(&Document) -> Option<&str>) -> impl Iterator<Item = String> {
    trace.segments.iter().filter_map(text).map(str::to_owned).collect::<BTreeSet<_>>().into_iter()
}

fn annotations(trace: &Trace) -> BTreeMap<String, Vec<AnnotatedValue>> {
    let mut by_key = BTreeMap::<&str, ByService<Distinct<'_>>>::new();
    for segment in &trace.segments {
        let service = LazyCell::new(|| ServiceId::of(segment));
        for (key, value) in segment.walk().flat_map(Document::annotations) {
            if let Some(value) = Distinct::of(value) {
                by_key.entry(key).or_default().add(value, &service);
            }
        }
    }
    let value =
        |(value, service_ids): (Distinct<'_>, _)| AnnotatedValue { annotation_value: value.into(), service_ids };
    by_key.into_iter().map(|(key, values)| (key.to_owned(), values.in_order().map(value).collect())).collect()
}

fn users(trace: &Trace) -> Vec<User> {
    let mut users = ByService::default();
    for segment in trace.segments.iter().filter(|segment| segment.kind == Kind::Segment) {
        if let Some(user) = segment.user.as_deref() {
            users.add(user, &ServiceId::of(segment));
        }
    }
    users.in_order().map(|(user, service_ids)| User { user_name: user.to_owned(), service_ids }).collect()
}

/// Distinct values in the order in which they were first recorded, and the services that recorded each.
///
/// A trace may have a hundred thousand values of one annotation, or of services with one value. So both are looked up
/// in maps.
struct ByService<V>(HashMap<V, Recorded>);

/// The place of a value in the order, and the services in the order in which they recorded the value.
struct Recorded {
    place: usize,
    services: Vec<ServiceId>,
    known: HashSet<ServiceId>,
}

impl<V: Eq + Hash> ByService<V> {
    fn add(&mut self, value: V, service: &ServiceId) {
        let place = self.0.len();
        let recorded = self.0.entry(value).or_insert_with(|| Recorded {
            place,
            services: Vec::with_capacity(1),
            known: HashSet::new(),
        });
        // Most values come from one service, and need no set.
        let is_known = match &recorded.services[..] {
            [] => false,
            [only] if only == service => true,
            [only] => {
                recorded.known.insert(only.clone());
                !recorded.known.insert(service.clone())
            }
            _ => !recorded.known.insert(service.clone()),
        };
        if !is_known {
            recorded.services.push(service.clone());
        }
    }

    fn in_order(self) -> impl Iterator<Item = (V, Vec<ServiceId>)> {
        let mut values: Vec<_> = self.0.into_iter().collect();
        values.sort_unstable_by_key(|(_, recorded)| recorded.place);
        values.into_iter().map(|(value, recorded)| (value, recorded.services))
    }
}

impl<V> Default for ByService<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// An annotation's value as a key of a map. A number is represented by its bits.
#[derive(PartialEq, Eq, Hash)]
enum Distinct<'a> {
    String(&'a str),
    Number(u64),
    Boolean(bool),
}

impl<'a> Distinct<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::String(text)),
            Value::Bool(flag) => Some(Self::Boolean(*flag)),
            // Adding 0 turns -0 into 0, which equals it but has other bits.
            Value::Number(number) => Some(Self::Number((number.as_f64().unwrap_or_default() + 0.0).to_bits())),
            _ => None,
        }
    }
}

impl From<Distinct<'_>> for AnnotationValue {
    fn from(value: Distinct<'_>) -> Self {
        match value {
            Distinct::String(text) => Self::String(text.to_owned()),
            Distinct::Number(bits) => Self::Number(f64::from_bits(bits)),
            Distinct::Boolean(flag) => Self::Boolean(flag),
        }
    }
}
