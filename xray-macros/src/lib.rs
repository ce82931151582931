//! Implementation detail of the [`xray-sdk`](https://docs.rs/xray-sdk) crate, which re-exports the attribute.

mod attributes;
mod body;
mod calls;
mod candidate;
mod client_paths;
mod function;
mod head;
mod macros;
mod named_futures;
mod nesting;
mod options;
mod receiver;
mod rewrite;
#[cfg(test)]
mod tests;
mod traced;
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
/// functions and `const` blocks are not. An async block with such a call in it that is handed to a method or function
/// whose name begins with `spawn` runs in the current trace, and so does a closure without parameters that is handed to
/// `spawn` or `spawn_blocking`.
///
/// # What it becomes
///
/// ```text
/// match client.get("https://example.com/todos/1") {
///     __xray_it => ::xray::__private::send::receiver(&__xray_it)
///         .__xray_open(__xray_it, (&__XRAY_PLACE).at(::core::line!())),
/// }
/// .send()
/// .await?
/// ```
///
/// For a known type `__xray_open` gives a twin whose `send` performs the call in a subsegment, with the same result; for
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

/// Puts a subsegment around a whole function: from where it begins to where it returns.
///
/// ```
/// use xray::Segment;
///
/// #[derive(Debug)]
/// struct Cart(Vec<u32>);
///
/// #[xray::traced(err, annotate(items = cart.0.len()))]
/// fn price(cart: &Cart) -> Result<u32, std::num::ParseIntError> {
///     cart.0.iter().map(|price| price.to_string().parse::<u32>()).sum()
/// }
///
/// let (total, documents) = xray::testing::capture_blocking(|| {
///     Segment::builder("shop").begin().in_scope(|| price(&Cart(vec![3, 4])))
/// });
/// assert_eq!(total, Ok(7));
/// let part = &documents[0].subsegments[0];
/// assert_eq!((part.name.as_str(), &part.annotations["items"]), ("price", &2_usize.into()));
/// ```
///
/// The subsegment is current while the function runs, so that what it calls is below it. A panic is recorded and goes
/// on. Of an `async fn` it begins at the first poll; a future that is dropped before its end leaves a subsegment that
/// is marked, with `{"xray": {"cancelled": true}}` in its metadata. Outside a segment, and in one that is not sampled,
/// the function runs as if it were not annotated, and nothing is allocated.
///
/// No call in the function is rewritten: for HTTP calls there is [`macro@traced_http`], which may stand above or below.
///
/// # Where it stands
///
/// * On a function of any kind but `const fn`: it may borrow, be generic, `unsafe`, `async`, take and return
///   `impl Trait`.
/// * On a function that is not `async` and returns a future. If it ends in an async block, as it is or in
///   `Box::pin(..)`, `.boxed()` or `.boxed_local()`, the subsegment is that block's, and what comes before runs outside;
///   so it may stand above or below `#[async_trait]`. If it returns `impl Future` that it has from elsewhere, the
///   subsegment is from the function's call to the end of the future, or from the first poll if nothing is open at the
///   call.
/// * On an `impl` block, for all its functions, but those that have this attribute themselves or `#[xray(skip)]`, and
///   `const fn`s. If `traced_http` stands there too, `#[xray(skip)]` is for both.
///
/// # Options
///
/// * `name = ".."`: the name of the subsegment, in place of the function's.
/// * `err`: an `Err` that is returned is recorded with its sources, and makes the subsegment a fault. The error is read
///   as a [`std::error::Error`] or, if it is none, as what it gives as `AsRef<dyn Error>` (`anyhow::Error`,
///   `Box<dyn Error>` do); else its `Display` or `Debug` text is recorded, or its type alone. On an `impl` block it is
///   for the functions whose result is a `Result` by its name.
/// * `annotate(key = value, ..)`: annotations for the subsegment. The values are expressions over the parameters, which
///   they do not use up; they are made where the function begins, and only below a segment that is sampled. (Where a
///   function returns a future, it begins where it is called.)
/// * `crate = ".."`: where the crate is found if it is not `::xray`.
///
/// # Errors
///
/// A `const fn`, a function without a body, an `impl` block without functions, and `err` on a function that returns no
/// `Result` are compile errors.
///
/// # Limits
///
/// * A function with `#[track_caller]` that asks for its caller itself (`Location::caller()`) sees its own body.
/// * What a function returns that is neither `async` nor of the kinds above, such as an iterator or a future behind a
///   type alias, is used after the subsegment has ended.
#[proc_macro_attribute]
pub fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    traced::expand(arguments.into(), item.into()).into()
}
