//! Tests of the console: its pages over HTTP, and in a real browser with the traffic of a shop.

mod access;
mod between;
mod browser;
mod empty;
mod files;
mod flame;
mod inside;
mod lambda;
mod list;
mod map;
mod measure;
mod numbers;
mod overview_speed;
mod pictures;
mod plain;
mod problems;
mod sampling;
mod search;
mod server;
mod shop;
mod speed;
#[path = "../support/mod.rs"]
mod support;
mod timeline;
