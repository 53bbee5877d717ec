//! How a call ended: as its host reports it, and as the rules count it.

use core::time::Duration;

use crate::config::Rules;
use crate::names::{Named, by_name};

/// How a call ended, as its host reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The call did what was asked.
    Success,
    /// The call failed, and the provider is to blame. [`Outcome::FAILURE`] is a failure without a hint.
    Failure {
        /// How long the provider asked to be left alone, if it said so. The hint can make an opening longer.
        retry_after: Option<Duration>,
    },
    /// The call failed, and that says nothing about the provider.
    Ignored,
    /// The caller gave the call up before it ended.
    Cancelled,
}

impl Outcome {
    /// A failure without a hint.
    pub const FAILURE: Self = Self::Failure { retry_after: None };

    /// Every outcome, failures without a hint.
    pub const ALL: &'static [Self] = &[Self::Success, Self::FAILURE, Self::Ignored, Self::Cancelled];

    /// The stable name, the same in every language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure { .. } => "failure",
            Self::Ignored => "ignored",
            Self::Cancelled => "cancelled",
        }
    }

    /// One sentence that says what it means, for help texts and generated documentation.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Success => "It did what was asked.",
            Self::Failure { .. } => "It failed, and the provider is to blame.",
            Self::Ignored => "It failed, and says nothing about the provider.",
            Self::Cancelled => "It was given up before it ended.",
        }
    }

    /// Whether the call succeeded.
    #[inline]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success)
    }

    /// Whether the call failed.
    #[inline]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failure { .. })
    }

    /// The same outcome with a hint. Only a failure carries one; any other outcome stays as it is.
    pub const fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        if self.is_failure() { Self::Failure { retry_after } } else { self }
    }

    /// Applies the rules to a call that took `duration`; `None` if the call is not timed.
    pub(crate) fn judged(self, rules: &Rules, duration: Option<Duration>) -> Judged {
        let lasted = |limit: Option<Duration>| limit.zip(duration).is_some_and(|(limit, duration)| duration >= limit);
        let cancelled_late = matches!(self, Self::Cancelled) && lasted(rules.cancel_failure_after);
        let outcome = if cancelled_late { Self::FAILURE } else { self };
        let slow = matches!(outcome, Self::Success | Self::Failure { .. }) && lasted(rules.slow_call);
        Judged { outcome, slow }
    }
}

impl Named for Outcome {
    const VALUES: &'static [Self] = Self::ALL;
    const NAMES: &'static [&'static str] = &["success", "failure", "ignored", "cancelled"];
}

// The name `failure` is read as a failure without a hint.
by_name!(Outcome);

/// How a call ended under the rules: the outcome that counts, and whether it was slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub outcome: Outcome,
    pub slow: bool,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_outcome_is_shown_by_its_name_and_explained_by_a_sentence() {
        assert_eq!(Outcome::FAILURE.to_string(), "failure");
        for outcome in Outcome::ALL {
            let text = outcome.description();
            assert!(text.starts_with("It ") && text.ends_with('.'), "{outcome}: {text:?}");
        }
    }
}
