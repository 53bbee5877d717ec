//! Enumerations and errors, converted one to one.

use halfopen::registry::RegistryError;
use halfopen::{InvalidValue, Rejected};

use crate::wit;

/// Enumerations with the same values on both sides. There is no catch-all arm, so a value that only one side has is an
/// error of the compiler.
macro_rules! same_variants {
    ($($from:ty => $to:ty { $($value:ident),+ $(,)? })+) => {
        $(impl From<$from> for $to {
            fn from(variant: $from) -> Self {
                match variant { $(<$from>::$value => Self::$value),+ }
            }
        })+
    };
}

same_variants! {
    halfopen::State => wit::State { Closed, Open, HalfOpen }
    halfopen::control::Mode => wit::Mode { Auto, ForcedOpen, Disabled, Shadow }
    halfopen::control::Reason => wit::Reason { Open, ProbesBusy, ForcedOpen }
    halfopen::control::Cause => wit::Cause {
        ConsecutiveFailures, FailureRate, SlowCallRate, TimeoutElapsed, ProbesSucceeded, ProbeFailed, ProbeSlow, Forced,
        Reset, Disabled,
    }
}

impl From<wit::Outcome> for halfopen::Outcome {
    fn from(outcome: wit::Outcome) -> Self {
        match outcome {
            wit::Outcome::Success => Self::Success,
            wit::Outcome::Failure => Self::FAILURE,
            wit::Outcome::Ignored => Self::Ignored,
            wit::Outcome::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Rejected> for wit::Rejected {
    fn from(rejected: Rejected) -> Self {
        Self {
            code: rejected.code().into(),
            reason: rejected.reason.into(),
            retry_after_seconds: rejected.retry_after.map(|wait| wait.as_secs_f64()),
        }
    }
}

impl From<InvalidValue> for wit::InvalidValue {
    fn from(refused: InvalidValue) -> Self {
        Self {
            code: refused.code().into(),
            field: refused.field().into(),
            value: refused.value().to_string(),
            allowed: refused.allowed().into(),
        }
    }
}

impl From<RegistryError> for wit::RegistryError {
    fn from(refused: RegistryError) -> Self {
        let code = refused.code().into();
        match refused {
            RegistryError::NameConflict { name, field } => {
                Self::NameConflict(wit::NameConflict { code, circuit_name: name, field })
            }
            // It fits, because it was a `u32` when the registry was made.
            RegistryError::Full { bound } => Self::RegistryFull(wit::RegistryFull { code, bound: bound as u32 }),
        }
    }
}
