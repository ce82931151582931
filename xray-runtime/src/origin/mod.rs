//! Where a program runs: the AWS resource that its segments name.

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
pub use self::detect::Detector;
#[cfg(feature = "origin")]
pub(crate) use self::detect::detect;
use crate::document::{Document, MAX_STRING_CHARS};
use crate::support::text::first_chars;

/// The AWS resource on which a program runs: the type that X-Ray shows, and what identifies it.
///
/// The types that a program may name are `AWS::EC2::Instance`, `AWS::ECS::Container`, `AWS::ElasticBeanstalk::Environment`
/// (developer guide, "Segment documents", `origin`), and as the X-Ray exporter of the OpenTelemetry collector has them
/// `AWS::ECS::EC2`, `AWS::ECS::Fargate`, `AWS::EKS::Container` and `AWS::AppRunner::Service`. A sampler gets it as the
/// [`service_type`](crate::sampling::SamplingRequest::service_type).
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
    aws: BTreeMap<String, Value>,
}

impl Origin {
    /// A resource of this type; at most 250 characters, the rest is cut.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let mut name = name.into();
        if first_chars(&name, MAX_STRING_CHARS).len() < name.len() {
            name = first_chars(&name, MAX_STRING_CHARS).to_owned().into();
        }
        Self { name, aws: BTreeMap::new() }
    }

    /// Adds what is known of it to the `aws` block of segments: `ec2`, `ecs`, `eks` or `elastic_beanstalk` with an object
    /// (developer guide, "AWS resource data"), or `account_id`. `xray` is the SDK's, and left out.
    #[must_use]
    pub fn with_aws(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let key = key.into();
        if key != "xray" {
            self.aws.insert(key, value.into());
        }
        self
    }

    /// Its type.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says in a segment where it ran, as far as the segment does not say so itself.
    pub(crate) fn describe(&self, segment: &mut Document) {
        segment.origin.get_or_insert_with(|| self.name.clone());
        let aws = &mut segment.aws.get_or_insert_default().other;
        for (key, value) in &self.aws {
            add(aws, key, value);
        }
    }

    /// This, with what `other` knows besides.
    #[cfg(feature = "origin")]
    fn or(mut self, other: &Self) -> Self {
        for (key, value) in &other.aws {
            add(&mut self.aws, key, value);
        }
        self
    }
}

/// Adds a value to an `aws` block; of an object that is there what it has not.
fn add(aws: &mut BTreeMap<String, Value>, key: &str, value: &Value) {
    match aws.entry(key.to_owned()) {
        Entry::Vacant(entry) => drop(entry.insert(value.clone())),
        Entry::Occupied(mut entry) => {
            if let (Value::Object(there), Value::Object(more)) = (entry.get_mut(), value) {
                for (key, value) in more {
                    there.entry(key).or_insert_with(|| value.clone());
                }
            }
        }
    }
}

/// What a recorder knows of its origin.
#[derive(Debug, Default)]
pub(crate) struct KnownOrigin {
    given: Option<Origin>,
    /// With what is given.
    detected: Arc<OnceCell<Origin>>,
}

impl KnownOrigin {
    pub(crate) fn new(given: Option<Origin>) -> Self {
        Self { given, detected: Arc::default() }
    }

    /// As it is known by now.
    pub(crate) fn get(&self) -> Option<&Origin> {
        self.detected.get().or(self.given.as_ref())
    }
}
