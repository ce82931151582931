//! The Rust examples of the pages in `docs/`. `cargo test` compiles each of them, and runs it unless the page says
//! `no_run`.
//!
//! The examples of `README.md` are tested with the crate `xray`, whose documentation it is.

macro_rules! pages {
    ($($name:ident = $page:literal),* $(,)?) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("../../../", $page))]
            #[derive(Debug)]
            pub struct $name;
        )*

        /// The pages whose examples are compiled.
        pub const PAGES: &[&str] = &[$($page),*];
    };
}

pages! {
    ActixWeb = "docs/actix-web.md",
    Axum = "docs/axum.md",
    Configuration = "docs/configuration.md",
    FirstTrace = "docs/first-trace.md",
    FromNode = "docs/from-node.md",
    FromOpenTelemetry = "docs/from-opentelemetry.md",
    FromPython = "docs/from-python.md",
    Grpc = "docs/grpc.md",
    Lambda = "docs/lambda.md",
    Limits = "docs/limits.md",
    NoTraces = "docs/no-traces.md",
    OpenTelemetry = "docs/opentelemetry.md",
    Privacy = "docs/privacy.md",
    Production = "docs/production.md",
    Testing = "docs/testing.md",
    WhatIsTraced = "docs/what-is-traced.md",
    Why = "docs/why.md",
    Worker = "docs/worker.md",
}
