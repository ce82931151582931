//! Implementation detail of the [`xray-sdk`](https://docs.rs/xray-sdk) crate, which re-exports the attribute.

mod attributes;
mod body;
mod calls;
mod candidate;
mod client_paths;
mod function;
mod head;
mod macros;
mod nesting;
mod options;
mod receiver;
mod rewrite;
#[cfg(test)]
mod tests;
mod variables;

use proc_macro::TokenStream;

/// Traces every HTTP call in a function: each opens a subsegment of what is current and carries its id in the
/// `X-Amzn-Trace-Id` header.
///
/// ```
/// #[xray::traced_http]
/// async fn title(client: &reqwest::Client) -> reqwest::Result<String> {
///     client.get("https://example.com/todos/1").send().await?.text().await
/// }
/// ```
///
/// # What is traced
///
/// A call to `.send()` on a type that the runtime knows, and a call to `.execute(..)`, `.request(..)`, `.call(..)`,
/// `.oneshot(..)`, `.send_request(..)` or `.try_send_request(..)` with a request that it knows: `RequestBuilder` and
/// `Request` of reqwest 0.13 (feature `reqwest`, on by default) and 0.12 (feature `reqwest-0-12`), `http::Request`,
/// and every type that implements [`Traceable`](../xray/http/trait.Traceable.html) or
/// [`Outgoing`](../xray/http/trait.Outgoing.html). Closures and async blocks in the function are part of it, and
/// so are the arguments of `join!`, `try_join!`, `select!`, `vec!`, `matches!`, `bail!`, the `format!` family and
/// assertions with a message; other macros, nested functions and `const` blocks are not. What is handed to
/// `tokio::spawn` and its like with such a call in it runs in the current trace. A call on any other type is left as it was: the name only makes it a candidate, the type decides.
///
/// # What it becomes
///
/// ```text
/// match client.get("https://example.com/todos/1") {
///     __xray_it => {
///         use ::xray::__private::send::{Known as _, Unknown as _};
///         (&::xray::__private::Probe(&__xray_it)).__xray_kind().open(__xray_it, &const { /* file and line */ })
///     }
/// }
/// .send()
/// .await?
/// ```
///
/// For a known type `open` gives a twin whose `send` performs the call in a subsegment, with the same result; for
/// any other type it gives the value itself. A variable or field (`request.send()`) is asked in place, so that a
/// value of another type is not even moved.
///
/// # Options
///
/// * `name = ".."`: the name of the subsegments, in place of the host's.
/// * `crate = ".."`: where the crate is found if it is not `::xray`.
/// * `local(reqwest)`: the name `reqwest` stands for a module of your own, not for the crate.
///
/// On a statement or an expression in the function:
///
/// * `#[xray(skip)]`: its calls are left alone.
/// * `#[xray(name = "..")]`: the name of its subsegments.
///
/// # Errors
///
/// A function without any call to look at is a compile error, and so is a type of a reqwest version whose feature
/// is off, where the function names it as `reqwest::Client`, `RequestBuilder` or `Request`.
#[proc_macro_attribute]
pub fn traced_http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(arguments.into(), item.into()).into()
}
