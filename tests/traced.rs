//! `#[traced]`: a subsegment around a function, whatever kind of function that is.

mod support;

mod traced {
    mod attributes;
    mod errors;
    mod functions;
    mod parts;
}
