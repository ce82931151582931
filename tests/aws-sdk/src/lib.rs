//! Servers in place of AWS, clients of the SDK that call them, and access to recorded documents.

/// The examples of the page are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/aws-sdk.md")]
pub struct Page;

pub mod clients;
pub mod documents;
pub mod moto;
pub mod server;
