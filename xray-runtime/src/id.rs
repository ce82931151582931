//! The two identifiers of X-Ray: of a trace, and of a segment or subsegment in it.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a trace: `1-<8 hex digits>-<24 hex digits>`, 35 characters.
///
/// The first group is the time at which the trace began, in seconds since the Unix epoch; the second is
/// random. An id that comes from a W3C `traceparent` need not hold a time; X-Ray accepts both.
/// (Developer guide, "Sending trace data to X-Ray", "Trace ID format".)
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
    const RANDOM_BITS: u32 = 96;

    /// A new id of a trace that begins now.
    #[must_use]
    pub fn random() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // The format has room for 32 bits, which last until 2106.
        let seconds = u128::from(seconds & u64::from(u32::MAX));
        let random = (u128::from(random_u64()) << 64 | u128::from(random_u64())) >> (u128::BITS - Self::RANDOM_BITS);
        Self(seconds << Self::RANDOM_BITS | random)
    }

    /// The text form, without an allocation.
    pub(crate) fn to_ascii(self) -> [u8; Self::TEXT_LENGTH] {
        let mut text = *b"1-........-........................";
        let digits = self.to_w3c();
        text[2..10].copy_from_slice(&digits[..8]);
        text[11..].copy_from_slice(&digits[8..]);
        text
    }

    /// The digits alone, as W3C writes the id of a trace.
    #[expect(clippy::cast_possible_truncation, reason = "each half by itself")]
    pub(crate) fn to_w3c(self) -> [u8; 32] {
        let mut digits = [0; 32];
        let (high, low) = digits.split_at_mut(16);
        high.copy_from_slice(&hex_digits((self.0 >> u64::BITS) as u64));
        low.copy_from_slice(&hex_digits(self.0 as u64));
        digits
    }

    /// Reads what [`to_w3c`](Self::to_w3c) writes; nothing else, and no zeros.
    pub(crate) fn from_w3c(digits: &str) -> Option<Self> {
        parse_lower_hex::<32>(digits).map(Self).filter(|id| !id.is_zero())
    }

    /// Whether it is the id of no trace.
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    /// Accepts upper-case digits, as X-Ray does.
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

    /// A new id, never all zeros.
    #[must_use]
    pub fn random() -> Self {
        Self(random_u64().max(1))
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// The text form, without an allocation.
    pub(crate) fn to_ascii(self) -> [u8; Self::TEXT_LENGTH] {
        hex_digits(self.0)
    }

    /// Reads digits as W3C writes them: in lower case, and not all zeros.
    pub(crate) fn from_w3c(digits: &str) -> Option<Self> {
        let value = parse_lower_hex::<{ Self::TEXT_LENGTH }>(digits)?;
        u64::try_from(value).ok().map(Self).filter(|id| !id.is_zero())
    }

    /// Whether it is the id of nothing.
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for SegmentId {
    type Err = ParseIdError;

    /// Accepts upper-case digits, as X-Ray does.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = ParseIdError { expected: "16 hex digits" };
        if text.len() != Self::TEXT_LENGTH {
            return Err(error);
        }
        let value = parse_hex(text.as_bytes()).and_then(|value| u64::try_from(value).ok());
        value.map(Self).ok_or(error)
    }
}

/// The text is not an id of the expected form.
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

/// Both ids are written, shown and read as their text form.
macro_rules! text_form {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
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
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

text_form!(TraceId, SegmentId);

/// The lower-case hex digits.
fn hex_digits(mut value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 0xf) as usize];
        value >>= 4;
    }
    digits
}

fn parse_hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | u128::from(char::from(*digit).to_digit(16)?)))
}

/// Exactly `N` digits.
pub(crate) fn parse_lower_hex<const N: usize>(digits: &str) -> Option<u128> {
    let is_lower = digits.len() == N && !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    is_lower.then(|| parse_hex(digits.as_bytes())).flatten()
}

fn ascii_text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

/// From the thread's generator; in a thread's last destructors, where that is gone, from a new one.
fn random_u64() -> u64 {
    thread_local! {
        static GENERATOR: RefCell<fastrand::Rng> = RefCell::new(seeded_generator());
    }
    GENERATOR.try_with(|generator| generator.borrow_mut().u64(..)).unwrap_or_else(|_| seeded_generator().u64(..))
}

/// `RandomState` takes its keys from the system. fastrand's own seed is a clock and a thread id, which two
/// clones of one virtual machine share.
fn seeded_generator() -> fastrand::Rng {
    fastrand::Rng::with_seed(RandomState::new().hash_one(std::process::id()))
}
