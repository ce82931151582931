//! Metadata: converts any serialisable value into JSON, within limits.
//!
//! The value is a user's, and so is the code that serialises it: it may be huge, endless, recursive, or panic. A
//! wrapper around serde's `Serializer` counts while the value is written, and stops at the first limit. Measuring the
//! finished JSON would need memory for the whole value.

use std::cell::Cell;
use std::fmt::Display;

use serde::ser::{self, Error as _, Serialize, Serializer};
use serde_json::Value;

use super::annotation::from_f32;
use crate::support::guard::guard;
use crate::support::text::{BoundedText, first_bytes};

/// Limit on the size of one value: the bytes of its strings and names, and [`VALUE_BYTES`] for each value in it.
// A document of more than 63 KiB does not fit into a datagram, so a larger value could never be sent.
const MAX_BYTES: usize = 60 * 1024;
/// Limit on one string; a longer one is cut.
// Below `MAX_BYTES`, so that a cut string still leaves room for the names and values beside it.
const MAX_STRING_BYTES: usize = 48 * 1024;
/// The end of a string that was cut.
const CUT_MARK: &str = " [cut]";
/// Limit on the depth of nested values. An `Option` and a newtype are levels too, because a type may nest them
/// endlessly.
const MAX_DEPTH: usize = 64;
/// The size of a value without a text. An endless list of units would otherwise have the size 0.
const VALUE_BYTES: usize = 4;

/// A value converted for a document.
#[derive(Debug, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) value: Value,
    /// `true` if information was lost: a long string was cut, or a number that is not finite became `null`.
    pub(crate) is_altered: bool,
}

/// Converts a value into JSON.
///
/// Returns `None` if the value is too large, too deep, cannot be expressed in JSON, returns an error, or panics.
/// Numbers that are not finite become `null`. Whole numbers beyond 64 bits become strings, and so do keys that are
/// numbers, booleans or characters.
///
/// Memory is bounded by the limits, whatever the value does. This function runs the value's own code, so the caller
/// must hold no lock.
pub(crate) fn metadata<T: Serialize + ?Sized>(value: &T) -> Option<Metadata> {
    let limits = Limits {
        room: Cell::new(MAX_BYTES),
        depth: Cell::new(0),
        is_exceeded: Cell::new(false),
        is_altered: Cell::new(false),
    };
    let value = guard(|| Bounded { value, limits: &limits }.serialize(serde_json::value::Serializer))?.ok()?;
    // An implementation of `Serialize` may ignore the error of one element and end successfully. Half of a value would
    // look like the whole one, so the exceeded limit counts and not the result.
    (!limits.is_exceeded.get()).then_some(Metadata { value, is_altered: limits.is_altered.get() })
}

/// The state of one conversion.
// Cells, because serde hands out several serialisers for one value (a list and its element), which share this state.
struct Limits {
    /// The bytes that are left of [`MAX_BYTES`].
    room: Cell<usize>,
    depth: Cell<usize>,
    is_exceeded: Cell<bool>,
    is_altered: Cell<bool>,
}

impl Limits {
    /// Takes `bytes` from the room that is left, or fails.
    fn charge<E: ser::Error>(&self, bytes: usize) -> Result<(), E> {
        let Some(room) = self.room.get().checked_sub(bytes) else {
            self.is_exceeded.set(true);
            return Err(E::custom("too large or too deep"));
        };
        self.room.set(room);
        Ok(())
    }
}

/// A value that is serialised within limits.
struct Bounded<'a, T: ?Sized> {
    value: &'a T,
    limits: &'a Limits,
}

impl<T: Serialize + ?Sized> Serialize for Bounded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        let depth = limits.depth.get();
        // `usize::MAX` exceeds any room, so one test covers the size and the depth.
        limits.charge(if depth < MAX_DEPTH { VALUE_BYTES } else { usize::MAX })?;
        limits.depth.set(depth + 1);
        let result = self.value.serialize(BoundedSerializer { inner: serializer, limits });
        limits.depth.set(depth);
        result
    }
}

/// A serialiser, or one of its parts such as the serialiser of a list. Counts what it passes on to `inner`.
struct BoundedSerializer<'a, S> {
    inner: S,
    limits: &'a Limits,
}

