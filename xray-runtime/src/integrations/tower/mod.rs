//! Layers for tower services that take an [`http::Request`]: one for servers, one for clients. (Feature `tower`.)

mod body;
mod error;
mod outgoing;
mod segment;
mod subsegment;

pub use self::body::SegmentBody;
pub use self::error::{Boxed, Plain, ServiceError};
pub use self::outgoing::{SubsegmentBody, SubsegmentFuture};
pub use self::segment::{SegmentFuture, SegmentLayer, SegmentService};
pub use self::subsegment::{SubsegmentLayer, SubsegmentService};
