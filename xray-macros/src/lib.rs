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
/// Calls whose name is in this table and whose type the runtime knows; a name makes a call only a candidate, and one
/// on any other type is left as it was:
///
/// * the receiver is the request: `send`, `call`, `run`, `send_empty`, `send_json`, `send_form`, `send_string`,
///   `send_bytes`, `send_body`, `send_stream`, `send_async`;
/// * the argument is the request: `execute`, `request`, `call`, `oneshot`, `run`, `send_request`, `try_send_request`,
///   `execute_with_extensions`, `send_async`, and the functions `ureq::run`, `isahc::send`, `isahc::send_async`;
/// * the receiver is the client, and its name ends in `client`: `client.get(uri)`;
/// * the function makes the request: `reqwest::get`, `reqwest::blocking::get`, `isahc::get`, `isahc::get_async`.
///
/// The README says which clients are known by which feature. A type of your own is known when it implements
/// [`Traceable`](../xray/http/trait.Traceable.html) or [`Outgoing`](../xray/http/trait.Outgoing.html).
///
/// Closures and async blocks in the function are part of it, and so are the arguments of `join!`, `try_join!`,
/// `select!`, `vec!`, `matches!`, `bail!`, the `format!` family and assertions with a message; other macros, nested
/// functions and `const` blocks are not. What is handed to `tokio::spawn` and its like with such a call in it runs in
/// the current trace.
///
/// # What it becomes
///
/// ```text
/// match client.get("https://example.com/todos/1") {
///     __xray_it => {
///         use ::xray::__private::send::{Known as _, Unknown as _};
///         (&::xray::__private::Probe(&__xray_it)).__xray_kind().open(__xray_it, (&__XRAY_PLACE, ::core::line!()))
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
/// * `annotate(key = value, ..)`: annotations for the subsegments. The values are expressions over the parameters,
///   which they do not use up; they are made where the function begins, and only below a segment that is sampled. A
///   closure with a call in it that leaves the function must be `move`.
/// * `skip_hosts("..", ..)`: calls to these hosts are left alone and get no header. `*` stands for any characters, `?`
///   for one.
/// * `strict`: every call in the table must be of a known type, else it is a compile error.
/// * `crate = ".."`: where the crate is found if it is not `::xray`.
/// * `local(reqwest)`: the name `reqwest` stands for a module of your own, not for the crate.
///
/// On a statement or an expression in the function:
///
/// * `#[xray(skip)]`: its calls are left alone.
/// * `#[xray(name = "..")]`: the name of its subsegments.
/// * `#[xray(trace)]`: its outermost call is an HTTP call whatever its name: a method without arguments of a type that
///   is [`Traceable`](../xray/http/trait.Traceable.html), or a method or function with a request as its first argument
///   ([`Outgoing`](../xray/http/trait.Outgoing.html)), by [`methods::any`](../xray/http/methods/enum.any.html). On a macro
///   call: its arguments are expressions and are looked at.
///
/// On an `impl` block the attribute stands for all its functions, but those with an attribute of their own or with
/// `#[xray(skip)]`. It may stand above or below `#[async_trait]`.
///
/// # Errors
///
/// A function or an `impl` block without any call to look at is a compile error, and so is a client that the function
/// names by its path (`ureq::get`, `reqwest::Client`) if the feature for it, or for its version, is off.
#[proc_macro_attribute]
pub fn traced_http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    function::expand(arguments.into(), item.into()).into()
}
