//! A middleware for actix-web 4: every request is a segment. (Feature `actix-web`.)

mod body;
mod middleware;
mod request;

pub use self::body::SegmentBody;
pub use self::middleware::{SegmentFuture, SegmentMiddleware, SegmentService};
