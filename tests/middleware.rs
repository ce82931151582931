//! The tower layer and the reqwest middleware, alone, and where two mechanisms meet on one request.
#![cfg(all(feature = "tower", feature = "reqwest-middleware"))]

mod support;

mod middleware {
    mod layer;
    mod parts;
    mod reqwest;
    mod together;
}
