//! Compares the front pages and the pages in `docs/` with the code: configuration files, names, ports and variables.

mod code;
mod configuration;
mod names;
mod page;
mod shipping;
mod variables;
