//! Classifies a provider's HTTP response: a pure function from status, headers and error code to a [`Verdict`].
//!
//! `docs/classification.md` gives the table and its sources.
//!
//! ```
//! use core::time::Duration;
//! use halfopen::classify::{CooldownHint, Response, Scope, Verdict};
//!
//! let now = Duration::from_secs(1_796_019_931);
//! let overloaded = Response { status: 529, code: None, headers: &[("Retry-After", "20")], now };
//! assert_eq!(overloaded.verdict(), Verdict::Failure { retry_after: Some(Duration::from_secs(20)) });
//!
//! let limited = Response { status: 429, code: None, headers: &[("x-ratelimit-reset-requests", "6m0s")], now };
//! let cooldown = CooldownHint { scope: Scope::KeyAndModel, wait: Some(Duration::from_secs(360)) };
//! assert_eq!(limited.verdict(), Verdict::Ignored { cooldown: Some(cooldown) });
//! ```

mod codes;
mod date;
mod wait;

use core::time::Duration;

pub use codes::{status_of_close_code, status_of_code};
pub use wait::LONGEST_WAIT;

use crate::control::Outcome;
use crate::names::named_enum;

/// How long a key or a model cools down after a refusal that waiting alone does not heal: 401, 402, 403, 404 of a model.
///
/// Long enough not to waste calls, short enough that a renewed key or a paid bill is noticed.
pub const REFUSAL_COOLDOWN: Duration = Duration::from_secs(300);

/// An HTTP response, as far as it says something about the provider.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status; 0 where there is none, as for an error in the middle of a stream.
    pub status: u16,
    /// The provider's own code for the error, from the body: `insufficient_quota`, `overloaded_error`, `UNAVAILABLE`.
    pub code: Option<&'a str>,
    /// Names and values in any order; the case of names does not matter.
    pub headers: &'a [(&'a str, &'a str)],
    /// The time since the Unix epoch, for headers that give a date.
    pub now: Duration,
}

/// The judgement on the provider that a response allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider did what was asked.
    Success,
    /// The provider failed.
    Failure {
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The response says nothing about the provider's health.
    Ignored {
        /// Set where it concerns one key or one model.
        cooldown: Option<CooldownHint>,
    },
}

/// A key or a model that should cool down, while the provider can be called with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CooldownHint {
    /// The part.
    pub scope: Scope,
    /// How long; `None` where the provider did not say and the caller has to choose.
    pub wait: Option<Duration>,
}

named_enum! {
    /// The subject of a verdict.
    Scope {
        /// The provider as a whole.
        Provider = "provider",
        /// The key that the call was made with.
        Key = "key",
        /// The model that was asked for.
        Model = "model",
        /// This model with this key.
        KeyAndModel = "key_and_model",
    }
}

impl Response<'_> {
    /// Judges the provider by the response.
    pub fn verdict(&self) -> Verdict {
        match self.effective_status() {
            401..=403 => self.refusal(Scope::Key),
            404 if self.code.and_then(status_of_code) == Some(404) => self.refusal(Scope::Model),
            // A quota that is used up, not a rate: repeating the call later does not help.
            429 if self.must_not_retry() => self.refusal(Scope::Key),
            429 => Verdict::cooling(Scope::KeyAndModel, wait::of_rate_limit(self)),
            status => match outcome_of_status(status) {
                Outcome::Success => Verdict::Success,
                Outcome::Failure { .. } => Verdict::Failure { retry_after: wait::of_retry_after(self) },
                Outcome::Ignored | Outcome::Cancelled => Verdict::Ignored { cooldown: None },
            },
        }
    }

    /// The status that the code stands for, if it is known and more precise, otherwise the status itself.
    ///
    /// Beside an error status, only a code that concerns a key or a model is more precise. Other codes are too general,
    /// and some providers send one of them with every error.
    fn effective_status(&self) -> u16 {
        let is_error = (400..=599).contains(&self.status);
        let is_precise = |coded: &u16| !is_error || matches!(coded, 401..=404 | 429);
        self.code.and_then(status_of_code).filter(is_precise).unwrap_or(self.status)
    }

    fn refusal(&self, scope: Scope) -> Verdict {
        Verdict::cooling(scope, Some(wait::of_retry_after(self).unwrap_or(REFUSAL_COOLDOWN)))
    }

    /// Whether the provider says that the same call would fail again.
    fn must_not_retry(&self) -> bool {
        let mut values = self.header_values("x-should-retry").flat_map(|values| values.split(','));
        values.any(|value| value.trim().eq_ignore_ascii_case("false"))
    }

    fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// How a call counts by its status alone.
pub(crate) const fn outcome_of_status(status: u16) -> Outcome {
    match status {
        100..=399 => Outcome::Success,
        // The provider took too long to read the request, or something behind it failed.
        408 | 424 => Outcome::FAILURE,
        // For 501, 505 and 510, the request asks for something that the provider does not offer.
        400..=499 | 501 | 505 | 510 => Outcome::Ignored,
        // Also a status that does not exist, which RFC 9110 (section 15) says to take as a 500.
        _ => Outcome::FAILURE,
    }
}

impl Verdict {
    const fn cooling(scope: Scope, wait: Option<Duration>) -> Self {
        Self::Ignored { cooldown: Some(CooldownHint { scope, wait }) }
    }

    /// How the call counts, with the hint of a failure.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Success => Outcome::Success,
            Self::Failure { retry_after } => Outcome::Failure { retry_after },
            Self::Ignored { .. } => Outcome::Ignored,
        }
    }

    /// How long the provider asked to be left alone, if it failed.
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Failure { retry_after } => retry_after,
            Self::Success | Self::Ignored { .. } => None,
        }
    }

    /// The subject of the verdict; `None` if it is only about this one call.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Failure { .. } => Some(Scope::Provider),
            Self::Ignored { cooldown: Some(cooldown) } => Some(cooldown.scope),
            Self::Success | Self::Ignored { cooldown: None } => None,
        }
    }

    /// How long the key or the model should cool down, if the provider said so or a refusal implies it.
    pub const fn cooldown(self) -> Option<Duration> {
        match self {
            Self::Ignored { cooldown: Some(cooldown) } => cooldown.wait,
            Self::Success | Self::Failure { .. } | Self::Ignored { cooldown: None } => None,
        }
    }
}
