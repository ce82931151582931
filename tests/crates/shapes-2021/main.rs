//! The functions of `tests/it/shapes` in edition 2021.

#[path = "../../it/shapes/mod.rs"]
mod shapes;

mod typed_2021;
