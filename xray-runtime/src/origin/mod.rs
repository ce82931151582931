//! The AWS resource on which a program runs, which its segments name.
//!
//! [`RecorderBuilder::origin`](crate::RecorderBuilder::origin) sets it in code. With the feature `origin`,
//! [`RecorderBuilder::detect_origin`](crate::RecorderBuilder::detect_origin) detects it.

#[cfg(feature = "origin")]
mod detect;
#[cfg(feature = "origin")]
mod ec2;
#[cfg(feature = "origin")]
mod ecs;
#[cfg(feature = "origin")]
mod eks;
#[cfg(feature = "origin")]
mod elastic_beanstalk;
mod log_group;
#[cfg(feature = "origin")]
mod problem;
#[cfg(feature = "origin")]
mod sources;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use once_cell::sync::OnceCell;
use serde_json::Value;

#[cfg(feature = "origin")]
use self::detect::Detection;
#[cfg(feature = "origin")]
pub use self::detect::Detector;
use self::log_group::CLOUDWATCH_LOGS;
pub(crate) use self::log_group::LogGroup;
use crate::document::MAX_STRING_CHARS;
use crate::record::Record;
#[cfg(feature = "origin")]
use crate::support::background::Background;
#[cfg(feature = "origin")]
use crate::support::stats::Counters;
use crate::support::text::first_chars;

/// The AWS resource on which a program runs: its type, and what identifies it.
///
/// The X-Ray console shows the type on the service map. A sampler receives it as the
/// [`service_type`](crate::sampling::SamplingRequest::service_type). Known types are:
///
/// * `AWS::EC2::Instance`, `AWS::ECS::Container` and `AWS::ElasticBeanstalk::Environment` (developer guide, "X-Ray
///   segment documents", `origin`);
/// * `AWS::ECS::EC2`, `AWS::ECS::Fargate`, `AWS::EKS::Container` and `AWS::AppRunner::Service` (the X-Ray exporter of
///   the OpenTelemetry collector).
///
/// ```
/// use xray::origin::Origin;
/// use xray::emitter::MemoryEmitter;
/// use xray::{Recorder, Segment};
///
/// let origin = Origin::new("AWS::EKS::Container").with_aws("eks", serde_json::json!({ "cluster_name": "shop" }));
/// let emitter = MemoryEmitter::new();
/// let recorder = Recorder::builder().emitter(emitter.clone()).origin(origin).build();
/// Segment::builder("todo-app").recorder(&recorder).sampled(true).begin().end();
///
/// let document = emitter.take().remove(0);
/// assert_eq!(document.origin.as_deref(), Some("AWS::EKS::Container"));
/// assert_eq!(document.aws.unwrap().other["eks"]["cluster_name"], "shop");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    name: Cow<'static, str>,
    /// The keys and values to add to the `aws` block of each segment.
    aws: BTreeMap<String, Value>,
}

