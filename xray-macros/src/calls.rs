//! THE table: which calls may be HTTP calls. A name is only a candidate; a type decides.

use syn::{Expr, ExprCall, ExprMethodCall};

/// What of a call is the request.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// The receiver: `request.send()`.
    Receiver,
    /// The argument: `client.execute(request)`.
    Argument,
}

/// A method that may perform an HTTP call.
struct Method {
    name: &'static str,
    /// How many arguments it takes.
    arguments: usize,
    shape: Shape,
}

const fn on_receiver(name: &'static str) -> Method {
    Method { name, arguments: 0, shape: Shape::Receiver }
}

const fn on_argument(name: &'static str) -> Method {
    Method { name, arguments: 1, shape: Shape::Argument }
}

const METHODS: &[Method] = &[
    on_receiver("send"),
    on_argument("execute"),
    on_argument("request"),
    on_argument("call"),
    on_argument("oneshot"),
    on_argument("send_request"),
    on_argument("try_send_request"),
];

/// The shape of a call that is in the table.
pub(crate) fn shape(call: &ExprMethodCall) -> Option<Shape> {
    let mut methods = METHODS.iter();
    let method = methods.find(|method| call.method == method.name && call.args.len() == method.arguments)?;
    Some(method.shape)
}

/// Whether a call starts a task or thread with its first argument.
pub(crate) fn is_spawn(call: &ExprCall) -> bool {
    let (Expr::Path(callee), Some(Expr::Closure(_) | Expr::Async(_))) = (&*call.func, call.args.first()) else {
        return false;
    };
    let names: Vec<_> = callee.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [.., "tokio" | "thread", "spawn"] => true,
        [.., "task", name] => name.starts_with("spawn"),
        _ => false,
    }
}

/// The table for a message: `.send()`, `.execute(..)`, ..
pub(crate) fn list() -> String {
    let methods = METHODS.iter().map(|method| {
        let arguments = if method.arguments == 0 { "" } else { ".." };
        format!("`.{}({arguments})`", method.name)
    });
    methods.collect::<Vec<_>>().join(", ")
}
