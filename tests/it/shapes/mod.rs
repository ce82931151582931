//! The promise of `#[traced_http]`, on functions as people write them: the attribute changes neither whether a function
//! compiles nor what it does, and it records the calls to HTTP clients and no other call.
//!
//! Each function stands once in a file of this folder. The file is loaded twice as an ordinary module: once with the
//! real attribute in scope, once with an attribute of the same name that returns the function unchanged. So no macro of
//! these tests stands between the source and the attribute. Both versions run the same checks: the function's result,
//! the requests that reach a real service, and the requests that are recorded.
//!
//! `tests/crates/shapes-2021` builds this folder in edition 2021.
#![allow(clippy::duplicate_mod, reason = "each file is loaded twice")]

// `pub(crate)` for the functions of `tests/crates/shapes-2021` that only edition 2021 has.
pub(crate) mod run;
mod senders;

#[path = "."]
#[allow(clippy::all, clippy::pedantic, reason = "the shape of a function is the point, not its style")]
mod plain {
    pub(crate) use untraced::traced_http;

    pub(crate) const IS_TRACED: bool = false;

    mod arguments;
    mod attributes;
    mod bodies;
    mod borrows;
    mod branches;
    mod builders;
    mod channels;
    mod closures;
    mod combined;
    mod databases;
    mod evaluation;
    mod futures;
    mod hoisted;
    mod inference;
    mod limits;
    mod macros;
    mod methods;
    mod named_futures;
    mod positions;
    mod receivers;
    mod results;
    mod scopes;
    mod spawned;
    mod styles;
    mod temporaries;
    mod typed;
}

#[path = "."]
#[allow(clippy::all, clippy::pedantic, reason = "the shape of a function is the point, not its style")]
mod traced {
    pub(crate) use xray::traced_http;

    pub(crate) const IS_TRACED: bool = true;

    mod arguments;
    mod attributes;
    mod bodies;
    mod borrows;
    mod branches;
    mod builders;
    mod channels;
    mod closures;
    mod combined;
    mod databases;
    mod evaluation;
    mod futures;
    mod hoisted;
    mod inference;
    mod limits;
    mod macros;
    mod methods;
    mod named_futures;
    mod positions;
    mod receivers;
    mod results;
    mod scopes;
    mod spawned;
    mod styles;
    mod temporaries;
    mod typed;
}
