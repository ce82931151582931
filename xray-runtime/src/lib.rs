#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clients;
pub mod document;
pub mod emitter;
mod header;
pub mod http;
mod id;
mod integrations;
mod live;
pub mod origin;
#[doc(hidden)]
pub mod private;
mod record;
mod recorder;
pub mod sampling;
mod support;
pub mod testing;

pub use xray_macros::{traced, traced_http};

pub use crate::document::{Document, Namespace, Sql};
pub use crate::header::propagation::Propagation;
pub use crate::header::trace_header::{Sampled, TRACE_HEADER_NAME, TraceHeader};
pub use crate::header::trust::Trust;
pub use crate::id::{ParseIdError, SegmentId, TraceId};
#[cfg(feature = "actix-web")]
pub use crate::integrations::actix_web;
#[cfg(feature = "aws-sdk")]
pub use crate::integrations::aws_sdk;
#[cfg(feature = "diesel")]
pub use crate::integrations::diesel;
#[cfg(feature = "lambda")]
pub use crate::integrations::lambda;
#[cfg(feature = "reqwest-middleware")]
pub use crate::integrations::reqwest_middleware;
#[cfg(feature = "tower")]
pub use crate::integrations::tower;
#[cfg(feature = "tracing")]
pub use crate::integrations::tracing;
pub use crate::live::context::{Context, current, in_current_trace, trace_id};
pub use crate::live::instrument::{self, Instrument};
pub use crate::live::segment::{Segment, SegmentBuilder, Subsegment};
#[doc(hidden)]
pub use crate::private as __private;
pub use crate::recorder::{ContextMissing, Diagnosis, InstallError, Recorder, RecorderBuilder, doctor, stats};
pub use crate::support::stats::Stats;
