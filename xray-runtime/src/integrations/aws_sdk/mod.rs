//! Calls of the AWS SDK for Rust. (Feature `aws-sdk`.)
//!
//! [`SubsegmentInterceptor`] records every operation of a client as a subsegment. In a function with
//! `#[xray::traced_http]` no interceptor is needed: `client.get_item().table_name("orders").send()` is traced by the
//! attribute, which attaches one to the operation. Where several mechanisms meet, an operation is still recorded as one
//! subsegment.
//!
//! **Recorded** are the service as the name, the operation, the region, the request id, the number of retries, the
//! status, and the parameters that the other X-Ray SDKs record, such as the table of `DynamoDB`, the queue of SQS, and
//! bucket and key of S3. `docs/aws-sdk.md` has the list. An error of the service is recorded with its code and message:
//! 4xx as `error`, a code such as `ThrottlingException` also as `throttle`, 5xx as `fault`. Items, message texts,
//! payloads, and the values of expressions are never recorded.
//!
//! **The header** `X-Amzn-Trace-Id` is inserted into every request after the request was signed. It replaces the header
//! that the SDK itself adds in Lambda, because that header names the function instead of the subsegment.

mod error;
mod interceptor;
mod operation;
mod parameters;
mod request;
mod response;

pub use self::interceptor::SubsegmentInterceptor;
