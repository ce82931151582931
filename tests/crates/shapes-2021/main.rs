//! The functions of `tests/it/shapes` in edition 2021.

extern crate support_2021 as support;

#[path = "../../it/shapes/mod.rs"]
mod shapes;

mod only_2021;
