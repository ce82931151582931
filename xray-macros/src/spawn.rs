//! Which calls start a task or a thread, whose work is to run in the current trace.

use syn::Expr;

use crate::syntax::{peeled, tail};

/// The work that a call hands to a task or thread that it starts.
#[derive(Clone, Copy)]
pub(crate) enum Spawned {
    Future,
    Closure,
}

/// Returns the work that a call starts a task or thread with, and which of its arguments that is:
/// `tokio::spawn(async {})`, `set.spawn(async {})`, `scope.spawn(|| ..)`.
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
    // By name, not by path: `Handle::spawn`, `JoinSet::spawn_on`, `LocalSet::spawn_local` and the spawn functions of
    // other executors have it in common. tests/shapes/spawned.rs::sets, one_thread
    if !name.starts_with("spawn") {
        return None;
    }
    let (index, spawned) = arguments.iter().enumerate().find_map(|(index, argument)| Some((index, work(argument)?)))?;
    // `in_current_trace(closure)` can be called once. `spawn` and `spawn_blocking` call their closure once; a function
    // of another name may call it again. tests/shapes/spawned.rs::others has `spawn_twice`.
    let is_carried = matches!(spawned, Spawned::Future) || ["spawn", "spawn_blocking"].contains(&name.as_str());
    is_carried.then_some((index, spawned))
}

/// Returns the kind of an async block or closure, also at the end of a block, and under `.instrument(span)` of
/// `tracing`.
fn work(argument: &Expr) -> Option<Spawned> {
    match peeled(argument) {
        Expr::Async(_) => Some(Spawned::Future),
        // A closure with a parameter, such as that of `Pool::spawn(|worker| ..)`, has another type than the closure
        // that `in_current_trace` gives. tests/shapes/spawned.rs::others
        Expr::Closure(closure) => {
            (closure.inputs.is_empty() && closure.asyncness.is_none()).then_some(Spawned::Closure)
        }
        Expr::Block(block) if block.label.is_none() => work(tail(&block.block)?),
        Expr::MethodCall(call) if call.method == "instrument" || call.method == "in_current_span" => {
            work(&call.receiver).filter(|spawned| matches!(spawned, Spawned::Future))
        }
        _ => None,
    }
}
