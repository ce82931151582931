//! The console in a real browser, with the traffic of a shop.

mod access;
mod browser;
mod list;
mod map;
mod pictures;
mod plain;
mod problems;
mod shop;
mod speed;
mod timeline;
