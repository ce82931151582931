//! THE table: which calls may be HTTP calls. A name is only a candidate; a type decides.

use syn::{Expr, ExprCall, ExprMethodCall, Ident, Stmt};

use crate::receiver::{peeled, variable};

/// What of a call is the request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// The receiver: `request.send()`, `request.send_json(value)`.
    Receiver,
    /// The receiver, if that is no variable: `agent.post(url).send(body)`. Channels have the same name and are variables.
    ValueReceiver,
    /// The first argument: `client.execute(request)`.
    Argument,
    /// The client is the receiver, which its name has to say, and the argument a URL: `client.get(url)`.
    Client,
    /// The function itself makes the request: `reqwest::get(url)`.
    Function,
}

/// A method that may perform an HTTP call.
struct Method {
    name: &'static str,
    /// How many arguments it takes.
    arguments: usize,
    shape: Shape,
}

const fn method(name: &'static str, arguments: usize, shape: Shape) -> Method {
    Method { name, arguments, shape }
}

const METHODS: &[Method] = &[
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

/// Functions of a client's crate, by the whole path: the request is made there, or is the argument.
const FUNCTIONS: &[(&[&str], Shape)] = &[
    (&["reqwest", "get"], Shape::Function),
    (&["reqwest", "blocking", "get"], Shape::Function),
    (&["isahc", "get"], Shape::Function),
    (&["isahc", "get_async"], Shape::Function),
    (&["isahc", "send"], Shape::Argument),
    (&["isahc", "send_async"], Shape::Argument),
    (&["ureq", "run"], Shape::Argument),
];

/// The shape of a method call that is in the table.
pub(crate) fn of_method(call: &ExprMethodCall) -> Option<Shape> {
    let name = call.method.to_string();
    let method = METHODS.iter().find(|method| method.name == name && method.arguments == call.args.len())?;
    let is_candidate = method.shape != Shape::Client || (is_client(&call.receiver) && is_url(&call.args[0]));
    is_candidate.then_some(method.shape)
}

/// The shape of a function call that is in the table.
pub(crate) fn of_function(call: &ExprCall, local: &[Ident]) -> Option<Shape> {
    let Expr::Path(callee) = peeled(&call.func) else { return None };
    let is_local = callee.path.segments.first().is_some_and(|first| local.contains(&first.ident));
    if call.args.len() != 1 || callee.path.segments.len() < 2 || callee.qself.is_some() || is_local {
        return None;
    }
    let names: Vec<_> = callee.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let (_, shape) = FUNCTIONS.iter().find(|(path, _)| names == *path)?;
    Some(*shape)
}

/// Whether the runtime has a module for a name.
pub(crate) fn has_module(name: &Ident) -> bool {
    METHODS.iter().any(|method| name == method.name)
}

/// What a call hands to a task or thread that it starts.
#[derive(Clone, Copy)]
pub(crate) enum Spawned {
    Future,
    Closure,
}

/// What a call starts a task or thread with, if it does, and which of its arguments that is: `tokio::spawn(async {})`,
/// `set.spawn(async {})`, `scope.spawn(|| ..)`.
pub(crate) fn spawned(expression: &Expr) -> Option<(usize, Spawned)> {
    let (name, arguments) = match expression {
        Expr::Call(call) => match peeled(&call.func) {
            Expr::Path(callee) => (&callee.path.segments.last()?.ident, &call.args),
            _ => return None,
        },
        Expr::MethodCall(call) => (&call.method, &call.args),
        _ => return None,
    };
    let name = name.to_string();
    if !name.starts_with("spawn") {
        return None;
    }
    let (place, spawned) = arguments.iter().enumerate().find_map(|(place, argument)| Some((place, work(argument)?)))?;
    // A closure is run once there. By another name it may be run again.
    let is_carried = matches!(spawned, Spawned::Future) || ["spawn", "spawn_blocking"].contains(&name.as_str());
    is_carried.then_some((place, spawned))
}

/// An async block or a closure: as it is, at the end of a block, or in a span of `tracing`.
fn work(argument: &Expr) -> Option<Spawned> {
    match peeled(argument) {
        Expr::Async(_) => Some(Spawned::Future),
        Expr::Closure(closure) => {
            (closure.inputs.is_empty() && closure.asyncness.is_none()).then_some(Spawned::Closure)
        }
        Expr::Block(block) if block.label.is_none() => match block.block.stmts.last()? {
            Stmt::Expr(tail, None) => work(tail),
            _ => None,
        },
        Expr::MethodCall(call) if call.method == "instrument" || call.method == "in_current_span" => {
            work(&call.receiver).filter(|spawned| matches!(spawned, Spawned::Future))
        }
        _ => None,
    }
}

/// The table in short, for messages.
pub(crate) const EXAMPLES: &str = "`.send()`, `.send_json(..)`, `.execute(..)`, `.request(..)`, `.call(..)`, `reqwest::get(..)` or the like (the README \
     has the table)";

/// Whether a variable or field has a name that ends in "client".
pub(crate) fn is_client(receiver: &Expr) -> bool {
    let says_so = |name: &Ident| name.to_string().ends_with("client");
    match peeled(receiver) {
        Expr::Path(path) => variable(path).is_some_and(says_so),
        Expr::Field(field) => matches!(&field.member, syn::Member::Named(name) if says_so(name)),
        _ => false,
    }
}

/// A map is asked with a reference.
fn is_url(argument: &Expr) -> bool {
    !matches!(peeled(argument), Expr::Reference(_) | Expr::Lit(_))
}
