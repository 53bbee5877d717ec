//! The errors of calls.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use crate::control::Rejected;
use crate::names::ErrorCode;

/// The error of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError<E> {
    /// The circuit rejected the call.
    Rejected(Rejected),
    /// The call ran and failed with this error.
    Failed(E),
}

impl<E> CallError<E> {
    /// Whether the circuit rejected the call, so that the error says nothing about the provider.
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }
}

impl Rejected {
    /// `CIRCUIT_OPEN`, the same in every language.
    pub const fn code(&self) -> &'static str {
        ErrorCode::CircuitOpen.as_str()
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit is OPEN ({})", self.reason)?;
        match self.retry_after {
            Some(wait) => write!(f, "; retry after {}", seconds(wait)),
            None => f.write_str("; it is held open until it is reset"),
        }
    }
}

impl core::error::Error for Rejected {}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Rejected(_) => None,
            Self::Failed(error) => error.source(),
        }
    }
}

/// Seconds, rounded to one decimal.
pub(super) fn seconds(duration: Duration) -> String {
    let tenths = (u64::from(duration.subsec_millis()) + 50) / 100;
    if !duration.is_zero() && duration.as_secs() == 0 && tenths == 0 {
        return "less than 0.1 s".into();
    }
    format!("{}.{} s", duration.as_secs().saturating_add(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_are_rounded_from_the_millisecond() {
        let shown = |millis| seconds(Duration::from_millis(millis));
        assert_eq!([0, 50, 949, 950, 1_049].map(shown), ["0.0 s", "0.1 s", "0.9 s", "1.0 s", "1.0 s"]);
        assert_eq!([1, 49].map(shown), ["less than 0.1 s"; 2]);
        assert_eq!([8_500, 59_999].map(shown), ["8.5 s", "60.0 s"]);
        assert_eq!(seconds(Duration::MAX), "18446744073709551615.0 s");
    }
}
