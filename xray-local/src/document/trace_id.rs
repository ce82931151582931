//! Trace ids.

use std::fmt;

/// The id of a trace: a version, 32 bits of time and 96 random bits. An id made from a W3C trace id has random bits
/// instead of the time.
///
/// ```
/// use xray_local::document::TraceId;
///
/// let id = TraceId::parse("1-581CF771-A006649127E371903A2DE979").unwrap();
/// assert_eq!(id.to_string(), "1-581cf771-a006649127e371903a2de979");
/// assert_eq!(id.epoch(), 0x581c_f771);
/// assert_eq!(TraceId::parse("581cf771a006649127e371903a2de979"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(u128);

impl TraceId {
    /// Parses an id of the form `1-`, 8 hexadecimal digits, `-`, 24 hexadecimal digits. Digits may be in upper case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, random) = text.strip_prefix("1-")?.split_once('-')?;
        let has_form = epoch.len() == 8 && random.len() == 24;
        let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !(has_form && is_hex(epoch) && is_hex(random)) {
            return None;
        }
        let (epoch, random) = (u128::from_str_radix(epoch, 16).ok()?, u128::from_str_radix(random, 16).ok()?);
        Some(Self(epoch << 96 | random))
    }

    /// Parses a W3C trace id: 32 hexadecimal digits.
    ///
    /// ```
    /// use xray_local::document::TraceId;
    ///
    /// let id = TraceId::parse_w3c("581cf771a006649127e371903a2de979").unwrap();
    /// assert_eq!(id.to_string(), "1-581cf771-a006649127e371903a2de979");
    /// ```
    #[must_use]
    pub fn parse_w3c(text: &str) -> Option<Self> {
        let has_form = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if has_form { u128::from_str_radix(text, 16).ok().map(Self) } else { None }
    }

    /// Finds the id in what people copy from logs and headers: an X-Ray id, a W3C trace id (32 hexadecimal digits), a
    /// `traceparent`, or an `X-Amzn-Trace-Id`.
    ///
    /// ```
    /// use xray_local::document::TraceId;
    ///
    /// let id = TraceId::parse("1-581cf771-a006649127e371903a2de979");
    /// for text in [
    ///     "1-581cf771-a006649127e371903a2de979",
    ///     "581cf771a006649127e371903a2de979",
    ///     "00-581cf771a006649127e371903a2de979-70de5b6f19ff9a0a-01",
    ///     "Root=1-581cf771-a006649127e371903a2de979;Parent=70de5b6f19ff9a0a;Sampled=1",
    /// ] {
    ///     assert_eq!(TraceId::find(text), id, "{text}");
    /// }
    /// assert_eq!(TraceId::find("/items/2"), None);
    /// ```
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.split(';').find_map(|part| part.trim().strip_prefix("Root=")).unwrap_or(text);
        let digits = match text.split('-').collect::<Vec<_>>()[..] {
            // The parts of a `traceparent` are the version, the trace id, the parent's id and flags. (W3C Trace
            // Context.)
            [version, digits, parent, _] if version.len() == 2 && parent.len() == 16 => digits,
            _ => text,
        };
        Self::parse_w3c(digits).or_else(|| Self::parse(text))
    }

    /// Returns the time in the id, in seconds since 1970. For an id made from a W3C trace id, the number is random.
    #[must_use]
    pub fn epoch(self) -> u32 {
        (self.0 >> 96) as u32
    }
}

/// Converts a W3C trace id, given as a number. Its 32 hexadecimal digits become the digits of the X-Ray trace id.
///
/// ```
/// use xray_local::document::TraceId;
///
/// let id = TraceId::from(0x581c_f771_a006_6491_27e3_7190_3a2d_e979_u128);
/// assert_eq!(id.to_string(), "1-581cf771-a006649127e371903a2de979");
/// ```
impl From<u128> for TraceId {
    fn from(number: u128) -> Self {
        Self(number)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1-{:08x}-{:024x}", self.0 >> 96, self.0 & (u128::MAX >> 32))
    }
}
