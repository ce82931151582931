//! Implementation detail of the [`xray-sdk`](https://docs.rs/xray-sdk) crate, which re-exports the attributes.

use proc_macro::TokenStream;

/// Traces every HTTP call in a function. Each call is recorded as a subsegment of the current segment or subsegment,
/// and sends the subsegment's id in the `X-Amzn-Trace-Id` header.
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
/// Calls whose name is in this list, and whose receiver or argument has a traceable type. A call with such a name on
/// any other type is unchanged.
///
/// * the receiver is the request: `send`, `call`, `run`, `send_empty`, `send_json`, `send_form`, `send_string`,
///   `send_bytes`, `send_body`, `send_stream`;
/// * the argument is the request: `execute`, `request`, `call`, `oneshot`, `run`, `send_request`, `try_send_request`,
///   `execute_with_extensions`, `send_async`, and the functions `ureq::run`, `isahc::send`, `isahc::send_async`;
/// * the receiver is the client, its name ends in `client`, and the argument is neither a literal nor a reference:
///   `client.get(uri)`;
/// * the function makes the request: `reqwest::get`, `reqwest::blocking::get`, `isahc::get`, `isahc::get_async`.
///
/// [What is traced] lists the features that make the types of each client traceable. Your own type is traceable if it
/// implements [`Traceable`](../xray/http/trait.Traceable.html) or [`Outgoing`](../xray/http/trait.Outgoing.html).
///
/// Closures and async blocks in the function are part of it. So are the arguments of `join!`, `try_join!`, `select!`,
/// `pin!`, `vec!`, `json!`, `matches!`, `panic!`, `bail!`, of the `format!` family, and of assertions with a message,
/// and the bodies of `stream!` and `try_stream!`. Other macros, nested functions and `const` blocks are not.
///
/// The future of a call whose argument is the request, and of `client.get(uri)`, is traced if it stays in the function:
/// it is awaited, or passed to `join!`, `spawn`, `timeout` and the like, or boxed as `dyn Future`, or returned as
/// `impl Future`. A future that leaves the function keeps its type, which a field or another function may name.
///
/// Tasks and threads that the function spawns run in the current trace if their code contains such a call. This applies
/// to an async block that is an argument of a method or function whose name begins with `spawn`, and to a closure
/// without parameters that is the only argument of `spawn` or `spawn_blocking`.
///
/// # Expansion
///
/// ```text
/// ::xray::__private::send::receiver(
///     client.get("https://example.com/todos/1"),
///     (&__XRAY_CALL_SITES, ::core::line!()),
/// )
/// .__xray_traced()
/// .send()
/// .await?
/// ```
///
/// For a traceable type `__xray_traced` returns a twin. The twin's method `send` performs the call in a subsegment and
/// returns the same result. For any other type `__xray_traced` returns the value unchanged. The expansion for a
/// variable or field (`request.send()`) tests the type first, and moves the value only if its type is traceable.
///
/// # Options
///
/// * `name = ".."`: the name of the subsegments. The default is the host.
/// * `annotate(key = value, ..)`: annotations for the subsegments. The values are expressions over the parameters. They
///   are evaluated by reference when the function begins, and only in a sampled segment. A closure or an async block
///   that contains a call borrows these values, so it must be `move` if it outlives the function.
/// * `skip_hosts("..", ..)`: calls to these hosts are not traced and get no header. `*` matches any characters, `?`
///   matches one.
/// * `strict`: a call whose name is in the list and that is not traced is a compile error, which says why. Calls such
///   as `client.get(uri)`, `variable.send(argument)` and `reqwest::get(url)`, and methods that are named by their path,
///   are not checked.
/// * `crate = ".."`: the path of this crate, if it is not `::xray`.
/// * `local(reqwest)`: the name `reqwest` is that of your own module, not of the crate.
///
/// On a statement or an expression in the function:
///
/// * `#[xray(skip)]`: does not trace its calls.
/// * `#[xray(name = "..")]`: the name of its subsegments.
/// * `#[xray(trace)]`: requires its outermost call to be traced, even if the name is not in the list. The call must be
///   a method without arguments on a type that implements
///   [`Traceable`](../xray/http/trait.Traceable.html)`<`[`methods::any`]`>`, or a method or function whose first
///   argument implements [`Outgoing`](../xray/http/trait.Outgoing.html)`<`[`methods::any`]`>`. On a macro call, the
///   attribute declares that the arguments are expressions or statements, and calls in them are traced.
///
/// On an `impl` block the attribute applies to all its functions, except for functions with their own attribute or with
/// `#[xray(skip)]`. It may be above or below `#[async_trait]`.
///
/// On an inline module the attribute applies to all functions of the module, of its `impl` blocks, traits and inline
/// modules. Items with their own attribute or with `#[xray(skip)]` are left alone. Calls to macros that define items
/// are not searched.
///
/// ```
/// #[xray::traced_http]
/// mod todos {
///     pub async fn all(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
///         client.get("https://example.com/todos").send().await
///     }
///
///     #[xray(skip)]
///     pub async fn health(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
///         client.get("https://example.com/health").send().await
///     }
/// }
/// ```
///
/// The program `cargo xray` lists the calls of a crate that no attribute covers: see `cargo install cargo-xray`.
///
/// [What is traced]: https://github.com/xray-rs/xray/blob/main/docs/what-is-traced.md
/// [`methods::any`]: ../xray/http/methods/enum.any.html
///
/// # Errors
///
/// These are compile errors:
///
/// * a function, an `impl` block or a module without a call from the list. A function whose name begins with `__` is
///   accepted, because another attribute has generated it;
/// * the attribute twice on one item;
/// * a module whose code is in another file (`mod todos;`);
/// * the path of a client in the function (`ureq::get`, `reqwest::Client`), if the feature of that client, or of its
///   version, is off.
#[proc_macro_attribute]
pub fn traced_http(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expand = if cfg!(feature = "aws-sdk") {
        xray_macros_core::traced_http_with_aws_sdk
    } else {
        xray_macros_core::traced_http
    };
    expand(arguments.into(), item.into()).into()
}

