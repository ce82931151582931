//! Optional members of JSON objects.

use serde::{Deserialize, Deserializer};

/// Reads the default value from `null`, which a client may write for a member that has no value. For a member that is
/// absent, `#[serde(default)]` is needed too.
pub(crate) fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(member: D) -> Result<T, D::Error> {
    Option::deserialize(member).map(Option::unwrap_or_default)
}
