//! The table of method and function names that may be HTTP calls.
//!
//! A call with a name from the table is a *candidate*: it may be an HTTP call. Its types decide, and the expansion
//! tests them.
//!
//! The runtime needs the same names. For each method it has a type in `http::methods` and a module in `private`, and
//! for each client a check in `private::clients`. They are generated from these tables; see `runtime_tables`.

use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Ident, Member};

use crate::syntax::{peeled, text, variable};

/// Where a call has its request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// The receiver is the request: `request.send()`, `request.send_json(value)`.
    Receiver,
    /// The receiver is the request, but only if it is not named like a channel: `agent.post(url).send(body)`, but not
    /// `sender.send(value)`.
    ReceiverUnlessChannel,
    /// The first argument is the request: `client.execute(request)`.
    Argument,
    /// The receiver is a client and makes the request, the argument is a URL: `client.get(url)`. The name of the
    /// receiver must end in `client`.
    Client,
    /// The function makes the request, the argument is a URL: `reqwest::get(url)`.
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

/// The methods. A name has a row for each number of arguments with which it may be an HTTP call.
pub(crate) const METHODS: &[Method] = &[
    method("send", 0, Shape::Receiver),
    method("send", 1, Shape::ReceiverUnlessChannel),
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
    /// `true` if a call to any other function of the crate counts too: a user's function that calls `ureq::agent()` is
    /// assumed to make HTTP calls with the client.
    pub(crate) has_other_functions: bool,
    /// The features of the runtime for this client. One of them must be on.
    pub(crate) features: &'static [&'static str],
    /// The compile error if all these features are off.
    pub(crate) message: &'static str,
}

/// The clients. The first match is used, so `reqwest::blocking` comes before `reqwest`.
pub(crate) const CLIENTS: &[Client] = &[
    Client {
        path: &["reqwest", "blocking"],
        module: "reqwest_blocking",
        types: &["Client", "RequestBuilder", "Request"],
        functions: &[("get", Shape::Function)],
        has_other_functions: true,
        features: &["reqwest-blocking", "reqwest-0-12-blocking"],
        message: "blocking calls to reqwest need the feature `reqwest-blocking` (0.13) or `reqwest-0-12-blocking` of \
            xray-sdk",
    },
    Client {
        path: &["reqwest"],
        module: "reqwest",
        // Empty, because `client_paths` checks reqwest's types in its own way, by version.
        types: &[],
        functions: &[("get", Shape::Function)],
        has_other_functions: false,
        features: &["reqwest", "reqwest-0-12", "reqwest-0-11"],
        message: "calls to reqwest need the feature `reqwest` (0.13), `reqwest-0-12` or `reqwest-0-11` of xray-sdk",
    },
    Client {
        path: &["ureq"],
        module: "ureq",
        types: &["Agent", "RequestBuilder", "Request"],
        functions: &[("run", Shape::Argument)],
        has_other_functions: true,
        features: &["ureq", "ureq-2"],
        message: "calls to ureq need the feature `ureq` (3) or `ureq-2` of xray-sdk",
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
        message: "calls to isahc need the feature `isahc` of xray-sdk",
    },
    Client {
        path: &["attohttpc"],
        module: "attohttpc",
        types: &["Session", "RequestBuilder"],
        functions: &[],
        has_other_functions: true,
        features: &["attohttpc"],
        message: "calls to attohttpc need the feature `attohttpc` of xray-sdk",
    },
    Client {
        path: &["awc"],
        module: "awc",
        types: &["Client", "ClientRequest"],
        functions: &[],
        has_other_functions: true,
        features: &["awc"],
        message: "calls to awc need the feature `awc` of xray-sdk",
    },
];

