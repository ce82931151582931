//! The spans of the AWS SDK: one for each operation.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tracing_core::field::{Field, Visit};
use tracing_core::span::Attributes;
use tracing_core::{Level, Metadata};

use super::fields::Fields;
use super::span::SpanSubsegment;
use crate::document::Namespace;
use crate::live::context::Context;

/// An operation of the AWS SDK, as the SDK describes it in its span.
//
// The generated code of every service has a span of the level DEBUG around each operation, with these fields:
// "DynamoDB.GetItem" { rpc.service = "DynamoDB", rpc.method = "GetItem", sdk_invocation_id, rpc.system = "aws-api" }.
#[derive(Default)]
pub(super) struct AwsSpan {
    system: String,
    service: String,
    operation: String,
}

impl AwsSpan {
    /// Returns the operation that a new span is about, if it is one of the SDK.
    pub(super) fn of(attributes: &Attributes<'_>) -> Option<Self> {
        let metadata = attributes.metadata();
        if !metadata.target().starts_with("aws_sdk_") || metadata.fields().field("rpc.system").is_none() {
            return None;
        }
        let mut span = Self::default();
        attributes.record(&mut span);
        (span.system == "aws-api" && !span.service.is_empty()).then_some(span)
    }

    /// Begins the subsegment of the operation. If an interceptor is attached too, it adds to this subsegment.
    pub(super) fn begin(self, parent: &Context) -> Arc<SpanSubsegment> {
        let begun = SpanSubsegment::begin(parent, &self.service, Fields::default);
        if let Some(entity) = begun.context().entity().filter(|entity| entity.trace().is_sampled()) {
            entity.update(|record| {
                record.namespace = Some(Namespace::Aws);
                let aws = record.details_mut().aws.get_or_insert_default();
                aws.other.insert("operation".to_owned(), Value::String(self.operation));
            });
        }
        begun
    }
}

/// Returns whether a span is about a part of an operation, such as one attempt. Such spans make no subsegments.
pub(super) fn is_inside_an_operation(metadata: &Metadata<'_>) -> bool {
    *metadata.level() >= Level::DEBUG
        && ["aws_smithy_", "aws_runtime", "aws_sdk_"].iter().any(|prefix| metadata.target().starts_with(prefix))
}

impl Visit for AwsSpan {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "rpc.system" => value.clone_into(&mut self.system),
            "rpc.service" => value.clone_into(&mut self.service),
            "rpc.method" => value.clone_into(&mut self.operation),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use tracing::info_span;
    use tracing_subscriber::prelude::*;

    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;
    use crate::tracing::SubsegmentLayer;

    #[test]
    fn a_span_is_an_operation_by_its_target_its_system_and_its_service() {
        let spans = || {
            let spans = [
                info_span!(target: "aws_sdk_dynamodb", "own", rpc.system = "aws-api", rpc.service = "DynamoDB"),
                info_span!(target: "aws_sdk_dynamodb", "no service", rpc.system = "aws-api", rpc.service = ""),
                info_span!(target: "aws_sdk_dynamodb", "no system", rpc.service = "DynamoDB"),
                info_span!(target: "aws_sdk_dynamodb", "gRPC", rpc.system = "grpc", rpc.service = "DynamoDB"),
                info_span!(target: "shop", "own of the shop", rpc.system = "aws-api", rpc.service = "DynamoDB"),
            ];
            for span in spans {
                span.in_scope(|| ());
            }
        };
        let subscriber = tracing_subscriber::registry().with(SubsegmentLayer::new());
        let ((), documents) = tracing::subscriber::with_default(subscriber, || {
            capture_blocking(|| Segment::builder("shop").begin().in_scope(spans))
        });
        let mut names: Vec<_> = documents[0].subsegments.iter().map(|span| &*span.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["DynamoDB", "gRPC", "no service", "no system", "own of the shop"]);
    }
}
