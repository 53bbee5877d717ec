//! Checks that the parts of a document fit together.
//!
//! Only documents that would break a promise of the machine are refused; whether the numbers could really have occurred
//! is not checked. The rules are listed in section 5 of docs/semantics.md.

use alloc::format;

use super::Snapshot;
use crate::config::{InvalidValue, Value, is_wait};
use crate::control::{Mode, Saved, State};

/// The name of a part, and what the other parts allow.
type Contradiction = (&'static str, &'static str);

impl Snapshot {
    /// Checks that the parts of `document`, from which this was read, are consistent.
    ///
    /// # Errors
    /// [`InvalidValue`] naming the first part that does not fit.
    pub(super) fn check(&self, document: &Value) -> Result<(), InvalidValue> {
        let Some((part, allowed)) = self.counts_contradiction().or_else(|| self.control.contradiction()) else {
            return Ok(());
        };
        let value = part.split('.').try_fold(document, |value, name| value.entry(name)).unwrap_or(document);
        Err(InvalidValue::new(&format!("snapshot.{part}"), value, allowed))
    }

    /// The calls in flight are computed as a difference, which must not be negative.
    fn counts_contradiction(&self) -> Option<Contradiction> {
        let counts = &self.counts;
        let ended = [counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.cancelled_calls];
        (counts.total_calls != ended.iter().sum::<u64>())
            .then_some(("counters.total_calls", "the sum of how the calls ended"))
    }
}

impl Saved {
    /// The first part that does not fit the others.
    pub(crate) fn contradiction(&self) -> Option<Contradiction> {
        let (is_closed, is_held) = (self.state == State::Closed, self.mode == Mode::ForcedOpen);
        let in_the_wait = match self.wait {
            Some(_) if is_closed => Some(("wait_nanos", "null while closed")),
            // Nothing would ever end such an opening.
            None if !is_closed && !is_held => Some(("wait_nanos", "a number, unless forced open without end")),
            Some((chosen, left)) if left > chosen => Some(("left_nanos", "at most wait_nanos")),
            Some((chosen, _)) if is_held && !is_wait(&chosen) => {
                Some(("wait_nanos", "above 0 and at most one year while forced open"))
            }
            Some(_) | None => None,
        };
        let fits_mode = match self.mode {
            Mode::ForcedOpen => !is_closed,
            Mode::Disabled => is_closed,
            Mode::Auto | Mode::Shadow => true,
        };
        let rest = [
            (fits_mode, ("mode", "forced_open while open only, disabled while closed only")),
            (
                (self.openings == 0) == self.last_wait.is_zero(),
                ("last_wait_nanos", "0 where openings is, and only there"),
            ),
            (self.resets_in <= self.last_wait, ("clean_in_nanos", "at most last_wait_nanos")),
        ];
        in_the_wait.or_else(|| rest.into_iter().find_map(|(fits, contradiction)| (!fits).then_some(contradiction)))
    }
}
