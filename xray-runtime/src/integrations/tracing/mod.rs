//! Integration with [`tracing`](https://docs.rs/tracing): spans become subsegments, and log lines carry the trace id.
//! (Feature `tracing`.)
//!
//! [`SubsegmentLayer`] does the first and [`WithTraceId`] the second; each works without the other. A program with
//! both:
//!
//! ```
//! use tracing_subscriber::prelude::*;
//! use xray::Instrument as _;
//! use xray::tracing::{SubsegmentLayer, WithTraceId};
//!
//! #[tracing::instrument]
//! async fn price(items: u32) -> u32 {
//!     tracing::info!("asked for a price"); // .. asked for a price trace_id=1-6b031e14-9bc0c4e9a7c3750d6dec2af9
//!     3 * items
//! }
//!
//! let logs = tracing_subscriber::fmt::layer().map_event_format(WithTraceId::new); // also after `.json()`
//! let subscriber = tracing_subscriber::registry().with(logs).with(SubsegmentLayer::new());
//! # let _guard = subscriber.set_default();
//! // subscriber.init();
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let (_, documents) = xray::testing::capture(price(2).in_segment("shop")).await;
//! assert_eq!(documents[0].subsegments[0].name, "price");
//! assert_eq!(documents[0].subsegments[0].annotations["items"], 2.into());
//! # });
//! ```

mod aws_span;
mod entered;
mod event_format;
mod fields;
mod layer;
mod names;
mod query;
mod runner;
mod span;

pub use self::event_format::WithTraceId;
pub use self::layer::SubsegmentLayer;
