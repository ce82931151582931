//! Detects calls that spawn a task or a thread. The expansion makes the current trace follow into it.

use syn::Expr;

use crate::syntax::{peeled, tail};

/// The kind of the argument that runs in the spawned task or thread.
#[derive(Clone, Copy)]
pub(crate) enum Spawned {
    Future,
    Closure,
}

/// Returns the index and the kind of the argument that a call runs in a new task or thread: `tokio::spawn(async {})`,
/// `set.spawn(async {})`, `scope.spawn(|| ..)`. Returns `None` if the call spawns nothing.
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
    // Compare the name, not the path: `Handle::spawn`, `JoinSet::spawn_on`, `LocalSet::spawn_local` and the spawn
    // functions of other executors all begin with `spawn`. tests/it/shapes/spawned.rs::sets, one_thread
    if !name.starts_with("spawn") {
        return None;
    }
    let (index, spawned) = arguments.iter().enumerate().find_map(|(index, argument)| Some((index, work(argument)?)))?;
    // `in_current_trace(closure)` returns a closure that can be called once. That is enough for `spawn` and
    // `spawn_blocking`. A function of another name may call its closure more than once: `spawn_twice` in
    // tests/it/shapes/spawned.rs::others.
    let is_carried = matches!(spawned, Spawned::Future) || ["spawn", "spawn_blocking"].contains(&name.as_str());
    is_carried.then_some((index, spawned))
}

/// Returns the kind of an argument that is an async block or a closure, or `None` for any other argument. The async
/// block or closure may stand at the end of a block (`{ let x = ..; async move { .. } }`), or have the method
/// `.instrument(span)` of `tracing` called on it.
fn work(argument: &Expr) -> Option<Spawned> {
    match peeled(argument) {
        Expr::Async(_) => Some(Spawned::Future),
        // `in_current_trace` returns a closure without parameters, so it cannot replace a closure with a parameter, as
        // in `Pool::spawn(|worker| ..)`. tests/it/shapes/spawned.rs::others
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
