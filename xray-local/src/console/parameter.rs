//! Parameters of addresses. A mistyped one must not lead to an error page: it counts as absent.

use std::str::FromStr;

use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer};

/// Reads one of the values of an enumeration.
pub(super) fn choice<'de, T: DeserializeOwned, D: Deserializer<'de>>(parameter: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(parameter)?;
    Ok(T::deserialize(IntoDeserializer::<Error>::into_deserializer(text)).ok())
}

/// Reads a number.
pub(super) fn number<'de, T: FromStr, D: Deserializer<'de>>(parameter: D) -> Result<Option<T>, D::Error> {
    Ok(String::deserialize(parameter)?.trim().parse().ok())
}
