//! The two identifiers of X-Ray: the id of a trace, and the id of a segment or subsegment in it. Also identifies the
//! process, because a forked process must not create the ids of its parent.

mod process;

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use self::process::Process;

/// The id of a trace: `1-<8 hex digits>-<24 hex digits>`, 35 characters.
///
/// The first group of digits is the time at which the trace began, in seconds since the Unix epoch. The second group is
/// random. X-Ray also accepts an id from a W3C `traceparent`, whose first digits are random too. (Developer guide,
/// "Sending trace data to X-Ray", "Trace ID format".)
///
/// Parsing accepts upper-case digits; the text form is always lower case. The `serde` form is the text form.
///
/// ```
/// use xray::TraceId;
///
/// let id: TraceId = "1-581cf771-a006649127e371903a2de979".parse()?;
/// assert_eq!(id.to_string(), "1-581cf771-a006649127e371903a2de979");
/// assert_ne!(TraceId::random(), TraceId::random());
/// # Ok::<(), xray::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// Length of the text form, in bytes.
    pub(crate) const TEXT_LENGTH: usize = 35;
    /// Number of bits behind the 32 bits of the time.
    const RANDOM_BITS: u32 = 96;

    /// Creates the id of a trace that begins at this moment.
    ///
    /// The random part has 96 bits. The generator is seeded by the operating system and is not cryptographic, because
    /// an id is not a secret.
    ///
    /// ```
    /// let id = xray::TraceId::random().to_string();
    /// assert!(id.starts_with("1-") && id.len() == 35);
    /// ```
    #[must_use]
    pub fn random() -> Self {
        // Notices a fork.
        let _ = Process::current();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // The format has 32 bits for the time, which last until the year 2106. Then the number starts again at 0.
        let seconds = u128::from(seconds & u64::from(u32::MAX));
        let random = (u128::from(random_u64()) << 64 | u128::from(random_u64())) >> (u128::BITS - Self::RANDOM_BITS);
        Self(seconds << Self::RANDOM_BITS | random)
    }

    /// Returns the text form without an allocation.
    // Each call to another service writes this id into a header. `fmt::Display` into a `String` costs several times
    // more.
    pub(crate) fn to_ascii(self) -> [u8; Self::TEXT_LENGTH] {
        let mut text = *b"1-........-........................";
        let digits = self.to_w3c();
        text[2..10].copy_from_slice(&digits[..8]);
        text[11..].copy_from_slice(&digits[8..]);
        text
    }

    /// Returns the 32 digits without separators, as W3C Trace Context writes the id of a trace.
    #[expect(clippy::cast_possible_truncation, reason = "each cast takes one half of the 128 bits")]
    pub(crate) fn to_w3c(self) -> [u8; 32] {
        let mut digits = [0; 32];
        let (high, low) = digits.split_at_mut(16);
        high.copy_from_slice(&hex_digits((self.0 >> u64::BITS) as u64));
        low.copy_from_slice(&hex_digits(self.0 as u64));
        digits
    }

    /// Reads 32 lower-case digits that are not all zeros, which is the only form that W3C Trace Context allows.
    pub(crate) fn from_w3c(digits: &str) -> Option<Self> {
        parse_lower_hex::<32>(digits).map(Self).filter(|id| !id.is_zero())
    }

    /// Returns whether all digits are zeros.
    // Other X-Ray SDKs may send `1-00000000-000000000000000000000000` for a trace that they do not record. Their
    // variable `AWS_XRAY_NOOP_ID` switches these ids off.
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    // X-Ray's own pattern is `1-[A-Fa-f0-9]{8}-[A-Fa-f0-9]{24}`, so upper-case digits are accepted.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = ParseIdError { expected: "a trace id such as 1-581cf771-a006649127e371903a2de979" };
        let bytes = text.as_bytes();
        if bytes.len() != Self::TEXT_LENGTH || bytes[..2] != *b"1-" || bytes[10] != b'-' {
            return Err(error);
        }
        let (Some(epoch), Some(random)) = (parse_hex(&bytes[2..10]), parse_hex(&bytes[11..])) else {
            return Err(error);
        };
        Ok(Self(epoch << Self::RANDOM_BITS | random))
    }
}

