//! An error with a source.

use std::error::Error;
use std::{fmt, io};

/// An error whose message is `outer` and whose source is the given one.
#[derive(Debug)]
pub struct Outer(pub io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