impl Client {
    /// Returns the client that a path begins with, and the segments after it.
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

/// Examples from the table, for error messages.
pub(crate) const EXAMPLES: &str = "`.send()`, `.send_json(..)`, `.execute(..)`, `.request(..)`, `.call(..)`, \
    `reqwest::get(..)` or similar (the full list: https://github.com/xray-rs/xray/blob/main/docs/what-is-traced.md)";

/// Returns the shape of a method call, or `None` if the call is not in the table.
pub(crate) fn of_method(call: &ExprMethodCall) -> Option<Shape> {
    let name = text(&call.method);
    let method = METHODS.iter().find(|method| method.name == name && method.arguments == call.args.len())?;
    // Every map has a method `get`, so the receiver must be named like a client and the argument must look like a URL.
    let is_candidate =
        method.shape != Shape::Client || (is_named_like_a_client(&call.receiver) && is_url(&call.args[0]));
    is_candidate.then_some(method.shape)
}

/// Returns whether a call would be in the table if the name of its receiver ended in "client".
pub(crate) fn may_be_unnamed_client(call: &ExprMethodCall) -> bool {
    call.method == "get" && call.args.len() == 1 && is_url(&call.args[0]) && !is_named_like_a_client(&call.receiver)
}

/// Returns the shape of a function call, or `None` if the call is not in the table. `local` lists the names of the
/// user's own modules, which are not clients.
pub(crate) fn of_function(call: &ExprCall, local: &[Ident]) -> Option<Shape> {
    let Expr::Path(callee) = peeled(&call.func) else { return None };
    let is_local = callee.path.segments.first().is_some_and(|first| local.contains(&first.ident));
    if call.args.len() != 1 || callee.qself.is_some() || is_local {
        return None;
    }
    let names: Vec<_> = callee.path.segments.iter().map(|segment| text(&segment.ident)).collect();
    // After `use reqwest::blocking`. A function of another module of this name is called as written.
    if names == ["blocking", "get"] {
        return Some(Shape::Function);
    }
    let (client, rest) = Client::of(&names)?;
    client.shape_of(rest)
}

/// Returns whether the runtime has a module for a name.
pub(crate) fn has_module(name: &Ident) -> bool {
    let name = text(name);
    METHODS.iter().any(|method| name == method.name)
}

/// Returns whether a call names a method of a request builder by its path: `RequestBuilder::send(request)`.
pub(crate) fn is_builder_method_call(call: &ExprCall) -> bool {
    call.args.len() == 1 && matches!(peeled(&call.func), Expr::Path(method) if is_builder_method_path(method))
}

/// Returns whether a path names a method without arguments of a client's request builder, judged by the name of the
/// type.
///
/// A path with another name may be that of a trait, and then the type of `Self` is not known where the test is. A trait
/// may have one of these names too: see `docs/limits.md`.
pub(crate) fn is_builder_method_path(path: &ExprPath) -> bool {
    let mut names = path.path.segments.iter().rev();
    let (Some(method), Some(of)) = (names.next(), names.next()) else { return false };
    let is_builder = || ["RequestBuilder", "Request", "ClientRequest"].contains(&text(&of.ident).as_str());
    let is_method = || {
        let name = text(&method.ident);
        METHODS.iter().any(|known| known.shape == Shape::Receiver && known.arguments == 0 && name == known.name)
    };
    path.qself.is_none() && method.arguments.is_none() && is_builder() && is_method()
}

/// Returns whether an expression is a variable or field whose name ends in "client".
pub(crate) fn is_named_like_a_client(receiver: &Expr) -> bool {
    name_of_place(receiver).is_some_and(|name| name.ends_with("client"))
}

/// Returns whether an expression is a variable or field that is named like a channel.
pub(crate) fn is_named_like_a_channel(receiver: &Expr) -> bool {
    let is_channel = |name: String| {
        ["tx", "sender", "sink", "channel"].iter().any(|known| name.trim_end_matches(char::is_numeric).ends_with(known))
            || name.starts_with("tx_")
            || name.starts_with("sender_")
    };
    name_of_place(receiver).is_some_and(is_channel)
}

fn name_of_place(expression: &Expr) -> Option<String> {
    let name = match peeled(expression) {
        Expr::Path(path) => variable(path)?,
        Expr::Field(field) => match &field.member {
            Member::Named(name) => name,
            Member::Unnamed(_) => return None,
        },
        _ => return None,
    };
    Some(text(name))
}

/// Returns whether the argument of `client.get(..)` may be a URL. The only client with such a method is that of
/// hyper-util, and it takes a `Uri` by value. A reference or a literal means a map or a list
/// (`tests/it/shapes/bodies.rs::maps`).
fn is_url(argument: &Expr) -> bool {
    !matches!(peeled(argument), Expr::Reference(_) | Expr::Lit(_))
}