/// The id of a segment or subsegment: 64 bits as 16 hex digits, unique in its trace.
///
/// Parsing accepts upper-case digits; the text form is always lower case. The `serde` form is the text form. (Developer
/// guide, "X-Ray segment documents", `id`.)
///
/// ```
/// use xray::SegmentId;
///
/// let id: SegmentId = "70de5b6f19ff9a0a".parse()?;
/// assert_eq!(id.to_string(), "70de5b6f19ff9a0a");
/// # Ok::<(), xray::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(u64);

impl SegmentId {
    /// Length of the text form, in bytes.
    pub(crate) const TEXT_LENGTH: usize = 16;
    /// All zeros, for a record that has no id yet.
    pub(crate) const UNSET: Self = Self(0);

    /// Creates a random id that is not all zeros.
    ///
    /// ```
    /// use xray::SegmentId;
    ///
    /// assert_ne!(SegmentId::random(), SegmentId::random());
    /// ```
    #[must_use]
    pub fn random() -> Self {
        // Notices a fork.
        let _ = Process::current();
        Self::next()
    }

    /// Like [`random`](Self::random), but does not look for a fork, because that takes a system call. The beginning of
    /// a segment looks for one. A fork while the segment is open goes unnoticed.
    pub(crate) fn next() -> Self {
        // Zeros are not a valid parent in a `traceparent`, and other SDKs use them for what they do not record.
        Self(random_u64().max(1))
    }

    /// Returns the id as a number.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// Returns the text form without an allocation.
    pub(crate) fn to_ascii(self) -> [u8; Self::TEXT_LENGTH] {
        hex_digits(self.0)
    }

    /// Reads 16 lower-case digits that are not all zeros, which is the only form that W3C Trace Context allows.
    pub(crate) fn from_w3c(digits: &str) -> Option<Self> {
        let value = parse_lower_hex::<{ Self::TEXT_LENGTH }>(digits)?;
        u64::try_from(value).ok().map(Self).filter(|id| !id.is_zero())
    }

    /// Returns whether all digits are zeros.
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for SegmentId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = ParseIdError { expected: "16 hex digits" };
        if text.len() != Self::TEXT_LENGTH {
            return Err(error);
        }
        let value = parse_hex(text.as_bytes()).and_then(|value| u64::try_from(value).ok());
        value.map(Self).ok_or(error)
    }
}

/// The error of parsing a [`TraceId`] or [`SegmentId`] from a text of another form.
///
/// The message names the expected form and leaves out the text, which may come from outside the program.
///
/// ```
/// let error = "70de5b6f".parse::<xray::SegmentId>().unwrap_err();
/// assert_eq!(error.to_string(), "expected 16 hex digits");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    expected: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "expected {}", self.expected)
    }
}

impl std::error::Error for ParseIdError {}

// Both ids have one text form, so the two types share the code that writes and reads it. `Debug` is the text form too:
// a log line with `{:?}` then shows an id that can be pasted into the X-Ray console.
macro_rules! text_form {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                // `pad` and not `write_str`, so that a width such as `{id:>40}` works.
                formatter.pad(ascii_text(&self.to_ascii()))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(ascii_text(&self.to_ascii()))
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // `Cow` and not `&str`: a borrowed string cannot be read from a reader or from escaped JSON.
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

text_form!(TraceId, SegmentId);

/// Returns the 16 lower-case hex digits of a number.
// By hand, because `format!("{value:016x}")` allocates and runs the formatter. This writes ids for each header.
fn hex_digits(value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let (high, low) = digits.split_at_mut(8);
    high.copy_from_slice(&eight_hex_digits(value >> u32::BITS));
    low.copy_from_slice(&eight_hex_digits(value & u64::from(u32::MAX)));
    digits
}

/// Returns the 8 lower-case hex digits of a 32-bit number. Computes all digits at once, one in each byte of a 64-bit
/// number.
fn eight_hex_digits(value: u64) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Input:  0x0000_0000_89ab_cdef
    // Output: 0x0809_0a0b_0c0d_0e0f, a byte for each digit. Each step halves the groups of digits.
    let pairs_of_bytes = (value | (value << 16)) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs_of_bytes | (pairs_of_bytes << 8)) & 0x00ff_00ff_00ff_00ff;
    let digits = (bytes | (bytes << 4)) & (0x0f * EACH);
    // A byte is 1 if its digit is above 9, because adding 6 to such a digit carries into the upper half of the byte.
    let is_letter = ((digits + 6 * EACH) >> 4) & EACH;
    let letter_offset = u64::from(b'a' - b'9' - 1);
    (digits + u64::from(b'0') * EACH + is_letter * letter_offset).to_be_bytes()
}

