//! Tests of the console: its pages over HTTP, and in a real browser with the traffic of a shop.

mod access;
mod browser;
mod list;
mod map;
mod pictures;
mod plain;
mod problems;
mod server;
mod shop;
mod speed;
#[path = "../support/mod.rs"]
mod support;
mod timeline;