/// Records each call to a function as a subsegment.
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
/// The subsegment is current while the function runs, and becomes the parent of subsegments that the function begins. A
/// panic is recorded and continues to unwind. The subsegment of an `async fn` begins at the first poll. If the future
/// is dropped before it completes, the subsegment has `{"xray": {"cancelled": true}}` in its metadata. Outside a
/// segment, and in an unsampled segment, the function runs as if it were not annotated, and nothing is allocated. The
/// first run outside any segment is logged: see `ContextMissing`.
///
/// The attribute rewrites no calls in the function. To trace its HTTP calls, add [`macro@traced_http`] above or below.
///
/// # Where it is allowed
///
/// * On a function of any kind except `const fn`. The function may borrow, be generic, `unsafe` or `async`, and take
///   and return `impl Trait`.
/// * On a function that is not `async` and returns a future. If it ends in an async block, by itself or in
///   `Box::pin(..)`, `.boxed()` or `.boxed_local()`, the subsegment covers that block, and the code before it runs
///   outside the subsegment. So the attribute may be above or below `#[async_trait]`. If the function returns another
///   `impl Future`, the subsegment lasts from the function's call to the end of the future, or from the first poll if
///   there is no segment at the call.
/// * On an `impl` block, for all its functions, except for functions with this attribute or with `#[xray(skip)]`, and
///   `const fn`s. If the block also has `traced_http`, `#[xray(skip)]` applies to both attributes.
/// * On an inline module, for all functions of the module, of its `impl` blocks, traits and inline modules, except for
///   functions with this attribute or with `#[xray(skip)]`, and `const fn`s.
///
/// # Options
///
/// * `name = ".."`: the name of the subsegment. The default is the name of the function.
/// * `err`: records a returned `Err` with its sources and marks the subsegment as a fault. The error is recorded as a
///   [`std::error::Error`]. If it does not implement that trait, it is converted with `AsRef<dyn Error>`, which
///   `anyhow::Error` and `Box<dyn Error>` implement. Otherwise its `Display` or `Debug` text is recorded, or only its
///   type. On an `impl` block or a module the option applies to the functions whose return type has a name that ends in
///   `Result`.
/// * `annotate(key = value, ..)`: annotations for the subsegment. The values are expressions over the parameters. They
///   are evaluated by reference when the function is called or, if it is `async`, first polled, and only in a
///   sampled segment.
/// * `crate = ".."`: the path of this crate, if it is not `::xray`.
///
/// # Errors
///
/// A `const fn`, a function without a body, an `impl` block or a module without functions, a module whose code is in
/// another file, the attribute twice on one item, and `err` on a function that does not return a `Result` are compile
/// errors.
///
/// # Limits
///
/// * `Location::caller()` in a function with `#[track_caller]` returns a position in the function itself.
/// * Lazy results are not covered. If a function returns an iterator, or a future behind a type alias, the subsegment
///   ends when the function returns, before the result is used.
/// * If a function returns `impl Future + Clone`, or a future with a trait of your own or one of the bounds `Debug`,
///   `FusedFuture` and `UnwindSafe`, the subsegment ends when the function returns, unless its body ends in an
///   `async` block.
/// * A closure that a function returns as `impl Fn(&str) -> usize` needs types for its parameters: `|s: &str| s.len()`.
///   If the closure returns a reference to its argument, write the closure as a function, or put `#[xray(skip)]` on the
///   function if the attribute is on its `impl` block or module.
/// * Values that the pattern of a parameter ignores, as in `fn pay(_: Guard)` and `Pair { first, .. }`, or binds by
///   reference, as in `ref guard`, are dropped after the other parameters. A parameter that is named `_guard` is
///   dropped in its turn.
#[proc_macro_attribute]
pub fn traced(arguments: TokenStream, item: TokenStream) -> TokenStream {
    xray_macros_core::traced(arguments.into(), item.into()).into()
}

/// Calls a `macro_rules!` macro of the runtime with the table of methods: see `xray_macros_core`.
#[doc(hidden)]
#[proc_macro]
pub fn __for_each_method(callback: TokenStream) -> TokenStream {
    xray_macros_core::for_each_method(callback.into()).into()
}

/// Calls a `macro_rules!` macro of the runtime with the table of clients: see `xray_macros_core`.
#[doc(hidden)]
#[proc_macro]
pub fn __for_each_client(callback: TokenStream) -> TokenStream {
    xray_macros_core::for_each_client(callback.into()).into()
}
