//! Points in time with the precision of X-Ray's documents.

use std::num::NonZeroU64;

/// A point in time: microseconds since the Unix epoch.
// Never zero, so that `Option<Time>` has the size of `Time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(NonZeroU64);

const MICROS_PER_SECOND: u64 = 1_000_000;

impl Time {
    pub(crate) fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::new(micros).unwrap_or(NonZeroU64::MIN))
    }

    /// Converts seconds since the Unix epoch, the unit of documents.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
    pub(crate) fn from_seconds(seconds: f64) -> Self {
        Self::from_micros((seconds * 1e6).round() as u64)
    }

    /// Returns the seconds since the Unix epoch.
    #[expect(clippy::cast_precision_loss, reason = "a double holds microseconds until the year 2255")]
    pub(crate) fn seconds(self) -> f64 {
        self.0.get() as f64 / 1e6
    }

    /// Returns the whole seconds since the Unix epoch, and the remaining microseconds.
    pub(super) fn parts(self) -> (u64, u32) {
        (self.0.get() / MICROS_PER_SECOND, (self.0.get() % MICROS_PER_SECOND) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_exact_to_a_microsecond() {
        let time = Time::from_micros(1_480_615_200_010_001);
        assert_eq!(time.parts(), (1_480_615_200, 10_001));
        assert!((time.seconds() - 1_480_615_200.010_001).abs() < 1e-6, "{}", time.seconds());
        assert_eq!(Time::from_seconds(time.seconds()), time);
        assert_eq!(Time::from_seconds(1.000_001_4), Time::from_micros(1_000_001));
        assert_eq!(Time::from_seconds(-1.0), Time::from_micros(1), "no time is zero");
    }
}
