//! Metadata: anything that serialises, as JSON and within limits.

use std::cell::Cell;
use std::fmt::Display;

use serde::ser::{self, Error as _, Serialize, Serializer};
use serde_json::Value;

use crate::support::guard::guard;
use crate::support::text::{BoundedText, first_bytes};

/// What one value may measure: its strings and names in bytes, and [`VALUE_BYTES`] for each value in it. More could
/// leave in no datagram.
const MAX_BYTES: usize = 60 * 1024;
/// What one string may measure, before it is cut.
const MAX_STRING_BYTES: usize = 48 * 1024;
/// What a string ends in that is cut.
const CUT_MARK: &str = " [cut]";
/// How deep a value may lie in others. An `Option` and a newtype are levels too: they may nest for ever as well.
const MAX_DEPTH: usize = 64;
/// What a value counts at least, so that neither a list nor a structure of nothing can go on for ever.
const VALUE_BYTES: usize = 4;

/// A value as it is recorded.
#[derive(Debug, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) value: Value,
    /// Whether a part of it is lost: the rest of a long string, a number that is not finite.
    pub(crate) is_altered: bool,
}

/// The value as JSON; `None` where it is too large or too deep, cannot be JSON, fails or panics.
///
/// Numbers that are not finite are `null`, keys that are numbers, booleans or characters become strings, and whole
/// numbers beyond 64 bits too. It stops at the first limit, and holds no more than that in memory. This runs the
/// value's own code, so no record may be locked.
pub(crate) fn metadata<T: Serialize + ?Sized>(value: &T) -> Option<Metadata> {
    let limits = Limits {
        room: Cell::new(MAX_BYTES),
        depth: Cell::new(0),
        is_exceeded: Cell::new(false),
        is_altered: Cell::new(false),
    };
    let value = guard(|| Within { value, limits: &limits }.serialize(serde_json::value::Serializer))?.ok()?;
    // A value may have made light of an error.
    (!limits.is_exceeded.get()).then_some(Metadata { value, is_altered: limits.is_altered.get() })
}

struct Limits {
    room: Cell<usize>,
    depth: Cell<usize>,
    is_exceeded: Cell<bool>,
    is_altered: Cell<bool>,
}

impl Limits {
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
struct Within<'a, T: ?Sized> {
    value: &'a T,
    limits: &'a Limits,
}

impl<T: Serialize + ?Sized> Serialize for Within<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        let depth = limits.depth.get();
        limits.charge(if depth < MAX_DEPTH { VALUE_BYTES } else { usize::MAX })?;
        limits.depth.set(depth + 1);
        let result = self.value.serialize(Limited { inner: serializer, limits });
        limits.depth.set(depth);
        result
    }
}

/// Another serialiser, or a part of one, within limits.
struct Limited<'a, S> {
    inner: S,
    limits: &'a Limits,
}

impl<S> Limited<'_, S> {
    /// What was promised of a length is only a promise: memory is set aside for this many.
    fn capacity(length: usize) -> usize {
        length.min(MAX_DEPTH)
    }
}

/// Values without parts go on as they are.
macro_rules! scalars {
    ($($serialize:ident($($value:ident: $type:ty)?);)*) => {$(
        fn $serialize(self, $($value: $type)?) -> Result<S::Ok, S::Error> {
            self.inner.$serialize($($value)?)
        }
    )*};
}

/// Numbers that not all of JSON has.
macro_rules! numbers {
    ($($float:ident: $float_type:ty, $wide:ident: $wide_type:ty;)*) => {$(
        fn $float(self, value: $float_type) -> Result<S::Ok, S::Error> {
            if !value.is_finite() {
                self.limits.is_altered.set(true);
            }
            self.inner.$float(value)
        }

        fn $wide(self, value: $wide_type) -> Result<S::Ok, S::Error> {
            match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => self.inner.serialize_i64(value),
                (_, Ok(value)) => self.inner.serialize_u64(value),
                _ => self.collect_str(&value),
            }
        }
    )*};
}