impl<S> BoundedSerializer<'_, S> {
    /// Returns the number of elements to reserve memory for.
    // `length` is what the value announces. serde_json reserves that much at once, and `usize::MAX` would abort the
    // process.
    fn capacity(length: usize) -> usize {
        length.min(MAX_DEPTH)
    }
}

// serde's `Serializer` has some thirty methods, and most only pass a value on to `inner`. The macros below write them,
// so that the methods which do more stand out.

/// Methods for values of a fixed small size, which `Bounded` has charged already.
macro_rules! scalars {
    ($($serialize:ident($($value:ident: $type:ty)?);)*) => {$(
        fn $serialize(self, $($value: $type)?) -> Result<S::Ok, S::Error> {
            self.inner.$serialize($($value)?)
        }
    )*};
}

/// Methods for whole numbers that `serde_json` cannot express.
macro_rules! numbers {
    ($($wide:ident: $wide_type:ty;)*) => {$(
        fn $wide(self, value: $wide_type) -> Result<S::Ok, S::Error> {
            // serde_json refuses an integer beyond 64 bits, and with it the whole value that contains it. As a string
            // all of its digits arrive.
            match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => self.inner.serialize_i64(value),
                (_, Ok(value)) => self.inner.serialize_u64(value),
                _ => self.collect_str(&value),
            }
        }
    )*};
}

/// Methods that begin a value with elements or fields, of which the value announces `$length`.
macro_rules! structures {
    ($($serialize:ident($($name:ident: $type:ty),*; $length:ident) -> $structure:ident;)*) => {$(
        fn $serialize(self, $($name: $type,)* $length: usize) -> Result<Self::$structure, S::Error> {
            let inner = self.inner.$serialize($($name,)* Self::capacity($length))?;
            Ok(BoundedSerializer { inner, limits: self.limits })
        }
    )*};
}

impl<'a, S: Serializer> Serializer for BoundedSerializer<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = BoundedSerializer<'a, S::SerializeSeq>;
    type SerializeTuple = BoundedSerializer<'a, S::SerializeTuple>;
    type SerializeTupleStruct = BoundedSerializer<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = BoundedSerializer<'a, S::SerializeTupleVariant>;
    type SerializeMap = BoundedSerializer<'a, S::SerializeMap>;
    type SerializeStruct = BoundedSerializer<'a, S::SerializeStruct>;
    type SerializeStructVariant = BoundedSerializer<'a, S::SerializeStructVariant>;

    scalars! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_char(value: char);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
    }

    numbers! {
        serialize_i128: i128;
        serialize_u128: u128;
    }

    // A `serde_json::Value` holds an `f64`, which would show an `f32` with digits that it does not have.
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.serialize_f64(from_f32(value))
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        // JSON has no infinity and no NaN; serde_json writes `null`.
        if !value.is_finite() {
            self.limits.is_altered.set(true);
        }
        self.inner.serialize_f64(value)
    }

    structures! {
        serialize_tuple(; length) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str; length) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str; length) -> SerializeTupleVariant;
        serialize_struct(name: &'static str; length) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str; length) -> SerializeStructVariant;
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(BoundedSerializer { inner: self.inner.serialize_seq(length.map(Self::capacity))?, limits: self.limits })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(BoundedSerializer { inner: self.inner.serialize_map(length.map(Self::capacity))?, limits: self.limits })
    }

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        if text.len() > MAX_STRING_BYTES {
            return self.serialize_cut(first_bytes(text, MAX_STRING_BYTES));
        }
        self.limits.charge(text.len())?;
        self.inner.serialize_str(text)
    }

    // The default implementation calls `to_string`, which holds the whole text before any limit sees it.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        match BoundedText::of(value, MAX_STRING_BYTES) {
            Some((text, false)) => self.serialize_str(&text),
            Some((text, true)) => self.serialize_cut(&text),
            None => Err(S::Error::custom("its `Display` implementation failed")),
        }
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<S::Ok, S::Error> {
        // JSON has no bytes: serde_json writes a list of numbers, of up to three digits and a comma each.
        self.limits.charge(bytes.len().saturating_mul(VALUE_BYTES))?;
        self.inner.serialize_bytes(bytes)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.limits.charge(variant.len())?;
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        self.inner.serialize_some(&Bounded { value, limits })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        self.inner.serialize_newtype_struct(name, &Bounded { value, limits })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        self.inner.serialize_newtype_variant(name, index, variant, &Bounded { value, limits })
    }
}

