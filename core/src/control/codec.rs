//! The control value as 64-bit words, for storage without types: a memory-mapped page, a key-value store.
//!
//! Both directions are total: every value encodes, and any words decode to a possible value or to an error. So a page that
//! another process has damaged is refused, and cannot break the state machine.
//!
//! | word | bits | holds |
//! | --- | --- | --- |
//! | 0 | | the generation, below 2⁵⁶ |
//! | 1 | 0–7, 8–15 | the mode, the phase |
//! | | 16–23, 24–31 | half-open: probe slots taken, successes in a row |
//! | 2 | 0–31, 32–63 | failures in a row, openings in a row |
//! | 3 | | closed: when the openings in a row are forgotten; open: when the wait ends; half-open: the last sign of life |
//! | 4 | | open: the wait as it was chosen; half-open: how often the slots were taken back, plus one |
//! | 5 | | the last wait |
//! | 6 | | the seed of the jitter |
//!
//! Moments and waits are nanoseconds. Bits that a phase does not use are zero.

use super::backoff::{OpenStreak, Wait};
use super::{Control, FIRST_SLOT_EPOCH, Jitter, Mode, Phase, Probing};
use crate::clock::Tick;

/// The number of words of a control value.
pub const WORDS: usize = 7;

/// The words are not a control value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidWords;

impl core::fmt::Display for InvalidWords {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("these words are not a control value")
    }
}

impl core::error::Error for InvalidWords {}

/// The largest valid generation and slot epoch. Counting on from it, one each nanosecond, takes two years to overflow.
const MOST_COUNTED: u64 = (1 << 56) - 1;

const CLOSED: u8 = 0;
const OPEN: u8 = 1;
const OPEN_WITHOUT_END: u8 = 2;
const HALF_OPEN: u8 = 3;

impl Control {
    /// Encodes the value.
    pub fn to_words(self) -> [u64; WORDS] {
        let (phase, slots, successes, failures, moment, length) = match self.phase {
            Phase::Closed { failures, resets_at } => (CLOSED, 0, 0, failures, resets_at.as_nanos(), 0),
            Phase::Open { failures, wait: None } => (OPEN_WITHOUT_END, 0, 0, failures, 0, 0),
            Phase::Open { failures, wait: Some(wait) } => {
                let (until, chosen) = wait.nanos();
                (OPEN, 0, 0, failures, until, chosen)
            }
            Phase::HalfOpen(Probing { successes, slots, slot_epoch, active }) => {
                (HALF_OPEN, slots, successes, 0, active.as_nanos(), slot_epoch)
            }
        };
        [
            self.generation,
            u32::from_le_bytes([self.mode as u8, phase, slots, successes]).into(),
            u64::from(failures) | u64::from(self.openings.count) << 32,
            moment,
            length,
            self.openings.last_wait,
            self.jitter.seed,
        ]
    }

    /// Decodes a value.
    ///
    /// # Errors
    /// [`InvalidWords`] for words that [`to_words`](Self::to_words) never writes.
    pub fn from_words(words: [u64; WORDS]) -> Result<Self, InvalidWords> {
        let [generation, tags, counts, moment, length, last_wait, seed] = words;
        let [mode, phase, slots, successes, ..] = tags.to_le_bytes();
        let (failures, openings) = (counts as u32, (counts >> 32) as u32);
        let moment = Tick::from_nanos(moment);
        let phase = match phase {
            CLOSED => Phase::Closed { failures, resets_at: moment },
            OPEN => Phase::Open { failures, wait: Some(Wait::from_nanos(moment.as_nanos(), length)) },
            OPEN_WITHOUT_END => Phase::Open { failures, wait: None },
            HALF_OPEN => Phase::HalfOpen(Probing { successes, slots, slot_epoch: length, active: moment }),
            _ => return Err(InvalidWords),
        };
        let control = Self {
            generation,
            mode: *Mode::ALL.get(usize::from(mode)).ok_or(InvalidWords)?,
            phase,
            openings: OpenStreak { count: openings, last_wait },
            jitter: Jitter { seed },
        };
        // Unused bits are written as zero, so words with other bits do not survive the round trip.
        if control.is_possible() && control.to_words() == words { Ok(control) } else { Err(InvalidWords) }
    }

    /// Whether the state machine can produce this combination of parts.
    fn is_possible(&self) -> bool {
        let mode_fits = match self.phase {
            Phase::Closed { .. } => self.mode != Mode::ForcedOpen,
            Phase::Open { wait: None, .. } => self.mode == Mode::ForcedOpen,
            Phase::Open { wait: Some(_), .. } => self.mode != Mode::Disabled,
            Phase::HalfOpen(_) => matches!(self.mode, Mode::Auto | Mode::Shadow),
        };
        let epoch_fits = match self.phase {
            Phase::HalfOpen(probing) => (FIRST_SLOT_EPOCH..=MOST_COUNTED).contains(&probing.slot_epoch),
            Phase::Closed { .. } | Phase::Open { .. } => true,
        };
        let openings_fit = (self.openings.count == 0) == (self.openings.last_wait == 0);
        mode_fits && epoch_fits && openings_fit && self.generation <= MOST_COUNTED
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Rules};
    use crate::control::{Admission, Outcome};