impl Origin {
    /// Creates a resource of this type, which is cut at 250 characters.
    ///
    /// ```
    /// use xray::origin::Origin;
    ///
    /// assert_eq!(Origin::new("AWS::AppRunner::Service").name(), "AWS::AppRunner::Service");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let mut name = name.into();
        // Only a longer name is copied. The usual one is a static text, which each segment then shares.
        if first_chars(&name, MAX_STRING_CHARS).len() < name.len() {
            name = first_chars(&name, MAX_STRING_CHARS).to_owned().into();
        }
        Self { name, aws: BTreeMap::new() }
    }

    /// Adds a key to the `aws` block of segments.
    ///
    /// Known keys are `account_id` with a string, `ec2`, `ecs`, `eks` and `elastic_beanstalk` with an object, and
    /// `cloudwatch_logs`, which [`log_groups`](crate::RecorderBuilder::log_groups) sets.
    /// (Developer guide, "X-Ray segment documents", "AWS resource data".) The key `xray` is ignored: it describes the
    /// SDK.
    ///
    /// ```
    /// use xray::origin::Origin;
    ///
    /// let instance = serde_json::json!({ "instance_id": "i-0b5a4678fc325bg98", "availability_zone": "eu-west-1c" });
    /// let origin = Origin::new("AWS::EC2::Instance").with_aws("account_id", "123456789012").with_aws("ec2", instance);
    /// # drop(origin);
    /// ```
    #[must_use]
    pub fn with_aws(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let key = key.into();
        if key != "xray" {
            self.aws.insert(key, value.into());
        }
        self
    }

    /// Returns the type of the resource.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds this origin to a segment, without replacing what the segment has already.
    fn describe(&self, segment: &mut Record) {
        segment.details_mut().origin.get_or_insert_with(|| self.name.clone());
        let aws = &mut segment.details_mut().aws.get_or_insert_default().other;
        for (key, value) in &self.aws {
            add(aws, key, value);
        }
    }

    /// Returns this origin with the keys of `other` that it does not have.
    #[cfg(feature = "origin")]
    fn or(mut self, other: &Self) -> Self {
        for (key, value) in &other.aws {
            add(&mut self.aws, key, value);
        }
        self
    }
}

/// Adds a value to an `aws` block. If the key has an object already, adds the value's keys that the object does not
/// have.
// Two levels, because every object of the block (`ec2`, `ecs`, ..) is flat. A program gives `cluster_name` and the
// detector adds `pod` to the same object `eks`.
fn add(aws: &mut BTreeMap<String, Value>, key: &str, value: &Value) {
    match aws.entry(key.to_owned()) {
        Entry::Vacant(entry) => drop(entry.insert(value.clone())),
        Entry::Occupied(mut entry) => {
            if let (Value::Object(existing), Value::Object(more)) = (entry.get_mut(), value) {
                for (key, value) in more {
                    existing.entry(key).or_insert_with(|| value.clone());
                }
            }
        }
    }
}

/// The origin of a recorder: the one given in code until the detection ends, then both together.
#[derive(Default)]
pub(crate) struct KnownOrigin {
    given: Option<Origin>,
    /// The value of `cloudwatch_logs` that the program gave.
    log_groups: Option<Value>,
    /// The given origin with what the detectors found. The background thread sets it once; segments do not wait for it.
    detected: Arc<OnceCell<Origin>>,
    #[cfg(feature = "origin")]
    detection: Option<Detection>,
}

impl KnownOrigin {
    /// Creates the state before any detection.
    pub(crate) fn new(given: Option<Origin>, log_groups: Vec<LogGroup>) -> Self {
        let log_groups: Vec<Value> = log_groups.into_iter().map(Value::from).collect();
        let log_groups = (!log_groups.is_empty()).then(|| log_groups.into());
        Self { given, log_groups, ..Self::default() }
    }

    /// Starts to detect the origin.
    #[cfg(feature = "origin")]
    pub(crate) fn detect(&mut self, detectors: Vec<Detector>, background: Arc<Background>, counters: Arc<Counters>) {
        let (given, detected) = (self.given.clone(), Arc::clone(&self.detected));
        self.detection = Some(Detection::start(detectors, given, detected, background, counters));
    }

    /// Adds the data that has been detected so far to a segment. Values that the segment already has are kept.
    pub(crate) fn describe(&self, segment: &mut Record) {
        // The log groups of the program come first, because they take precedence over detected log groups.
        if let Some(log_groups) = &self.log_groups {
            add(&mut segment.details_mut().aws.get_or_insert_default().other, CLOUDWATCH_LOGS, log_groups);
        }
        if let Some(origin) = self.get() {
            origin.describe(segment);
        }
    }

    /// Returns the origin as far as it is known at this moment.
    pub(crate) fn get(&self) -> Option<&Origin> {
        #[cfg(feature = "origin")]
        if let Some(detection) = &self.detection {
            detection.ensure_running();
        }
        self.detected.get().or(self.given.as_ref())
    }
}
