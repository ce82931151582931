//! Implementation detail of the [`xray-sdk`](https://docs.rs/xray-sdk) crate, which re-exports the attributes.

mod attributes;
mod body;
mod calls;
mod candidate;
mod client_paths;
mod driver;
mod head;
mod macros;
mod named_futures;
mod nesting;
mod options;
mod receiver;
mod rewrite;
mod runtime_tables;
mod spawn;
mod syntax;
#[cfg(test)]
mod tests;
mod traced;
mod traced_http;
mod variables;

use proc_macro::TokenStream;

use self::options::{TracedHttpOptions, TracedOptions};

/// Traces every HTTP call in a function. Each call opens a subsegment of the current segment or subsegment, and carries
/// the subsegment's id in the `X-Amzn-Trace-Id` header.
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
/// Calls whose name is in this list and whose type the crate knows. The name makes a call a candidate only: a call on
/// any other type is left unchanged.
///
/// * the receiver is the request: `send`, `call`, `run`, `send_empty`, `send_json`, `send_form`, `send_string`,
///   `send_bytes`, `send_body`, `send_stream`, `send_async`;
/// * the argument is the request: `execute`, `request`, `call`, `oneshot`, `run`, `send_request`, `try_send_request`,
///   `execute_with_extensions`, `send_async`, and the functions `ureq::run`, `isahc::send`, `isahc::send_async`;
/// * the receiver is the client, and its name ends in `client`: `client.get(uri)`;
/// * the function makes the request: `reqwest::get`, `reqwest::blocking::get`, `isahc::get`, `isahc::get_async`.
///
/// The README says which feature makes which client known. A type of your own is known when it implements
/// [`Traceable`](../xray/http/trait.Traceable.html) or [`Outgoing`](../xray/http/trait.Outgoing.html).
///
/// Closures and async blocks in the function are part of it. So are the arguments of `join!`, `try_join!`, `select!`,
/// `vec!`, `matches!`, `bail!`, of the `format!` family, and of assertions with a message. Other macros, nested
/// functions and `const` blocks are not.
///
/// Tasks and threads that the function starts run in the current trace, if the work they are given holds such a call:
/// an async block that is an argument of a method or function whose name begins with `spawn`, or a closure without
/// parameters that is an argument of `spawn` or `spawn_blocking`.
///
/// # What it becomes
///
/// ```text
/// match client.get("https://example.com/todos/1") {
///     __xray_it => ::xray::__private::send::receiver(&__xray_it)
///         .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!())),
/// }
/// .send()
/// .await?
/// ```
///
/// For a known type `__xray_open` returns a twin, whose `send` performs the call in a subsegment and has the same
/// result. For any other type it returns the value itself. A variable or field (`request.send()`) is asked for its type
/// where it is, so that a value of another type is not even moved.
///
/// # Options
///
/// * `name = ".."`: the name of the subsegments, in place of the host's.
/// * `annotate(key = value, ..)`: annotations for the subsegments. The values are expressions over the parameters. They
///   are evaluated by reference when the function begins, and only below a sampled segment. A closure that holds a call
///   and leaves the function must be `move`.
/// * `skip_hosts("..", ..)`: calls to these hosts are not traced and get no header. `*` stands for any characters, `?`
///   for one.
/// * `strict`: a call whose name is in the list and whose type is not known is a compile error.
/// * `crate = ".."`: the path of this crate, if it is not `::xray`.
/// * `local(reqwest)`: the name `reqwest` stands for a module of your own, not for the crate.
///
/// On a statement or an expression in the function:
///
/// * `#[xray(skip)]`: leaves its calls alone.
/// * `#[xray(name = "..")]`: the name of its subsegments.
/// * `#[xray(trace)]`: its outermost call is an HTTP call, whatever its name. It must be a method without arguments on
///   a type that is [`Traceable`](../xray/http/trait.Traceable.html)`<`[`methods::any`]`>`, or a method or function
///   whose first argument is [`Outgoing`](../xray/http/trait.Outgoing.html)`<`[`methods::any`]`>`. On a macro call: its
///   arguments are expressions, and calls in them are traced.
///
/// On an `impl` block the attribute stands for all its functions, except for functions with an attribute of their own
/// or with `#[xray(skip)]`. It may stand above or below `#[async_trait]`.
///
/// [`methods::any`]: ../xray/http/methods/enum.any.html
///
/// # Errors
///
/// A function or an `impl` block without any candidate is a compile error. So is a client that the function names by
/// its path (`ureq::get`, `reqwest::Client`) if the feature for it, or for its version, is off.
#[proc_macro_attribute]
pub fn traced_http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand::<TracedHttpOptions>(arguments.into(), item.into()).into()
}