    /// Words of which most are near to what is valid.
    fn words() -> impl Strategy<Value = [u64; WORDS]> {
        let number = || prop_oneof![0..3u64, any::<u64>(), Just(u64::MAX), Just(MOST_COUNTED), Just(MOST_COUNTED + 1)];
        let tags = (0..5u8, 0..5u8, any::<u8>(), any::<u8>()).prop_map(|(mode, phase, slots, successes)| {
            u64::from(u32::from_le_bytes([mode, phase, slots * (phase / 3), successes * (phase / 3)]))
        });
        (number(), prop_oneof![tags, any::<u64>()], number(), number(), number(), number(), number()).prop_map(
            |(generation, tags, counts, moment, length, wait, seed)| {
                [generation, tags, counts, moment, length, wait, seed]
            },
        )
    }

    fn live(control: Control, rules: &Rules, now: Tick) {
        let (next, admission) = control.acquire(rules, now);
        if let Admission::Admitted { stamp, .. } = admission {
            for outcome in Outcome::ALL {
                let call = outcome.judged(rules, Some(Duration::MAX));
                let (settled, _) = next.settle(rules, stamp, call, None, now);
                let _ = (settled.state_at(now), settled.retry_after_at(now));
            }
        }
        let _ = (control.reset(rules, now), control.disable(now), control.force_open(Some(Duration::MAX), now));
        let _ = control.restored(&control.saved(rules, now), now);
    }

    proptest! {
        #[test]
        fn any_words_are_a_value_that_lives_or_an_error(words in words(), now in any::<u64>()) {
            if let Ok(control) = Control::from_words(words) {
                prop_assert_eq!(control.to_words(), words);
                let slow = Config::builder().slow_call(Duration::from_secs(1)).slow_call_rate_threshold(0.5).build().unwrap();
                live(control, slow.rules(), Tick::from_nanos(now));
                live(control, Config::default().rules(), Tick::ZERO);
            }
        }
    }

    /// A value in each phase, and the words that must decode to it.
    fn written() -> Vec<(Control, [u64; WORDS])> {
        let rules = *Config::default().rules();
        let control = |mode, phase| Control { mode, phase, ..Control::new(&rules, Jitter { seed: 9 }) };
        let openings = OpenStreak { count: 2, last_wait: 5 };
        let probing = Probing { successes: 1, slots: 2, slot_epoch: 3, active: Tick::from_nanos(4) };
        let wait = Some(Wait::from_nanos(8, 5));
        let failures = 7;
        [
            (control(Mode::Auto, Phase::Closed { failures, resets_at: Tick::from_nanos(6) }), [0, 0, 7, 6, 0, 0, 9]),
            (control(Mode::Shadow, Phase::Open { failures, wait }), [0, 0x103, 7, 8, 5, 0, 9]),
            (control(Mode::ForcedOpen, Phase::Open { failures, wait: None }), [0, 0x201, 7, 0, 0, 0, 9]),
            (
                Control { openings, generation: 1, ..control(Mode::Auto, Phase::HalfOpen(probing)) },
                [1, 0x0102_0300, 2 << 32, 4, 3, 5, 9],
            ),
        ]
        .into()
    }

    #[test]
    fn the_words_of_a_value_are_these() {
        for (control, words) in written() {
            assert_eq!((control.to_words(), Control::from_words(words)), (words, Ok(control)));
        }
    }

    #[test]
    fn words_that_the_machine_never_writes_are_refused() {
        let written = written();
        let [closed, open, endless, half_open] = [0, 1, 2, 3].map(|of: usize| written[of].1);
        let with = |words: [u64; WORDS], at: usize, mirror: u64| {
            let mut changed = words;
            changed[at] = mirror;
            changed
        };
        for (what, words) in [
            ("an unknown mode", with(closed, 1, 4)),
            ("an unknown phase", with(closed, 1, 0x400)),
            ("an unused bit", with(closed, 1, 1 << 32)),
            ("slots of a closed circuit", with(closed, 1, 0x1_0000)),
            ("a length of a closed circuit", with(closed, 4, 1)),
            ("a closed circuit that is forced open", with(closed, 1, 1)),
            ("an open circuit that is disabled", with(open, 1, 0x102)),
            ("a wait without end that no operator has set", with(endless, 1, 0x200)),
            ("an end of a wait without end", with(endless, 3, 1)),
            ("probes of a circuit that is forced open", with(half_open, 1, 0x0102_0301)),
            ("failures of a half-open circuit", with(half_open, 2, 2 << 32 | 1)),
            ("no round", with(half_open, 4, 0)),
            ("too many rounds", with(half_open, 4, 1 << 56)),
            ("openings without a last wait", with(half_open, 5, 0)),
            ("a last wait without openings", with(closed, 5, 1)),
            ("too many generations", with(closed, 0, 1 << 56)),
        ] {
            assert_eq!(Control::from_words(words), Err(InvalidWords), "{what}");
        }
        let most = (1 << 56) - 1;
        assert!(Control::from_words(with(with(half_open, 0, most), 4, most)).is_ok());
        assert_eq!(InvalidWords.to_string(), "these words are not a control value");
    }
}
