//! Records an HTTP call as a subsegment, and defines the traits that make a client's types traceable.
//!
//! A call goes through these stages:
//!
//! 1. [`CallSite`]: the place of the call in an annotated function.
//! 2. [`CallParent`]: the current segment or subsegment at the call.
//! 3. [`PendingCall`]: the call has begun and has an id. [`RequestHeaders`] inserts the id into the request's headers.
//! 4. [`Call`]: the request is sent. [`ReadResponse`] records the response.
//!
//! Use [`call`](fn@call) to trace a call by hand. For `#[xray::traced_http]`, a client's request type implements
//! [`Traceable`] if the request is the receiver of the call (`request.send()`), and [`Outgoing`] if it is an argument
//! (`client.execute(request)`).

mod call;
mod call_future;
mod call_parent;
mod deferred_call;
mod fetched;
pub(crate) mod function;
// Only the layers for servers and clients use all of this module.
#[cfg_attr(not(any(feature = "tower", feature = "actix-web")), allow(dead_code))]
pub(crate) mod grpc;
mod manual;
mod method_types;
mod pending_call;
mod read_response;
mod response_hook;
mod rules;
pub(crate) mod site;

pub use self::call::Call;
pub use self::call_future::CallFuture;
pub(crate) use self::call_future::{ByReadResponse, Reader};
pub use self::call_parent::CallParent;
pub(crate) use self::deferred_call::Start;
pub use self::deferred_call::{DeferredCall, Sent};
pub(crate) use self::fetched::{AsyncFetch, BlockingFetch};
pub(crate) use self::function::Reason;
pub use self::manual::call;
#[cfg(any(feature = "tower", feature = "reqwest-middleware"))]
pub(crate) use self::manual::current_parent;
pub use self::method_types::methods;
pub use self::pending_call::PendingCall;
#[cfg(feature = "ureq")]
pub(crate) use self::read_response::read_error;
pub(crate) use self::read_response::read_or_status;
pub use self::read_response::{ReadResponse, StatusError};
#[cfg(feature = "aws-sdk")]
pub(crate) use self::rules::RuleEffects;
pub(crate) use self::site::Annotations;
pub use self::site::CallSite;
pub use crate::document::response_head::{ResponseHead, ResponseHeaders};
pub use crate::document::url::Url;
pub use crate::header::request_headers::RequestHeaders;

/// A type with a method that performs an HTTP call, such as a client's request builder.
///
/// When a function with `#[xray::traced_http]` calls `Method` on a value of this type, the value is first converted to
/// [`Traced`](Self::Traced), its traced twin. The twin has a method with the same name and arguments, which performs
/// the same call in a subsegment. `Method` is one of [`methods`]. To trace calls on your own type, implement the trait
/// for it:
///
/// ```
/// use std::future::{Ready, ready};
/// use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
///
/// /// A request of an HTTP client.
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
/// /// The traced twin of `Ping`.
/// pub struct TracedPing(Ping, CallSite);
///
/// impl TracedPing {
///     pub fn send(self) -> impl Future<Output = Reply> {
///         let Self(ping, site) = self;
///         DeferredCall::new(site, move |parent| start(ping, parent), read)
///     }
/// }
///
/// fn start(Ping(mut request): Ping, parent: Option<CallParent>) -> Sent<Ready<Reply>> {
///     let call = parent.map(|parent| {
///         parent.begin(request.method(), request.uri()).inject(request.headers_mut())
///     });
///     Sent::new(Ping(request).send(), call)
/// }
///
/// fn read(reply: &Reply, call: &mut Call) {
///     match reply {
///         Ok(response) => call.response(response.status().as_u16(), None),
///         Err(error) => call.error(error),
///     }
/// }
/// ```
///
/// The twin of a blocking method does not need [`DeferredCall`]:
///
/// ```
/// use std::net::TcpStream;
/// use xray::http::CallSite;
///
/// pub struct TracedPing(String, CallSite);
///
/// impl TracedPing {
///     pub fn send(self) -> std::io::Result<TcpStream> {
///         // This client sends no headers.
///         let call = self.1.parent().map(|parent| parent.begin("GET", &self.0));
///         call.unwrap_or_default().run(|| TcpStream::connect(&self.0), |result, call| match result {
///             Ok(_) => call.response(200, None),
///             Err(error) => call.error(error),
///         })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request type that xray can trace for this method",
    label = "this receiver must implement `Traceable`",
    note = "enable the xray-sdk feature for this client, such as `reqwest`, `reqwest-blocking` or `ureq`",
    note = "for your own type, implement `xray::http::Traceable<{Method}>`"
)]
pub trait Traceable<Method>: Sized {
    /// The traced twin of the type.
    type Traced;

    /// Converts the value to its traced twin, for the call at `site`.
    fn traced(self, site: CallSite) -> Self::Traced;
}

/// A boxed request is traceable if the request is: its methods move it out of the box.
impl<M, T: Traceable<M>> Traceable<M> for Box<T> {
    type Traced = T::Traced;

    fn traced(self, site: CallSite) -> T::Traced {
        (*self).traced(site)
    }
}

/// A request that is the argument of a method: `client.execute(request)`.
///
/// When a function with `#[xray::traced_http]` passes such a value to `Method`, [`begin`](Self::begin) is called on the
/// value first, and the result of the call is recorded with [`ReadResponse`]. The receiver may be of any type. `Method`
/// is one of [`methods`].
///
/// ```
/// use xray::http::{Call, CallParent, Outgoing, PendingCall, ReadResponse, methods};
///
/// /// A request of a database client.
/// struct Query(http::Request<String>);
///
/// /// The response to a `Query`.
/// struct Rows(http::StatusCode);
///
/// impl Outgoing<methods::execute> for Query {
///     fn begin(&mut self, parent: CallParent) -> Option<PendingCall> {
///         Some(parent.begin(self.0.method(), self.0.uri()).inject(self.0.headers_mut()))
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
    message = "`{Self}` is not a request type that xray can trace as an argument of this method",
    label = "this argument must implement `Outgoing`",
    note = "enable the xray-sdk feature for this client, such as `reqwest`, `reqwest-blocking` or `ureq`",
    note = "for your own type, implement `xray::http::Outgoing<{Method}>`"
)]
pub trait Outgoing<Method> {
    /// Begins the call with [`CallParent::begin`] and puts the headers into the request with [`PendingCall::inject`].
    ///
    /// Returns `None` if the request is not sent over the network, for example when a server's middleware forwards it
    /// to an inner service.
    fn begin(&mut self, parent: CallParent) -> Option<PendingCall>;
}