/// Puts a subsegment around a whole function, from its begin to its return.
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
/// let subsegment = &documents[0].subsegments[0];
/// assert_eq!((subsegment.name.as_str(), &subsegment.annotations["items"]), ("price", &2_usize.into()));
/// ```
///
/// The subsegment is current while the function runs, so that subsegments which the function opens are below it. A
/// panic is recorded and unwinds on. The subsegment of an `async fn` begins at the first poll. If the future is dropped
/// before its end, the subsegment has `{"xray": {"cancelled": true}}` in its metadata. Outside a segment, and in an
/// unsampled one, the function runs as if it were not annotated, and nothing is allocated.
///
/// The attribute rewrites no call in the function. For HTTP calls there is [`macro@traced_http`], which may stand above
/// or below.
///
/// # Where it stands
///
/// * On a function of any kind except `const fn`. The function may borrow, be generic, `unsafe` or `async`, and take
///   and return `impl Trait`.
/// * On a function that is not `async` and returns a future. If it ends in an async block, by itself or in
///   `Box::pin(..)`, `.boxed()` or `.boxed_local()`, the subsegment is that block's, and the code before it runs
///   outside the subsegment. So the attribute may stand above or below `#[async_trait]`. If it returns another
///   `impl Future`, the subsegment lasts from the function's call to the end of the future, or from the first poll if
///   no segment is open at the call.
/// * On an `impl` block, for all its functions, except for functions with this attribute or with `#[xray(skip)]`, and
///   `const fn`s. If `traced_http` stands there too, `#[xray(skip)]` is for both attributes.
///
/// # Options
///
/// * `name = ".."`: the name of the subsegment, in place of the function's.
/// * `err`: records a returned `Err` with its sources and makes the subsegment a fault. The error is read as a
///   [`std::error::Error`]. If it does not implement that trait, it is read through `AsRef<dyn Error>`, which
///   `anyhow::Error` and `Box<dyn Error>` implement; else its `Display` or `Debug` text is recorded, or its type alone.
///   On an `impl` block the option concerns the functions whose result is named `Result`, or has a name that ends so.
/// * `annotate(key = value, ..)`: annotations for the subsegment. The values are expressions over the parameters. They
///   are evaluated by reference when the function is called or, if it is `async`, first polled, and only below a
///   sampled segment.
/// * `crate = ".."`: the path of this crate, if it is not `::xray`.
///
/// # Errors
///
/// A `const fn`, a function without a body, an `impl` block without functions, and `err` on a function that does not
/// return a `Result` are compile errors.
///
/// # Limits
///
/// * `Location::caller()` in a function with `#[track_caller]` returns a position in the function itself.
/// * Lazy results end up outside. If a function returns an iterator, or a future behind a type alias, the subsegment
///   ends when the function returns, before the result is used.
#[proc_macro_attribute]
pub fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    driver::expand::<TracedOptions>(arguments.into(), item.into()).into()
}

/// Calls a `macro_rules!` macro of the runtime with the table of methods: see `runtime_tables`.
#[doc(hidden)]
#[proc_macro]
pub fn __for_each_method(callback: TokenStream) -> TokenStream {
    runtime_tables::for_each_method(callback.into()).into()
}

/// Calls a `macro_rules!` macro of the runtime with the table of clients: see `runtime_tables`.
#[doc(hidden)]
#[proc_macro]
pub fn __for_each_client(callback: TokenStream) -> TokenStream {
    runtime_tables::for_each_client(callback.into()).into()
}