/// Reads at most 32 hex digits.
// `u128::from_str_radix` also accepts a sign: `+0` would be two digits.
fn parse_hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | u128::from(char::from(*digit).to_digit(16)?)))
}

/// Reads exactly `N` lower-case hex digits, at most 32.
pub(crate) fn parse_lower_hex<const N: usize>(digits: &str) -> Option<u128> {
    let is_lower = digits.len() == N && !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    is_lower.then(|| parse_hex(digits.as_bytes())).flatten()
}

fn ascii_text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

/// Returns a random id of 96 bits in hex digits, under which X-Ray knows a sampler.
pub(crate) fn random_client_id() -> String {
    format!("{:08x}{:016x}", random_u64() >> 32, random_u64())
}

/// Returns a random number of at least 0 and below 1.
pub(crate) fn random_f64() -> f64 {
    // The exponent of 1.0. With 52 random bits as its fraction, the number is at least 1 and below 2.
    const ONE: u64 = 1023 << 52;
    f64::from_bits(ONE | random_u64() >> 12) - 1.0
}

/// Returns a random number from the thread's generator.
fn random_u64() -> u64 {
    // Each thread has a generator, so that threads do not wait for each other. The process for which it was seeded is
    // stored with it, because a fork copies the generator, and parent and child would create the same ids.
    thread_local! {
        static GENERATOR: RefCell<(Process, fastrand::Rng)> = RefCell::new((Process::last_seen(), seeded_generator()));
    }
    let next = |generator: &RefCell<(Process, fastrand::Rng)>| {
        let (process, generator) = &mut *generator.borrow_mut();
        if *process != Process::last_seen() {
            (*process, *generator) = (Process::last_seen(), seeded_generator());
        }
        generator.u64(..)
    };
    // A destructor of another thread-local may begin a segment after this one has been destroyed. `with` would panic
    // there.
    GENERATOR.try_with(next).unwrap_or_else(|_| seeded_generator().u64(..))
}

/// Creates a generator that is seeded by the operating system.
fn seeded_generator() -> fastrand::Rng {
    // fastrand seeds itself from the clock and the thread's id. Two clones of one virtual machine share both, and would
    // create equal ids. `RandomState` takes its keys from the operating system when a thread first uses it, so threads
    // that start after the cloning differ. A child has the keys of its parent, so the id of the process is added.
    fastrand::Rng::with_seed(RandomState::new().hash_one(std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_trace_begins_with_the_time_and_the_rest_is_random() {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let before = now();
        let ids: Vec<_> = (0..64).map(|_| TraceId::random().to_string()).collect();
        let after = now();
        for id in &ids {
            let seconds = u64::from_str_radix(&id[2..10], 16).unwrap();
            assert!((before..=after).contains(&seconds), "{id}");
        }
        for digit in 11..35 {
            assert!(ids.iter().any(|id| id[digit..=digit] != ids[0][digit..=digit]), "digit {digit} of {}", ids[0]);
        }
    }

    #[test]
    fn the_id_of_a_trace_has_one_form() {
        let id = "1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(id.parse::<TraceId>().unwrap().to_string(), id);
        for wrong in [
            "2-5759e988-bd862e3fe1be46a994272793",
            "1.5759e988-bd862e3fe1be46a994272793",
            "1-5759e988.bd862e3fe1be46a994272793",
            "1-5759e988-bd862e3fe1be46a99427279",
            "1-5759e988-bd862e3fe1be46a9942727930",
            "1-5759e98g-bd862e3fe1be46a994272793",
            "1-5759e988-bd862e3fe1be46a99427279g",
        ] {
            let error = wrong.parse::<TraceId>().unwrap_err().to_string();
            assert!(error.starts_with("expected a trace id such as 1-"), "{wrong}: {error}");
        }
    }
}
