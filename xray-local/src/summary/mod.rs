//! A trace in a line, as `GetTraceSummaries` gives it.

mod root_cause;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

pub use root_cause::{RootCause, RootCauseEntity, RootCauseException, RootCauseService};
pub(crate) use root_cause::{error_root_causes, fault_root_causes};

use crate::document::{Document, Kind};
use crate::service::ServiceId;
use crate::trace::Trace;

/// What is said of a trace without its segments; serialised as in X-Ray's API. Times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "they are the API's flags")]
#[non_exhaustive]
pub struct TraceSummary {
    /// The trace's id.
    pub id: String,
    /// The earliest start, since 1970.
    pub start_time: f64,
    /// From the earliest start to the latest end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// What the root segment took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_time: Option<f64>,
    /// Whether the root segment failed.
    pub has_fault: bool,
    /// Whether the root segment says that its caller erred.
    pub has_error: bool,
    /// Whether any segment was throttled.
    pub has_throttle: bool,
    /// Whether anything is under way.
    pub is_partial: bool,
    /// The request that the root segment serves.
    pub http: SummaryHttp,
    /// The values of each annotation, and where they stand.
    pub annotations: BTreeMap<String, Vec<AnnotatedValue>>,
    /// Who was served, and where.
    pub users: Vec<User>,
    /// The services that took part.
    pub service_ids: Vec<ServiceId>,
    /// The ARNs of the resources that took part.
    #[serde(rename = "ResourceARNs")]
    pub resource_arns: Vec<ResourceArn>,
    /// The EC2 instances that took part.
    pub instance_ids: Vec<InstanceId>,
    /// Where they are.
    pub availability_zones: Vec<AvailabilityZone>,
    /// Where faults began; the first few.
    pub fault_root_causes: Vec<RootCause>,
    /// Where errors began; the first few.
    pub error_root_causes: Vec<RootCause>,
    /// The service that began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<ServiceId>,
    /// How many documents had been taken for it.
    pub revision: u64,
    /// The moment by which it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_event_time: Option<f64>,
}

/// The request that a root segment serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SummaryHttp {
    /// Its URL.
    #[serde(rename = "HttpURL", skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The status of the response.
    #[serde(rename = "HttpStatus", skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// `GET`, `POST`, ..
    #[serde(rename = "HttpMethod", skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What asked.
    #[serde(rename = "UserAgent", skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Who asked.
    #[serde(rename = "ClientIp", skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
}

/// One value of an annotation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AnnotatedValue {
    /// The value.
    pub annotation_value: AnnotationValue,
    /// Where it stands.
    pub service_ids: Vec<ServiceId>,
}

/// The value of an annotation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum AnnotationValue {
    /// A text.
    #[serde(rename = "StringValue")]
    String(String),
    /// A number.
    #[serde(rename = "NumberValue")]
    Number(f64),
    /// A flag.
    #[serde(rename = "BooleanValue")]
    Boolean(bool),
}

/// Someone who was served.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct User {
    /// As the segments name them.
    pub user_name: String,
    /// Where.
    pub service_ids: Vec<ServiceId>,
}

/// An AWS resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResourceArn {
    /// Its ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
}

/// An EC2 instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct InstanceId {
    /// Its id.
    pub id: String,
}

/// A place of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AvailabilityZone {
    /// Its name.
    pub name: String,
}

/// What is said of a trace without its segments.
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

fn services(trace: &Trace) -> Vec<ServiceId> {
    let segments = trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
    segments.map(ServiceId::of).collect::<BTreeSet<_>>().into_iter().collect()
}

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
