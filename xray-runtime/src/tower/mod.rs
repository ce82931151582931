//! Layers for tower services of [`http::Request`]. (Feature `tower`.)

mod error;
mod subsegment;

pub use self::error::{Boxed, Plain, ServiceError};
pub use self::subsegment::{SubsegmentLayer, SubsegmentService};
