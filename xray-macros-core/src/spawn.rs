//! Detects calls that spawn a task or a thread. The expansion carries the current trace into the task or thread.

use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use crate::combinators::wraps_receiver;
use crate::syntax::{boxed_future_mut, peeled, puts_into_box, tail, text};

/// The kind of the argument that runs in the spawned task or thread.
#[derive(Clone, Copy)]
pub(crate) enum Spawned {
    Future,
    Closure,
}

/// Returns the index and the kind of the argument that a call runs in a new task or thread: `tokio::spawn(async {})`,
/// `set.spawn(async {})`, `scope.spawn(|| ..)`. Returns `None` if the call spawns nothing.
pub(crate) fn spawned(expression: &Expr) -> Option<(usize, Spawned)> {
    let (name, arguments) = spawn_call(expression)?;
    let (index, spawned) =
        arguments.iter().enumerate().find_map(|(index, argument)| Some((index, spawned_kind(argument)?)))?;
    // `in_current_trace(closure)` returns a closure that can be called once. That is enough for `spawn(closure)` and
    // `spawn_blocking(closure)`. A function of another name, or with more arguments, may call its closure more than
    // once: `spawn_twice` in tests/it/shapes/spawned.rs::others, and `Retry::spawn(strategy, action)` of the crate
    // tokio-retry.
    let is_called_once = arguments.len() == 1 && ["spawn", "spawn_blocking"].contains(&name.as_str());
    let is_carried = matches!(spawned, Spawned::Future) || is_called_once;
    is_carried.then_some((index, spawned))
}

/// Returns the name and the arguments of a call that spawns something.
pub(crate) fn spawn_call(expression: &Expr) -> Option<(String, &Punctuated<Expr, Token![,]>)> {
    let (name, arguments) = match expression {
        Expr::Call(call) => match peeled(&call.func) {
            Expr::Path(callee) => (&callee.path.segments.last()?.ident, &call.args),
            _ => return None,
        },
        Expr::MethodCall(call) => (&call.method, &call.args),
        _ => return None,
    };
    // Compare the name, not the path: `Handle::spawn`, `JoinSet::spawn_on`, `LocalSet::spawn_local` and the spawn
    // functions of other executors all begin with `spawn`. tests/it/shapes/spawned.rs::sets, one_thread
    let name = text(name);
    name.starts_with("spawn").then_some((name, arguments))
}

/// Returns the kind of an argument that is an async block or a closure, or `None` for any other argument. The async
/// block or closure may be at the end of a block (`{ let x = ..; async move { .. } }`). The async block may be an
/// argument of a function, as in `Box::pin(async { .. })` and `timeout(limit, async { .. })`, and a method that returns
/// a future which contains it may be called on it, such as `.instrument(span)` of `tracing`.
pub(crate) fn spawned_kind(argument: &Expr) -> Option<Spawned> {
    match peeled(argument) {
        Expr::Async(_) => Some(Spawned::Future),
        // `in_current_trace` returns a closure without parameters, so it cannot replace a closure with a parameter, as
        // in `Pool::spawn(|worker| ..)`. tests/it/shapes/spawned.rs::others
        Expr::Closure(closure) => {
            (closure.inputs.is_empty() && closure.asyncness.is_none()).then_some(Spawned::Closure)
        }
        Expr::Block(block) if block.label.is_none() => spawned_kind(tail(&block.block)?),
        boxed @ Expr::MethodCall(call) if wraps_receiver(&text(&call.method)) || puts_into_box(boxed) => {
            spawned_future(&call.receiver)
        }
        Expr::Call(call) => call.args.iter().find_map(spawned_future),
        _ => None,
    }
}

fn spawned_future(expression: &Expr) -> Option<Spawned> {
    spawned_kind(expression).filter(|spawned| matches!(spawned, Spawned::Future))
}

/// Returns the async block in the arguments of a function or in a box. The block itself is wrapped, because the
/// function may return something other than a future, and a box may be coerced to `Pin<Box<dyn Future>>`.
pub(crate) fn inner_future_mut(argument: &mut Expr) -> Option<&mut Expr> {
    match argument {
        Expr::Call(call) => call.args.iter_mut().find(|argument| spawned_future(argument).is_some()),
        other => boxed_future_mut(other),
    }
}
