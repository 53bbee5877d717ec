//! A bound on the further attempts of all calls together.

/// The tokens of a full budget.
const FULL: u16 = 100;
/// The price of a further attempt.
const ATTEMPT: u16 = 10;
/// The price of a further attempt after a timeout, which has already made the provider work for nothing.
const AFTER_TIMEOUT: u16 = 20;
/// The tokens that the success of a first attempt gives back.
const EARNED: u16 = 1;

/// Tokens that further attempts cost, so that retries cannot multiply an outage.
///
/// First attempts cost nothing, and neither does going on from a provider that did not admit the call. In any history, the
/// further attempts that failed cost at most 100 tokens and one for each success of a first attempt.
///
/// ```
/// use halfopen::pool::AttemptBudget;
///
/// let budget = AttemptBudget::default();
/// let (budget, price) = budget.pay(false).unwrap();
/// assert_eq!((budget.tokens(), budget.refund(price).tokens()), (90, 100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptBudget {
    tokens: u16,
}

/// The price of an attempt, for [`AttemptBudget::refund`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(u16);

impl AttemptBudget {
    /// Pays for a further attempt of a call; `None` if there are too few tokens, and then the call ends.
    pub const fn pay(self, after_timeout: bool) -> Option<(Self, Price)> {
        let price = if after_timeout { AFTER_TIMEOUT } else { ATTEMPT };
        if self.tokens >= price { Some((Self { tokens: self.tokens - price }, Price(price))) } else { None }
    }

    /// The first attempt of a call succeeded.
    #[must_use]
    pub const fn earn(self) -> Self {
        self.with(EARNED)
    }

    /// A further attempt succeeded: it was worth its price.
    #[must_use]
    pub const fn refund(self, price: Price) -> Self {
        self.with(price.0)
    }

    const fn with(self, more: u16) -> Self {
        let tokens = self.tokens + more;
        Self { tokens: if tokens < FULL { tokens } else { FULL } }
    }

    /// The tokens left, at most 100.
    pub const fn tokens(&self) -> u16 {
        self.tokens
    }
}

impl Default for AttemptBudget {
    fn default() -> Self {
        Self { tokens: FULL }
    }
}
