//! The table of method and function names that may be HTTP calls.
//!
//! A call with a name from the table is a *candidate*. Whether it is an HTTP call depends on its types, which the
//! expansion tests.
//!
//! The runtime needs the same names: a type for each method in `http::methods`, a module for each method in `private`,
//! and a check for each client. It generates them from these tables; see `runtime_tables`.

use syn::{Expr, ExprCall, ExprMethodCall, Ident, Member};

use crate::syntax::{peeled, variable};

/// The part of a call that is the request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// The receiver: `request.send()`, `request.send_json(value)`.
    Receiver,
    /// The receiver, unless it is a variable: `agent.post(url).send(body)`. A variable with such a method is a channel
    /// (`tests/it/shapes/channels.rs`). Of 2,999 calls `.send(x)` in public Rust code none was HTTP.
    ValueReceiver,
    /// The first argument: `client.execute(request)`.
    Argument,
    /// None: the receiver is a client, the argument a URL: `client.get(url)`. The name of the receiver must end in
    /// `client`.
    Client,
    /// None: the function makes the request itself: `reqwest::get(url)`.
    Function,
}

/// A method that may perform an HTTP call.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// The number of its arguments.
    pub(crate) arguments: usize,
    pub(crate) shape: Shape,
}

const fn method(name: &'static str, arguments: usize, shape: Shape) -> Method {
    Method { name, arguments, shape }
}

/// The methods. A name has one row for each number of arguments with which it may be an HTTP call.
pub(crate) const METHODS: &[Method] = &[
    method("send", 0, Shape::Receiver),
    method("send", 1, Shape::ValueReceiver),
    method("send_empty", 0, Shape::Receiver),
    method("send_json", 1, Shape::Receiver),
    method("send_form", 1, Shape::Receiver),
    method("send_string", 1, Shape::Receiver),
    method("send_bytes", 1, Shape::Receiver),
    method("send_body", 1, Shape::Receiver),
    method("send_stream", 1, Shape::Receiver),
    method("send_async", 1, Shape::Argument),
    method("call", 0, Shape::Receiver),
    method("call", 1, Shape::Argument),
    method("run", 0, Shape::Receiver),
    method("run", 1, Shape::Argument),
    method("execute", 1, Shape::Argument),
    method("execute_with_extensions", 2, Shape::Argument),
    method("request", 1, Shape::Argument),
    method("oneshot", 1, Shape::Argument),
    method("send_request", 1, Shape::Argument),
    method("try_send_request", 1, Shape::Argument),
    method("get", 1, Shape::Client),
];

/// A client that users name by its path.
pub(crate) struct Client {
    /// The segments that the path begins with.
    pub(crate) path: &'static [&'static str],
    /// The name of its module in the runtime's `private::clients`.
    pub(crate) module: &'static str,
    /// The types of the client's crate. A function that names one of them is assumed to call the client.
    pub(crate) types: &'static [&'static str],
    /// The functions of the client's crate that are candidates.
    pub(crate) functions: &'static [(&'static str, Shape)],
    /// Whether a function that calls any other function of the crate, such as `ureq::agent()`, is assumed to call the
    /// client too.
    pub(crate) has_other_functions: bool,
    /// The features of the runtime. With any of them on, the client is traced.
    pub(crate) features: &'static [&'static str],
    /// The error if all these features are off.
    pub(crate) message: &'static str,
}

