//! A bound on the further attempts of all calls together.

use crate::control::Outcome;
use crate::names::named_enum;

/// The tokens of a full budget.
const FULL: i32 = 100;
/// The price of a further attempt.
const ATTEMPT: i32 = 10;
/// The price of a further attempt after a timeout, which has already made the provider work for nothing.
const AFTER_TIMEOUT: i32 = 20;
/// The tokens that the success of a first attempt gives back.
const EARNED: i32 = 1;

named_enum! {
    /// Why a call moves from a provider to another one.
    MoveAfter {
        /// The provider refused the call without working on it.
        Refusal = "refusal",
        /// The attempt failed.
        Failure = "failure",
        /// The attempt was cut off because it took too long.
        Timeout = "timeout",
    }
}

/// Tokens that further attempts cost, so that retries cannot multiply an outage.
///
/// A move to another provider is allowed while there are enough tokens, and costs them only if it fails: a backup that
/// works takes any number of calls at once. What fails beyond the tokens becomes a debt, which successes of first attempts
/// pay back. An attempt that its call could do without (a hedge, another try at the same provider) holds its price until its
/// end, so the number of them in flight is bounded too.
///
/// In any history, the further attempts that failed cost at most 100 tokens, one for each success of a first attempt, and
/// the prices of the moves that were in flight at once.
///
/// ```
/// use halfopen::Outcome;
/// use halfopen::pool::{AttemptBudget, MoveAfter};
///
/// let budget = AttemptBudget::default();
/// let price = budget.price_of_move(MoveAfter::Failure).unwrap();
/// assert_eq!(budget.settle(price, Outcome::Success).tokens(), 100);
/// assert_eq!(budget.settle(price, Outcome::FAILURE).tokens(), 90);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptBudget {
    tokens: i32,
    /// The prices of the spare attempts in flight.
    held: i32,
}

/// The price of a further attempt, for [`AttemptBudget::settle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    tokens: i32,
    is_held: bool,
}

impl Price {
    /// The price of a further attempt that costs nothing.
    pub const FREE: Self = Self { tokens: 0, is_held: false };

    /// Whether the attempt costs nothing.
    pub const fn is_free(&self) -> bool {
        self.tokens == 0
    }

    /// Whether the call could do without the attempt.
    pub const fn is_spare(&self) -> bool {
        self.is_held
    }
}

impl AttemptBudget {
    /// The price of a move to another provider; `None` if there are too few tokens, and then the call ends.
    pub const fn price_of_move(&self, after: MoveAfter) -> Option<Price> {
        let tokens = match after {
            MoveAfter::Refusal => return Some(Price::FREE),
            MoveAfter::Failure => ATTEMPT,
            MoveAfter::Timeout => AFTER_TIMEOUT,
        };
        if self.tokens >= tokens { Some(Price { tokens, is_held: false }) } else { None }
    }

    /// Holds the price of an attempt that the call could do without; `None` if there are too few tokens beside those that
    /// are held.
    pub const fn hold(self) -> Option<(Self, Price)> {
        if self.tokens.saturating_sub(self.held) < ATTEMPT {
            return None;
        }
        Some((Self { held: self.held + ATTEMPT, ..self }, Price { tokens: ATTEMPT, is_held: true }))
    }

    /// A further attempt ended. A move costs its price if it failed, a spare attempt unless it succeeded.
    #[must_use]
    pub const fn settle(self, price: Price, outcome: Outcome) -> Self {
        let is_due = match outcome {
            Outcome::Success => false,
            Outcome::Failure { .. } => true,
            Outcome::Ignored | Outcome::Cancelled => price.is_held,
        };
        let released = self.release(price);
        if is_due { Self { tokens: released.tokens.saturating_sub(price.tokens), ..released } } else { released }
    }

    /// A further attempt did not take place after all.
    #[must_use]
    pub const fn release(self, price: Price) -> Self {
        if !price.is_held {
            return self;
        }
        // After a fork, attempts of the parent end that the budget of the child does not know.
        let held = self.held - price.tokens;
        Self { held: if held > 0 { held } else { 0 }, ..self }
    }

    /// The first attempt of a call succeeded.
    #[must_use]
    pub const fn earn(self) -> Self {
        let tokens = self.tokens + EARNED;
        Self { tokens: if tokens < FULL { tokens } else { FULL }, ..self }
    }

    /// The tokens left, at most 100; a debt is negative.
    pub const fn tokens(&self) -> i32 {
        self.tokens
    }

    /// The tokens among them that spare attempts in flight hold.
    pub const fn held(&self) -> i32 {
        self.held
    }
}

impl Default for AttemptBudget {
    fn default() -> Self {
        Self { tokens: FULL, held: 0 }
    }
}
