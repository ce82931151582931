//! Functions, methods and macros that take futures or lists of futures, by their names: those whose result contains the
//! future, and those that poll it.

use proc_macro2::Ident;
use syn::{Expr, ExprCall, ExprMethodCall, GenericArgument, Macro, PathArguments, Type};

use crate::syntax::{is_box_pin, peeled, text};

/// Methods of futures that return a future which contains their receiver, from the extension traits of `futures`,
/// `tokio-util`, `tracing` and this SDK, which every future implements. `tests/it/shapes/typed.rs::methods_of_futures`
const WRAPPING_METHODS: &[&str] = &[
    "and_then",
    "as_mut",
    "catch_unwind",
    "err_into",
    "flatten",
    "flatten_stream",
    "fuse",
    "in_current_span",
    "in_current_trace",
    "in_segment",
    "in_subsegment",
    "inspect",
    "inspect_err",
    "inspect_ok",
    "instrument",
    "into_future",
    "into_stream",
    "left_future",
    "map",
    "map_err",
    "map_ok",
    "map_ok_or_else",
    "ok_into",
    "or_else",
    "right_future",
    "shared",
    "then",
    "timeout",
    "try_flatten",
    "unwrap_or_else",
    "with_cancellation_token",
    "with_cancellation_token_owned",
    "with_current_subscriber",
    "with_subscriber",
];

/// Methods of futures and streams whose result does not contain the type of the receiver.
const POLLING_METHODS: &[&str] =
    &["boxed", "boxed_local", "count", "is_empty", "len", "next", "now_or_never", "poll", "poll_unpin", "try_next"];

/// Functions and methods that return a future which contains their arguments, futures of any type.
const WRAPPING_FUNCTIONS: &[&str] = &[
    "abortable",
    "join",
    "join_all",
    "maybe_done",
    "run_until_cancelled",
    "run_until_cancelled_owned",
    "scope",
    "select",
    "select_all",
    "select_ok",
    "timeout",
    "timeout_at",
    "try_join",
    "try_join_all",
    "try_select",
    "unconstrained",
];

/// The functions among these that take a list of futures.
const LIST_FUNCTIONS: &[&str] = &["join_all", "select_all", "select_ok", "try_join_all"];

/// The functions among these whose result is one of two futures: the one that is not finished.
const LOSER_FUNCTIONS: &[&str] = &["select", "try_select"];

/// Functions and methods that take a future of any type and whose result does not contain the type. Functions whose
/// names begin with `spawn` count too.
const POLLING_FUNCTIONS: &[&str] = &["block_on", "drop", "run_until"];

/// Methods that pass an item to a closure, and poll the future that it returns.
const CLOSURE_POLLING_METHODS: &[&str] =
    &["and_then", "for_each", "for_each_concurrent", "or_else", "then", "try_for_each", "try_for_each_concurrent"];

/// Methods that return a list of the results of a closure.
const MAPPING_METHODS: &[&str] = &["map", "map_ok"];

/// Methods of iterators and streams that poll the items.
const ITEM_POLLING_METHODS: &[&str] = &["buffered", "buffer_unordered", "try_buffered", "try_buffer_unordered"];

/// Methods of iterators and streams that return a list of the items of their receiver. The table does not contain
/// `filter`, because the closure of `filter` receives the items: `tests/it/shapes/combined.rs::passed_by_a_list`
const ITEM_PASSING_METHODS: &[&str] = &["by_ref", "collect", "into_iter", "peekable", "rev", "skip", "take"];

/// Methods of lists that drop the items or only count them.
const COUNTING_METHODS: &[&str] = &["count", "is_empty", "len"];

/// Traits that a traced future implements if the client's future does. It does not implement a trait of the program, so
/// it cannot be the result `impl Future + Cancel`. `tests/it/shapes/branches.rs::with_both_traits`
const FUTURE_TRAITS: &[&str] = &[
    "Captures",
    "Debug",
    "FusedFuture",
    "Future",
    "IntoFuture",
    "MaybeSend",
    "MaybeSync",
    "RefUnwindSafe",
    "Send",
    "Sized",
    "Sync",
    "TryFuture",
    "Unpin",
    "UnwindSafe",
];

