//! The promise of the attribute, on functions as people write them: it changes neither whether a function
//! compiles nor what it does, and of its calls those to an HTTP client are recorded, no other.
//!
//! Each function stands once in a file below `tests/shapes`. The file is loaded twice as an ordinary module, so
//! that no macro of ours comes between the source and the attribute: once with the real attribute in scope, once
//! with one of the same name that gives the function back as it is. Both versions run the same checks, which
//! say what the function returns, which requests reach a real service, and which of them are recorded.
//!
//! `tests/crates/shapes-2021` builds this file in edition 2021.
#![allow(clippy::duplicate_mod, reason = "each file is loaded twice")]

mod run;
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
    mod builders;
    mod channels;
    mod closures;
    mod databases;
    mod futures;
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
    mod builders;
    mod channels;
    mod closures;
    mod databases;
    mod futures;
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
}
