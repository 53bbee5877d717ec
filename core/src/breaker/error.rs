//! What a call through a circuit can end with instead of a result.

use core::fmt;

use crate::control::Rejected;
use crate::text::seconds;

/// A call that did not bring a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError<E> {
    /// The circuit did not let it run.
    Rejected(Rejected),
    /// It ran and failed with the callee's own error.
    Failed(E),
}

impl<E> CallError<E> {
    /// Whether the circuit did not let the call run, so that the error says nothing about the provider.
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }
}

impl Rejected {
    /// `CIRCUIT_OPEN`, the same in every language.
    pub const fn code(&self) -> &'static str {
        "CIRCUIT_OPEN"
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