/// Values with parts: what begins them, and how many parts they promise.
macro_rules! structures {
    ($($serialize:ident($($name:ident: $type:ty),*; $length:ident) -> $structure:ident;)*) => {$(
        fn $serialize(self, $($name: $type,)* $length: usize) -> Result<Self::$structure, S::Error> {
            let inner = self.inner.$serialize($($name,)* Self::capacity($length))?;
            Ok(Limited { inner, limits: self.limits })
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Limited<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Limited<'a, S::SerializeSeq>;
    type SerializeTuple = Limited<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Limited<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Limited<'a, S::SerializeTupleVariant>;
    type SerializeMap = Limited<'a, S::SerializeMap>;
    type SerializeStruct = Limited<'a, S::SerializeStruct>;
    type SerializeStructVariant = Limited<'a, S::SerializeStructVariant>;

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
        serialize_f32: f32, serialize_i128: i128;
        serialize_f64: f64, serialize_u128: u128;
    }

    structures! {
        serialize_tuple(; length) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str; length) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str; length) -> SerializeTupleVariant;
        serialize_struct(name: &'static str; length) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str; length) -> SerializeStructVariant;
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Limited { inner: self.inner.serialize_seq(length.map(Self::capacity))?, limits: self.limits })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Limited { inner: self.inner.serialize_map(length.map(Self::capacity))?, limits: self.limits })
    }

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        if text.len() > MAX_STRING_BYTES {
            return self.serialize_cut(first_bytes(text, MAX_STRING_BYTES));
        }
        self.limits.charge(text.len())?;
        self.inner.serialize_str(text)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        match BoundedText::of(value, MAX_STRING_BYTES) {
            Some((text, false)) => self.serialize_str(&text),
            Some((text, true)) => self.serialize_cut(&text),
            None => Err(S::Error::custom("a text that fails")),
        }
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<S::Ok, S::Error> {
        self.limits.charge(bytes.len().saturating_mul(VALUE_BYTES))?;
        self.inner.serialize_bytes(bytes)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.limits.charge(variant.len())?;
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        self.inner.serialize_some(&Within { value, limits })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        self.inner.serialize_newtype_struct(name, &Within { value, limits })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let limits = self.limits;
        self.inner.serialize_newtype_variant(name, index, variant, &Within { value, limits })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<S: Serializer> Limited<'_, S> {
    fn serialize_cut(self, text: &str) -> Result<S::Ok, S::Error> {
        let text = [text, CUT_MARK].concat();
        self.limits.is_altered.set(true);
        self.limits.charge(text.len())?;
        self.inner.serialize_str(&text)
    }
}

/// The parts of values, each within the limits of the whole.
macro_rules! parts {
    ($($structure:ident: $($serialize:ident($($name:ident)?)),+;)*) => {$(
        impl<S: ser::$structure> ser::$structure for Limited<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            $(fn $serialize<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), S::Error> {
                $(self.limits.charge($name.len())?;)?
                self.inner.$serialize($($name,)? &Within { value, limits: self.limits })
            })+

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

parts! {
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

    fn whole(value: Value) -> Metadata {
        Metadata { value, is_altered: false }
    }

    #[test]
    fn what_serde_json_takes_is_taken_alike() {
        #[derive(serde::Serialize)]
        enum Kind {
            Unit,
            Newtype(u8),
            Tuple(i8, char),
            Struct { a: Option<&'static str>, b: () },
        }
        let value = (
            [Kind::Unit, Kind::Newtype(1), Kind::Tuple(-1, 'x'), Kind::Struct { a: Some("\u{1f980}"), b: () }],
            (BTreeMap::from([(1, 2.5)]), BTreeMap::from([(true, 'c')]), BTreeMap::from([('k', 0.1_f32)])),
            (u64::MAX, i64::MIN, Duration::MAX, "text".to_owned(), std::net::Ipv4Addr::LOCALHOST),
            json!({ "a": [null, { "b": 1.5 }] }),
        );
        assert_eq!(metadata(&value), Some(whole(serde_json::to_value(&value).unwrap())));
        assert_eq!(metadata(&u128::MAX), Some(whole(json!("340282366920938463463374607431768211455"))));
    }

    #[test]
    fn limits() {
        let nested = |depth: usize| (1..depth).fold(json!(1), |value, _| json!([value]));
        assert_eq!(metadata(&nested(MAX_DEPTH)), Some(whole(nested(MAX_DEPTH))));
        assert_eq!(metadata(&nested(MAX_DEPTH + 1)), None);

        assert_eq!(metadata(&"x".repeat(MAX_STRING_BYTES)), Some(whole("x".repeat(MAX_STRING_BYTES).into())));
        let cut = metadata(&format!("x{}", "\u{e9}".repeat(2_500_000))).unwrap();
        let text = cut.value.as_str().unwrap().strip_suffix(CUT_MARK).unwrap();
        assert!(cut.is_altered && text.len() == MAX_STRING_BYTES - 1 && text.ends_with('\u{e9}'));

        assert!(metadata(&vec![1; MAX_BYTES / VALUE_BYTES - 1]).is_some());
        assert_eq!(metadata(&vec![1; MAX_BYTES / VALUE_BYTES]), None);
        assert_eq!(metadata(&["x".repeat(MAX_BYTES / 2), "x".repeat(MAX_BYTES / 2)]), None);
    }

    /// What makes light of errors has no more for it, and does not make a value that is half there.
    #[test]
    fn errors_cannot_be_made_light_of() {
        struct Stubborn;

        impl Serialize for Stubborn {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(Some(usize::MAX))?;
                for _ in 0..MAX_BYTES {
                    let _ = list.serialize_element("text");
                }
                list.end()
            }
        }

        assert_eq!(metadata(&Stubborn), None);
    }
}