/// The clients. A longer path comes before its prefix, because the first match is used.
pub(crate) const CLIENTS: &[Client] = &[
    Client {
        path: &["reqwest", "blocking"],
        module: "reqwest_blocking",
        types: &["Client", "RequestBuilder", "Request"],
        functions: &[("get", Shape::Function)],
        has_other_functions: true,
        features: &["reqwest-blocking", "reqwest-0-12-blocking"],
        message: "blocking calls of reqwest need the feature `reqwest-blocking` (0.13) or `reqwest-0-12-blocking` of \
            xray-sdk",
    },
    Client {
        path: &["reqwest"],
        module: "reqwest",
        // `client_paths` checks reqwest's types separately, by their version.
        types: &[],
        functions: &[("get", Shape::Function)],
        has_other_functions: false,
        features: &["reqwest", "reqwest-0-12", "reqwest-0-11"],
        message: "calls of reqwest need the feature `reqwest` (0.13), `reqwest-0-12` or `reqwest-0-11` of xray-sdk",
    },
    Client {
        path: &["ureq"],
        module: "ureq",
        types: &["Agent", "RequestBuilder", "Request"],
        functions: &[("run", Shape::Argument)],
        has_other_functions: true,
        features: &["ureq", "ureq-2"],
        message: "calls of ureq need the feature `ureq` (3) or `ureq-2` of xray-sdk",
    },
    Client {
        path: &["isahc"],
        module: "isahc",
        types: &["HttpClient"],
        functions: &[
            ("get", Shape::Function),
            ("get_async", Shape::Function),
            ("send", Shape::Argument),
            ("send_async", Shape::Argument),
        ],
        has_other_functions: true,
        features: &["isahc"],
        message: "calls of isahc need the feature `isahc` of xray-sdk",
    },
    Client {
        path: &["attohttpc"],
        module: "attohttpc",
        types: &["Session", "RequestBuilder"],
        functions: &[],
        has_other_functions: true,
        features: &["attohttpc"],
        message: "calls of attohttpc need the feature `attohttpc` of xray-sdk",
    },
    Client {
        path: &["awc"],
        module: "awc",
        types: &["Client", "ClientRequest"],
        functions: &[],
        has_other_functions: true,
        features: &["awc"],
        message: "calls of awc need the feature `awc` of xray-sdk",
    },
];

impl Client {
    /// Returns the client that a path belongs to, and the rest of the path's segments.
    pub(crate) fn of(names: &[String]) -> Option<(&'static Self, &[String])> {
        CLIENTS.iter().find_map(|client| {
            let (beginning, rest) = names.split_at_checked(client.path.len())?;
            (beginning == client.path && !rest.is_empty()).then_some((client, rest))
        })
    }

    /// Returns the shape of a function of the client's crate, or `None` if the function is not a candidate.
    pub(crate) fn shape_of(&self, rest: &[String]) -> Option<Shape> {
        let [name] = rest else { return None };
        self.functions.iter().find_map(|(function, shape)| (name == function).then_some(*shape))
    }
}

/// A summary of the table for error messages.
pub(crate) const EXAMPLES: &str = "`.send()`, `.send_json(..)`, `.execute(..)`, `.request(..)`, `.call(..)`, \
    `reqwest::get(..)` or similar (docs/what-is-traced.md has the full list)";

/// Returns the shape of a method call, or `None` if the call is not in the table.
pub(crate) fn of_method(call: &ExprMethodCall) -> Option<Shape> {
    let name = call.method.to_string();
    let method = METHODS.iter().find(|method| method.name == name && method.arguments == call.args.len())?;
    // Every map has a method `get`. The names of receiver and argument keep maps from being candidates.
    let is_candidate = method.shape != Shape::Client || (is_client(&call.receiver) && is_url(&call.args[0]));
    is_candidate.then_some(method.shape)
}

/// Returns the shape of a function call, or `None` if the call is not in the table. `local` are names of the user's own
/// modules.
pub(crate) fn of_function(call: &ExprCall, local: &[Ident]) -> Option<Shape> {
    let Expr::Path(callee) = peeled(&call.func) else { return None };
    let is_local = callee.path.segments.first().is_some_and(|first| local.contains(&first.ident));
    if call.args.len() != 1 || callee.qself.is_some() || is_local {
        return None;
    }
    let names: Vec<_> = callee.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let (client, rest) = Client::of(&names)?;
    client.shape_of(rest)
}

/// Returns whether the runtime has a module for a name.
pub(crate) fn has_module(name: &Ident) -> bool {
    METHODS.iter().any(|method| name == method.name)
}

/// Returns whether an expression is a variable or field whose name ends in "client".
pub(crate) fn is_client(receiver: &Expr) -> bool {
    let is_client_name = |name: &Ident| name.to_string().ends_with("client");
    match peeled(receiver) {
        Expr::Path(path) => variable(path).is_some_and(is_client_name),
        Expr::Field(field) => matches!(&field.member, Member::Named(name) if is_client_name(name)),
        _ => false,
    }
}

/// Returns whether the argument of `client.get(..)` may be a URL. hyper-util's `get` takes a `Uri` by value. The `get` of
/// a map takes a reference, that of a list a number (`tests/it/shapes/bodies.rs::maps`).
fn is_url(argument: &Expr) -> bool {
    !matches!(peeled(argument), Expr::Reference(_) | Expr::Lit(_))
}