/// Types of lists that poll their items.
const POLLED_LISTS: &[&str] = &["FuturesOrdered", "FuturesUnordered"];

/// Types of lists whose items may be futures of any type.
const LISTS_OF_FUTURES: &[&str] = &["FuturesOrdered", "FuturesUnordered", "Vec", "VecDeque"];

/// Returns whether a method of futures returns a future that contains its receiver.
pub(crate) fn wraps_receiver(method: &str) -> bool {
    WRAPPING_METHODS.contains(&method)
}

/// Returns whether a method of futures and streams has a result that does not contain the type of its receiver.
pub(crate) fn polls_receiver(method: &str) -> bool {
    POLLING_METHODS.contains(&method)
}

/// Returns whether a function or method returns a future that contains its arguments.
pub(crate) fn wraps_arguments(name: &str) -> bool {
    WRAPPING_FUNCTIONS.contains(&name)
}

/// Returns whether a function takes a list of futures.
pub(crate) fn takes_list(name: &str) -> bool {
    LIST_FUNCTIONS.contains(&name)
}

/// Returns whether the result of a function is one of two futures, so both must have one type if the result is not
/// taken apart.
pub(crate) fn returns_loser(name: &str) -> bool {
    LOSER_FUNCTIONS.contains(&name)
}

/// Returns whether a function or method takes a future, and its result does not contain the type of the future.
pub(crate) fn polls_arguments(name: &str) -> bool {
    POLLING_FUNCTIONS.contains(&name) || name.starts_with("spawn")
}

/// Returns whether a method polls the futures that its closure returns. `takes_item` is `true` if the closure has a
/// parameter.
pub(crate) fn polls_results(name: &str, takes_item: bool) -> bool {
    // `bool::then` and `Option::or_else` take closures without parameters.
    (takes_item && CLOSURE_POLLING_METHODS.contains(&name)) || repeats(name)
}

/// Returns whether a method returns a list of the results of its closure.
pub(crate) fn lists_results(method: &str) -> bool {
    MAPPING_METHODS.contains(&method)
}

/// Returns whether a method polls the items of its receiver.
pub(crate) fn polls_items(method: &str) -> bool {
    ITEM_POLLING_METHODS.contains(&method)
}

/// Returns whether a method returns a list of the items of its receiver and of its argument.
pub(crate) fn merges_lists(method: &str) -> bool {
    method == "chain"
}

/// Returns whether a method of a list drops the items or only counts them.
pub(crate) fn counts_items(method: &str) -> bool {
    COUNTING_METHODS.contains(&method)
}

/// Returns whether a traced future implements a trait with this name if the client's future does.
pub(crate) fn is_future_trait(name: &Ident) -> bool {
    is_one_of(name, FUTURE_TRAITS)
}

/// Returns whether a call is a call to a function that puts its arguments into a future or a box.
pub(crate) fn wraps_arguments_of(call: &ExprCall) -> bool {
    let name = match peeled(&call.func) {
        Expr::Path(function) => function.path.segments.last(),
        _ => None,
    };
    is_box_pin(&call.func) || name.is_some_and(|name| wraps_arguments(&text(&name.ident)))
}

/// Returns whether a macro call is `pin!(future)`.
pub(crate) fn is_pin(call: &Macro) -> bool {
    call.path.segments.last().is_some_and(|name| is_one_of(&name.ident, &["pin", "pin_mut"]))
}

