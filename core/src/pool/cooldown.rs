//! A time in which calls stay away, beside the breaker.

use core::time::Duration;

use crate::classify::{LONGEST_WAIT, REFUSAL_COOLDOWN};
use crate::clock::Tick;
use crate::control::Jitter;

/// The first wait without a hint; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait without a hint.
const LONGEST: Duration = Duration::from_secs(60);
/// The wait without a hint is spread over ± this share of itself.
const SPREAD: f64 = 0.1;

/// The cooldown of one scope: a provider, a model, a key.
///
/// A 429 says that the caller is too fast and nothing about the provider's health. So the breaker ignores it, and its scope
/// cools down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cooldown {
    until: Tick,
    /// The waits without a hint since the last success.
    streak: u8,
}

impl Cooldown {
    /// The scope asked for a pause: for `hint`, or without one for 1 s, then 2 s, 4 s and so on, at most 60 s, ±10 %.
    ///
    /// The later of two ends counts, so a short hint never ends a longer cooldown. A hint beyond a day is a day.
    #[must_use]
    pub fn limited(self, now: Tick, hint: Option<Duration>, jitter: Jitter) -> Self {
        let wait = match hint {
            Some(hint) => hint.min(LONGEST_WAIT),
            None => {
                let grown = FIRST.saturating_mul(1 << self.streak.min(6)).min(LONGEST);
                grown.mul_f64(1.0 + SPREAD * jitter.of(u64::from(self.streak)))
            }
        };
        let streak = if hint.is_none() { self.streak.saturating_add(1) } else { self.streak };
        Self { until: self.until.max(now.after(wait)), streak }
    }

    /// The provider refused the key (401, 402, 403): it stays away for five minutes.
    #[must_use]
    pub fn refused(self, now: Tick) -> Self {
        Self { until: self.until.max(now.after(REFUSAL_COOLDOWN)), ..self }
    }

    /// A call succeeded: the next wait without a hint starts at 1 s again. A running cooldown goes on, because the call may
    /// have begun before it.
    #[must_use]
    pub const fn succeeded(self) -> Self {
        Self { streak: 0, ..self }
    }

    /// When it ends; `None` if it has ended.
    pub fn until(&self, now: Tick) -> Option<Tick> {
        (self.until > now).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JITTER: Jitter = Jitter { seed: 7 };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_later_end_counts() {
        let long = Cooldown::default().limited(Tick::ZERO, Some(seconds(60)), JITTER);
        let both = long.limited(Tick::ZERO.after(seconds(1)), Some(seconds(2)), JITTER);
        assert_eq!(both.until(Tick::ZERO), Some(Tick::ZERO.after(seconds(60))));
        assert_eq!(both.until(Tick::ZERO.after(seconds(60))), None);
    }

    #[test]
    fn without_a_hint_each_wait_is_twice_as_long_up_to_a_minute() {
        let mut cooldown = Cooldown::default();
        let mut now = Tick::ZERO;
        for expected in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0] {
            cooldown = cooldown.limited(now, None, JITTER);
            let until = cooldown.until(now).unwrap();
            let wait = until.since(now).as_secs_f64();
            assert!((wait / expected - 1.0).abs() <= 0.1, "{wait} for {expected}");
            now = until;
        }
        let again = cooldown.succeeded().limited(now, None, JITTER).until(now).unwrap();
        assert!(again.since(now) < seconds(2), "a success starts anew");
    }

    #[test]
    fn a_hint_is_obeyed_and_nonsense_is_a_day() {
        let hinted = |hint| Cooldown::default().limited(Tick::ZERO, Some(hint), JITTER).until(Tick::ZERO);
        assert_eq!(hinted(seconds(90)), Some(Tick::ZERO.after(seconds(90))));
        assert_eq!(hinted(Duration::ZERO), None);
        assert_eq!(hinted(Duration::MAX), Some(Tick::ZERO.after(seconds(86_400))));
        assert_eq!(Cooldown::default().refused(Tick::ZERO).until(Tick::ZERO), Some(Tick::ZERO.after(seconds(300))));
    }
}
