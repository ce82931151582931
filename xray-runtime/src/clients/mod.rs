//! The HTTP clients whose calls are traced: one file for each client.
//!
//! A twin of a client's request builder traces the methods of the builder. `Outgoing` traces a request that is an
//! argument of a method; see [`crate::http`]. A traced call consists of the same steps as the client's own method, and
//! uses only public API. So it sends the same request and returns the same value.

#[cfg(feature = "attohttpc")]
mod attohttpc;
#[cfg(feature = "awc")]
mod awc;
pub(crate) mod http;
#[cfg(any(feature = "hyper-0-14", feature = "reqwest-0-11"))]
mod http_0_2;
#[cfg(any(feature = "hyper", feature = "hyper-0-14"))]
mod hyper;
#[cfg(feature = "hyper-0-14")]
mod hyper_0_14;
#[cfg(feature = "isahc")]
mod isahc;
#[cfg(any(feature = "reqwest", feature = "reqwest-0-12", feature = "reqwest-0-11"))]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
#[cfg(feature = "ureq")]
mod ureq;
#[cfg(feature = "ureq-2")]
mod ureq_2;