impl<S: Serializer> BoundedSerializer<'_, S> {
    /// Writes the start of a string that is too long, with a mark at its end.
    fn serialize_cut(self, text: &str) -> Result<S::Ok, S::Error> {
        let text = [text, CUT_MARK].concat();
        self.limits.is_altered.set(true);
        self.limits.charge(text.len())?;
        self.inner.serialize_str(&text)
    }
}

/// The methods that write one element, key or field, within the limits of the whole value.
macro_rules! elements {
    ($($structure:ident: $($serialize:ident($($name:ident)?)),+;)*) => {$(
        impl<S: ser::$structure> ser::$structure for BoundedSerializer<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(fn $serialize<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), S::Error> {
                $(self.limits.charge($name.len())?;)?
                self.inner.$serialize($($name,)? &Bounded { value, limits: self.limits })
            })+

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

elements! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(name);
    SerializeStructVariant: serialize_field(name);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde::ser::SerializeSeq as _;
    use serde_json::json;

    use super::*;

    fn unaltered(value: Value) -> Metadata {
        Metadata { value, is_altered: false }
    }

    #[test]
    fn a_value_becomes_the_json_that_serde_json_makes_of_it() {
        #[derive(serde::Serialize)]
        enum Kind {
            Unit,
            Newtype(u8),
            Tuple(i8, char),
            Struct { a: Option<&'static str>, b: () },
        }
        let value = (
            [Kind::Unit, Kind::Newtype(1), Kind::Tuple(-1, 'x'), Kind::Struct { a: Some("\u{1f980}"), b: () }],
            (BTreeMap::from([(1, 2.5)]), BTreeMap::from([(true, 'c')]), BTreeMap::from([('k', 0.5_f32)])),
            (u64::MAX, i64::MIN, Duration::MAX, "text".to_owned(), std::net::Ipv4Addr::LOCALHOST),
            json!({ "a": [null, { "b": 1.5 }] }),
        );
        assert_eq!(metadata(&value), Some(unaltered(serde_json::to_value(&value).unwrap())));
        assert_eq!(metadata(&[0.1_f32, f32::MIN_POSITIVE]), Some(unaltered(json!([0.1, 1.175_494_4e-38]))));
        assert_eq!(metadata(&u128::MAX), Some(unaltered(json!("340282366920938463463374607431768211455"))));
    }

    #[test]
    fn size_depth_and_strings_are_limited() {
        let nested = |depth: usize| (1..depth).fold(json!(1), |value, _| json!([value]));
        assert_eq!(metadata(&nested(MAX_DEPTH)), Some(unaltered(nested(MAX_DEPTH))));
        assert_eq!(metadata(&nested(MAX_DEPTH + 1)), None);

        assert_eq!(metadata(&"x".repeat(MAX_STRING_BYTES)), Some(unaltered("x".repeat(MAX_STRING_BYTES).into())));
        let cut = metadata(&format!("x{}", "\u{e9}".repeat(2_500_000))).unwrap();
        let text = cut.value.as_str().unwrap().strip_suffix(CUT_MARK).unwrap();
        assert!(cut.is_altered && text.len() == MAX_STRING_BYTES - 1 && text.ends_with('\u{e9}'));

        assert!(metadata(&vec![1; MAX_BYTES / VALUE_BYTES - 1]).is_some());
        assert_eq!(metadata(&vec![1; MAX_BYTES / VALUE_BYTES]), None);
        assert_eq!(metadata(&["x".repeat(MAX_BYTES / 2), "x".repeat(MAX_BYTES / 2)]), None);
    }

    #[test]
    fn a_value_that_ignores_errors_is_not_recorded_in_half() {
        struct IgnoresErrors;

        impl Serialize for IgnoresErrors {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(Some(usize::MAX))?;
                for _ in 0..MAX_BYTES {
                    let _ = list.serialize_element("text");
                }
                list.end()
            }
        }

        assert_eq!(metadata(&IgnoresErrors), None);
    }
}
