//! Summaries of traces, as `GetTraceSummaries` returns them.

mod root_cause;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

pub use crate::service::ServiceId;
pub use root_cause::{RootCause, RootCauseEntity, RootCauseException, RootCauseService};
pub(crate) use root_cause::{error_root_causes, fault_root_causes};

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
    /// Whether the root segment has a fault.
    pub has_fault: bool,
    /// Whether the root segment has an error.
    pub has_error: bool,
    /// Whether any segment was throttled.
    pub has_throttle: bool,
    /// Whether a segment or subsegment is in progress.
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
    let root = trace.root();
    TraceSummary {
        id: trace.id.clone(),
        start_time: trace.start(),
        duration: trace.duration(),
        response_time: trace.response_time(),
        has_fault: root.is_some_and(|root| root.fault),
        has_error: root.is_some_and(|root| root.error),
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
    let mut annotations = BTreeMap::<String, Vec<AnnotatedValue>>::new();
    for segment in &trace.segments {
        for (key, value) in segment.walk().flat_map(Document::annotations) {
            let annotation_value = match value {
                Value::String(text) => AnnotationValue::String(text.clone()),
                Value::Bool(flag) => AnnotationValue::Boolean(*flag),
                Value::Number(number) => AnnotationValue::Number(number.as_f64().unwrap_or_default()),
                _ => continue,
            };
            let service = ServiceId::of(segment);
            let values = annotations.entry(key.clone()).or_default();
            match values.iter_mut().find(|known| known.annotation_value == annotation_value) {
                Some(known) if known.service_ids.contains(&service) => {}
                Some(known) => known.service_ids.push(service),
                None => values.push(AnnotatedValue { annotation_value, service_ids: vec![service] }),
            }
        }
    }
    annotations
}

fn users(trace: &Trace) -> Vec<User> {
    let mut users = Vec::<User>::new();
    for segment in trace.segments.iter().filter(|segment| segment.kind == Kind::Segment) {
        let Some(user_name) = segment.user.clone() else { continue };
        let service = ServiceId::of(segment);
        match users.iter_mut().find(|known| known.user_name == user_name) {
            Some(known) if known.service_ids.contains(&service) => {}
            Some(known) => known.service_ids.push(service),
            None => users.push(User { user_name, service_ids: vec![service] }),
        }
    }
    users
}
