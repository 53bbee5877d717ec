//! How many calls a window holds, and which rate they reach.

use alloc::string::String;
use alloc::vec::Vec;
use core::iter::Sum;

use crate::config::Rules;
use crate::control::Cause;

/// The buckets of a window of seconds.
pub(crate) const BUCKETS: u64 = 10;

/// Calls in a window, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowCounts {
    /// Calls that ended in success or failure.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were slow.
    pub slow: u64,
}

impl WindowCounts {
    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.slow += other.slow;
    }

    pub(super) fn take(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failed -= other.failed;
        self.slow -= other.slow;
    }

    /// The same with calls in flight that are overdue.
    pub(crate) fn with_overdue(mut self, calls: u64) -> Self {
        self.add(Self { calls, failed: 0, slow: calls });
        self
    }

    /// The rate that is reached; the failure rate comes first.
    pub(crate) fn verdict(&self, rules: &Rules) -> Option<Cause> {
        if self.calls < rules.minimum_calls {
            return None;
        }
        // The quotient and a rate written as a decimal are both rounded to the nearest double. So 1 of 10 reaches 0.1, and
        // 99 of 200 does not reach 0.5.
        let reaches = |share: u64, rate: Option<f64>| rate.is_some_and(|rate| share as f64 / self.calls as f64 >= rate);
        if reaches(self.failed, rules.failure_rate) {
            Some(Cause::FailureRate)
        } else if reaches(self.slow, rules.slow_call_rate) {
            Some(Cause::SlowCallRate)
        } else {
            None
        }
    }
}

impl Sum for WindowCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum.add(counts);
            sum
        })
    }
}

/// How a call in the window ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub failed: bool,
    pub slow: bool,
}

impl Call {
    /// A letter for each way in which a call can end.
    const LETTERS: [(char, Self); 4] = [
        ('.', Self { failed: false, slow: false }),
        ('f', Self { failed: true, slow: false }),
        ('s', Self { failed: false, slow: true }),
        ('b', Self { failed: true, slow: true }),
    ];

    /// The letters of calls, one for each.
    pub fn letters(calls: &[Self]) -> String {
        let letter = |call: &Self| Self::LETTERS.iter().find(|(_, known)| known == call).map(|(letter, _)| *letter);
        calls.iter().filter_map(letter).collect()
    }

    /// Reads the letters of calls; `None` if one stands for no call.
    pub fn of_letters(letters: &str) -> Option<Vec<Self>> {
        let call = |letter| Self::LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, call)| *call);
        letters.chars().map(call).collect()
    }
}

impl From<Call> for WindowCounts {
    fn from(call: Call) -> Self {
        Self { calls: 1, failed: call.failed.into(), slow: call.slow.into() }
    }
}
