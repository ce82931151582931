//! Lists of limited length, read from JSON.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A list that keeps only its first `MOST` elements, and counts the others. A body of 8 MiB could contain millions of
/// elements.
pub(crate) struct Bounded<T, const MOST: usize> {
    elements: Vec<T>,
    count: usize,
}

/// The error for a list with more elements than allowed.
#[derive(Debug)]
pub(crate) struct TooMany {
    field: String,
    most: usize,
    count: usize,
}

impl<T, const MOST: usize> Bounded<T, MOST> {
    /// Returns the elements.
    ///
    /// # Errors
    ///
    /// If the list has more than `MOST` elements. The error names the list `field`.
    pub(crate) fn checked(self, field: &str) -> Result<Vec<T>, TooMany> {
        if self.count > MOST {
            return Err(TooMany { field: field.to_owned(), most: MOST, count: self.count });
        }
        Ok(self.elements)
    }

    /// Returns the number of all elements.
    #[cfg(feature = "otlp")]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the first `MOST` elements.
    #[cfg(feature = "otlp")]
    pub(crate) fn into_first(self) -> Vec<T> {
        self.elements
    }
}

impl<T, const MOST: usize> Default for Bounded<T, MOST> {
    fn default() -> Self {
        Self { elements: Vec::new(), count: 0 }
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: must have at most {} elements, and has {}", self.field, self.most, self.count)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Elements<T, MOST> {
            type Value = Bounded<T, MOST>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
                let mut list = Bounded::default();
                while list.count < MOST {
                    let Some(element) = values.next_element()? else { return Ok(list) };
                    list.elements.push(element);
                    list.count += 1;
                }
                while values.next_element::<IgnoredAny>()?.is_some() {
                    list.count += 1;
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Elements(PhantomData))
    }
}
