//! A call that blocks its thread.

use super::call::Call;

/// Performs a call that blocks: the time of its subsegment is that of `send`, and `read` tells what came of it.
///
/// For the traced twin of a client's blocking request; see [`Traceable`](super::Traceable). Without a call, `send` runs
/// alone. A panic in it is recorded and goes on.
///
/// ```
/// use std::net::TcpStream;
/// use xray::http::{CallSite, perform};
///
/// pub struct TracedPing(String, CallSite);
///
/// impl TracedPing {
///     pub fn send(self) -> std::io::Result<TcpStream> {
///         let pending = self.1.open().map(|parent| parent.begin("GET", &self.0));
///         // This client sends no headers.
///         let call = pending.and_then(|pending| pending.into_call());
///         perform(call, || TcpStream::connect(&self.0), |answer, call| match answer {
///             Ok(_) => call.response(200, None),
///             Err(error) => call.error(error),
///         })
///     }
/// }
/// ```
pub fn perform<T>(call: Option<Call>, send: impl FnOnce() -> T, read: impl FnOnce(&T, &mut Call)) -> T {
    let Some(mut call) = call else { return send() };
    call.start();
    let answer = call.observe_panic(send);
    call.read(&answer, read);
    answer
}
