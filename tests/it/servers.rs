//! The integrations for servers: tower, actix-web and Lambda. One set of checks applies to each of them.

mod actix;
mod checks;
mod handler;
mod lambda;
mod segments;
mod tower;
