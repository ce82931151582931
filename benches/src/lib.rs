//! The client whose calls are measured, and the floor that they are measured beside; see `overhead.rs`.

pub mod by_hand;
pub mod calls;
pub mod client;
pub mod floor;
pub mod paths;
