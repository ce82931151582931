//! The subsegment around one HTTP call, and how a client's types become traceable.

mod blocking;
mod call;
mod call_future;
mod deferred_call;
mod fetched;
mod function;
mod manual;
pub mod methods;
mod read_response;
mod response_hook;
mod running;
mod site;

pub use self::blocking::perform;
pub use self::call::{Call, CallParent, PendingCall};
pub(crate) use self::call_future::{ByReadResponse, CallFuture, Reader};
pub use self::deferred_call::{DeferredCall, Sent, Start};
#[doc(hidden)]
pub use self::fetched::{FetchedLater, FetchedNow};
pub use self::manual::call;
#[cfg(any(feature = "tower", feature = "reqwest-middleware"))]
pub(crate) use self::manual::open_here;
#[cfg(feature = "ureq")]
pub(crate) use self::read_response::read_error;
pub(crate) use self::read_response::read_or_status;
pub use self::read_response::{ReadResponse, StatusError};
pub use self::running::{Running, perform_async};
pub use self::site::CallSite;
#[doc(hidden)]
pub use self::site::{Annotations, Place};
pub use crate::document::response_head::{ResponseHead, ResponseHeaders};
pub use crate::document::url::Url;

/// A type whose `Method` performs an HTTP call: a client's request builder, for instance.
///
/// Where an annotated function calls that method on a value of the type, the value first becomes
/// [`Traced`](Self::Traced), which has a method of the same name and the same arguments that performs the same
/// call in a subsegment. `Method` is one of [`methods`]. Implement it for a type of your own and every
/// `#[xray::traced_http]` function traces it:
///
/// ```
/// use std::future::{Ready, ready};
/// use xray::http::{Call, CallParent, CallSite, Sent, Traceable, DeferredCall, methods};
///
/// /// A request of some client.
/// pub struct Ping(http::Request<()>);
///
/// type Reply = Result<http::Response<()>, std::io::Error>;
///
/// impl Ping {
///     pub fn send(self) -> Ready<Reply> {
///         ready(Ok(http::Response::new(())))
///     }
/// }
///
/// impl Traceable<methods::send> for Ping {
///     type Traced = TracedPing;
///
///     fn traced(self, site: CallSite) -> TracedPing {
///         TracedPing(self, site)
///     }
/// }
///
/// /// What stands in for `Ping` in an annotated function.
/// pub struct TracedPing(Ping, CallSite);
///
/// impl TracedPing {
///     pub fn send(self) -> impl Future<Output = Reply> {
///         let Self(ping, site) = self;
///         DeferredCall::new(site, move |parent| start(ping, parent), read)
///     }
/// }
///
/// fn start(mut ping: Ping, parent: Option<CallParent>) -> Sent<Ready<Reply>> {
///     let pending = parent.map(|parent| parent.begin(ping.0.method().as_str(), ping.0.uri()));
///     let call = pending.and_then(|pending| pending.insert_into(ping.0.headers_mut()));
///     Sent::new(ping.send(), call)
/// }
///
/// fn read(answer: &Reply, call: &mut Call) {
///     match answer {
///         Ok(response) => call.response(response.status().as_u16(), None),
///         Err(error) => call.error(error),
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "xray does not know `{Self}` as a request that is sent with this method",
    label = "the receiver of this call is to be traced",
    note = "is the feature of its client on? xray-sdk has one for each: `reqwest`, `reqwest-blocking`, `ureq`, ..",
    note = "for a type of your own, implement `xray::http::Traceable<{Method}>`"
)]
pub trait Traceable<Method>: Sized {
    /// What stands in for the value in an annotated function.
    type Traced;

    /// The value as its traced twin, for the call at `site`.
    fn traced(self, site: CallSite) -> Self::Traced;
}

/// A request that is the argument of `Method`: `client.execute(request)`.
///
/// Where an annotated function passes such a value to that method, on whatever receiver, the value is looked at
/// on its way, and what the method gives is read as an [`ReadResponse`]. `Method` is one of [`methods`].
///
/// ```
/// use xray::http::{ReadResponse, Call, CallParent, Outgoing, methods};
///
/// /// A request of some client, and what that answers.
/// struct Query(http::Request<String>);
/// struct Rows(http::StatusCode);
///
/// impl Outgoing<methods::execute> for Query {
///     fn begin(&mut self, parent: CallParent) -> Option<Call> {
///         parent.begin(self.0.method().as_str(), self.0.uri()).insert_into(self.0.headers_mut())
///     }
/// }
///
/// impl ReadResponse for Rows {
///     fn read(&self, call: &mut Call) {
///         call.response(self.0.as_u16(), None);
///     }
/// }
///
/// struct Database;
///
/// impl Database {
///     fn execute(&self, query: Query) -> Rows {
///         assert!(query.0.headers().contains_key("x-amzn-trace-id"));
///         Rows(http::StatusCode::OK)
///     }
/// }
///
/// #[xray::traced_http]
/// fn ask(database: &Database, query: Query) -> Rows {
///     database.execute(query)
/// }
///
/// let request = http::Request::get("https://db.example.com/sql").body("select 1".to_owned()).unwrap();
/// let (_, documents) = xray::testing::capture_blocking(|| {
///     xray::Segment::builder("todo-app").begin().in_scope(|| ask(&Database, Query(request)))
/// });
/// assert_eq!(documents[0].subsegments[0].name, "db.example.com");
/// ```
#[diagnostic::on_unimplemented(
    message = "xray does not know `{Self}` as a request that is passed to this method",
    label = "the argument of this call is to be traced",
    note = "is the feature of its client on? xray-sdk has one for each: `reqwest`, `reqwest-blocking`, `ureq`, ..",
    note = "for a type of your own, implement `xray::http::Outgoing<{Method}>`"
)]
pub trait Outgoing<Method> {
    /// Begins the call with [`CallParent::begin`]; `None` if it is not recorded, or if this is no outgoing request.
    fn begin(&mut self, parent: CallParent) -> Option<Call>;
}
