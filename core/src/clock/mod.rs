//! Time in the core: ticks from the host's clock.
//!
//! The state machine never reads a clock. A [`CircuitBreaker`](crate::CircuitBreaker) owns a [`Clock`] and reads it before it
//! takes a lock, because a host's clock may run host code.

mod counter;
mod manual;
#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
mod system;

use core::time::Duration;

pub use counter::CounterClock;
pub use manual::ManualClock;
#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
pub use system::SystemClock;

/// The clock of a [`CircuitBreaker`](crate::CircuitBreaker) without a type argument: [`SystemClock`].
#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
pub type DefaultClock = SystemClock;
/// The clock of a [`CircuitBreaker`](crate::CircuitBreaker) without a type argument: a function, because this platform has
/// no clock.
#[cfg(not(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown")))))]
pub type DefaultClock = fn() -> Tick;

/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

/// A moment: unsigned nanoseconds from an arbitrary origin.
///
/// `std::time::Instant` does not serve here: its `now()` panics in a browser, and it has no zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// The moment `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment `seconds` after the origin, to the nearest nanosecond. From 48 days on a double cannot represent single
    /// nanoseconds; the moment is then exact to the microsecond, so that whole milliseconds are exact at today's date too.
    ///
    /// `None` for a number that is not a moment: NaN, an infinity, a negative number, or more than 584 years.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        const NANOSECONDS_BLUR: f64 = (1 << 22) as f64;
        let nanos = if seconds >= NANOSECONDS_BLUR {
            // More than 584 years overflow the multiplication.
            nearest(seconds * 1e6).checked_mul(1_000)
        } else {
            nanos_from_seconds(seconds)
        };
        nanos.map(Self)
    }

    /// The moment `millis` milliseconds after the origin, to the nearest nanosecond; whole milliseconds are exact.
    ///
    /// `None` for a number that is not a moment: NaN, a negative number, or more than
    /// [`LATEST_MILLIS`](Self::LATEST_MILLIS).
    #[inline]
    pub fn from_millis(millis: f64) -> Option<Self> {
        if !(0.0..=Self::LATEST_MILLIS).contains(&millis) {
            return None;
        }
        // The whole part is multiplied as an integer, because a double of today's date is off by hundreds of nanoseconds. The
        // number is known to fit, so this needs no checked arithmetic, which is slow in WebAssembly. A signed integer converts
        // faster from a double.
        let whole = millis as i64;
        let rest = ((millis - whole as f64) * 1e6 + 0.5) as i64;
        Some(Self(whole as u64 * 1_000_000 + rest as u64))
    }

    /// The most milliseconds that [`from_millis`](Self::from_millis) takes: nanoseconds are counted in 64 bits.
    pub const LATEST_MILLIS: f64 = (u64::MAX / 1_000_000) as f64;

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the origin.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// The same in nanoseconds.
    pub(crate) const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment plus a wait; the last representable moment if the sum does not fit.
    pub const fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(saturating_nanos(wait)))
    }
}

/// A source of the time for a breaker. Every `Fn() -> Tick` is a clock.
///
/// Clocks should not run backwards. If one does, the breaker acts as if no time had passed.
///
/// ```
/// use halfopen::clock::Tick;
/// use halfopen::{CircuitBreaker, Config};
///
/// let frozen = || Tick::from_nanos(42);
/// let breaker = CircuitBreaker::with_clock(Config::default(), frozen);
/// assert_eq!(breaker.status().now.as_nanos(), 42);
/// ```
pub trait Clock {
    /// The present moment.
    fn now(&self) -> Tick;
}

impl<F: Fn() -> Tick> Clock for F {
    fn now(&self) -> Tick {
        self()
    }
}

/// `seconds` in whole nanoseconds, rounded to the nearest; `None` if the result does not fit a `u64`.
pub(crate) fn nanos_from_seconds(seconds: f64) -> Option<u64> {
    // `u64::MAX as f64` rounds up to 2^64, which is the first value that does not fit.
    let nanos = seconds * NANOS;
    (nanos >= 0.0 && nanos < u64::MAX as f64).then(|| nearest(nanos))
}

/// The nearest whole number, saturating.
pub(crate) const fn nearest(number: f64) -> u64 {
    // From 2^52 on, adding a half first would round the sum.
    let whole = number as u64;
    whole.saturating_add((number - whole as f64 >= 0.5) as u64)
}

/// 64-bit arithmetic, because the 128 bits of [`Duration::as_nanos`] slow down each reading of the system clock.
pub(crate) const fn saturating_nanos(wait: Duration) -> u64 {
    wait.as_secs().saturating_mul(1_000_000_000).saturating_add(wait.subsec_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_number_is_the_nearest_one_however_large() {
        for (number, expected) in [(0.0, 0), (0.49, 0), (0.5, 1), (1.5, 2), (2.4, 2), (-7.0, 0), (f64::NAN, 0)] {
            assert_eq!(nearest(number), expected, "{number}");
        }
        // Half of an odd number above 2^52 is not a double: the sum would be the next even one.
        let odd = (1u64 << 52) + 1;
        assert_eq!(nearest(odd as f64), odd);
        assert_eq!([nearest(1e300), nearest(f64::INFINITY)], [u64::MAX; 2]);
    }

    #[test]
    fn whole_milliseconds_in_seconds_are_exact_at_todays_date() {
        let nanos = |seconds| Tick::from_seconds(seconds).map(Tick::as_nanos);
        assert_eq!(nanos(0.0), Some(0));
        assert_eq!(nanos(1.000_000_001), Some(1_000_000_001));
        assert_eq!(nanos(4_194_303.999_999_999), Some(4_194_303_999_999_999));
        assert_eq!(nanos(4_194_304.0), Some(4_194_304_000_000_000));
        for millis in [1_795_428_000_123u64, 1_795_428_000_124, 1_795_431_600_999] {
            assert_eq!(nanos(millis as f64 / 1e3), Some(millis * 1_000_000));
        }
        for refused in [-1e-9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 18_446_744_074.0, 1e300] {
            assert_eq!(nanos(refused), None, "{refused}");
        }
    }

    #[test]
    fn seconds_are_told_as_they_were_given() {
        assert_eq!(Tick::from_nanos(2_500_000_000).as_seconds(), 2.5);
        let frozen = || Tick::from_nanos(42);
        assert_eq!(frozen.now(), Tick::from_nanos(42), "any function is a clock");
    }

    #[test]
    fn nanoseconds_beyond_64_bits_are_none() {
        assert_eq!(nanos_from_seconds(18_446_744_073.709_55), Some(18_446_744_073_709_549_568));
        let two_to_the_64th = 18_446_744_073.709_552;
        assert_eq!(two_to_the_64th * 1e9, (1u128 << 64) as f64);
        assert_eq!(nanos_from_seconds(two_to_the_64th), None);
    }

    #[test]
    fn whole_milliseconds_are_exact_at_any_date() {
        let nanos = |millis| Tick::from_millis(millis).map(Tick::as_nanos);
        assert_eq!(nanos(0.0), Some(0));
        assert_eq!(nanos(1_795_428_000_123.0), Some(1_795_428_000_123_000_000));
        assert_eq!(nanos(Tick::LATEST_MILLIS), Some(18_446_744_073_709_000_000));
        assert_eq!(nanos(0.000_001_4), Some(1));
        assert_eq!(nanos(1.25), Some(1_250_000));
        for refused in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, Tick::LATEST_MILLIS + 0.01, 1e300] {
            assert_eq!(nanos(refused), None, "{refused}");
        }
    }
}
