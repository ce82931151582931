//! The reason why a detector failed.

use std::fmt;

/// The reason why a detector could not tell whether its resource is there.
///
/// `Ok(None)` means that a detector looked and found nothing. A `Problem` means that it found something that it cannot
/// read, such as a metadata service that answers with an error.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