/// Returns whether an expression is the constructor of an empty list, which names no type of its items.
pub(crate) fn is_empty_list(expression: &Expr) -> bool {
    let Expr::Call(call) = peeled(expression) else { return false };
    let Expr::Path(function) = peeled(&call.func) else { return false };
    let names_a_type = function.path.segments.iter().any(|segment| !segment.arguments.is_none());
    let mut names = function.path.segments.iter().rev().map(|segment| &segment.ident);
    let is_new = names.next().is_some_and(|name| is_one_of(name, &["new", "with_capacity"]));
    is_new && !names_a_type && names.next().is_some_and(|name| is_one_of(name, LISTS_OF_FUTURES))
}

/// Returns whether an expression is a list that polls its items, judged by the name of its type.
pub(crate) fn is_polled_list(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::MethodCall(call) => call
            .turbofish
            .iter()
            .flat_map(|turbofish| &turbofish.args)
            .any(|argument| matches!(argument, GenericArgument::Type(ty) if is_type_of_polled_list(ty))),
        Expr::Call(call) => match peeled(&call.func) {
            Expr::Path(function) => {
                let of = function.path.segments.iter().rev().nth(1);
                of.is_some_and(|of| is_one_of(&of.ident, POLLED_LISTS))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Returns whether a type is a list that polls its items.
pub(crate) fn is_type_of_polled_list(ty: &Type) -> bool {
    let last = if let Type::Path(path) = ty { path.path.segments.last() } else { None };
    last.is_some_and(|last| is_one_of(&last.ident, POLLED_LISTS))
}

/// Returns whether a method adds its argument to a list.
pub(crate) fn adds_to_list(method: &str) -> bool {
    ["push", "push_back"].contains(&method)
}

/// Returns whether an expression may put a variable into a future or another list: `join(first, second)`.
pub(crate) fn wraps_variables(expression: &Expr) -> bool {
    match peeled(expression) {
        Expr::Call(call) => wraps_arguments_of(call),
        Expr::MethodCall(call) => wraps_receiver(&text(&call.method)) || passes_items(call),
        Expr::Macro(call) => is_pin(&call.mac),
        _ => false,
    }
}

/// Returns whether a method returns a list of the items of its receiver, which have one type: `take(3)`, `collect()`,
/// `collect::<Vec<_>>()`.
pub(crate) fn passes_items(call: &ExprMethodCall) -> bool {
    let names_no_type = call.turbofish.iter().flat_map(|turbofish| &turbofish.args).all(|argument| match argument {
        GenericArgument::Type(ty) => matches!(ty, Type::Infer(_)) || is_list_of_any(ty),
        _ => false,
    });
    names_no_type && is_one_of(&call.method, ITEM_PASSING_METHODS)
}

/// Returns whether a type is a list of items of any type: `Vec<_>`, `FuturesUnordered<_>`.
pub(crate) fn is_list_of_any(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let is_list = is_one_of(&last.ident, LISTS_OF_FUTURES);
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            is_list && arguments.args.iter().all(|argument| matches!(argument, GenericArgument::Type(Type::Infer(_))))
        }
        _ => false,
    }
}

pub(crate) fn is_one_of(name: &Ident, names: &[&str]) -> bool {
    names.contains(&text(name).as_str())
}

/// Returns whether a function or method with this name calls a closure repeatedly, and polls the futures that it
/// returns, as `retry(|| ..)` does. A future that is passed to such a function is not replaced:
/// `tests/it/shapes/named_futures.rs::first_of_a_retry`
pub(crate) fn repeats(name: &str) -> bool {
    name.starts_with("retry")
}

/// Returns the name of a called function, by which the functions above know it. For `Retry::spawn(strategy, || ..)` of
/// the crate tokio-retry, that is `retry`.
pub(crate) fn name_of_combinator(call: &ExprCall) -> String {
    let Expr::Path(function) = peeled(&call.func) else { return String::new() };
    let mut names = function.path.segments.iter().rev().map(|segment| text(&segment.ident));
    let (name, of) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let is_start = ["spawn", "start"].contains(&name.as_str());
    if is_start && ["Retry", "RetryIf"].contains(&of.as_str()) { "retry".to_owned() } else { name }
}
