//! The calls in flight of a closed circuit, by their start: calls that hang count as slow before they return.
//!
//! Calls that begin within a quarter of `slow_call_seconds` form a group, and become overdue together. So at most five
//! groups are not overdue, however many calls are in flight. A ticket keeps the number of its group.
//!
//! A call joins the newest group without the lock; everything else happens under it. A group's number changes before the
//! generation does, and a caller reads the number, then the generation, and then joins the group of that number. So it
//! never joins a group of another generation.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::clock::{Tick, saturating_nanos};
use crate::sync::{AtomicU64, Ordering};

/// The number of a group; 0 for a call that is in none.
pub(crate) type GroupNumber = u64;

/// The bits of a word that count joined calls. When they are full, callers take the lock, which sets them to zero.
const JOINED_BITS: u32 = 24;
const MOST_JOINED: u64 = (1 << JOINED_BITS) - 1;

/// The newest group, as calls see it without the lock. Its two numbers stand where a breaker has room for them: the word
/// among the counters that calls write to, the time among the fields that they only read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewestGroup<'b> {
    /// The group's number, and how many calls have joined it without the lock.
    pub word: &'b AtomicU64,
    /// Calls at or after this tick take the lock.
    pub until: &'b AtomicU64,
}

impl NewestGroup<'_> {
    /// Joins the group, if it takes calls at `now` and the circuit admits them. `None` if the lock has to be taken.
    #[inline]
    pub(crate) fn join<S>(self, now: Tick, admits: impl FnOnce() -> Option<S>) -> Option<(S, GroupNumber)> {
        let mut word = self.word.load(Ordering::Acquire);
        let stamp = admits()?;
        // The time belongs to this group or to a later one; in the latter case the word has changed.
        if now.as_nanos() >= self.until.load(Ordering::Acquire) {
            return None;
        }
        let number = word >> JOINED_BITS;
        while word >> JOINED_BITS == number && word & MOST_JOINED < MOST_JOINED {
            match self.word.compare_exchange_weak(word, word + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some((stamp, number)),
                Err(changed) => word = changed,
            }
        }
        None
    }

    /// Replaces the group, and returns how many calls had joined it without the lock. The new one takes none yet.
    fn replace(self, number: GroupNumber) -> u64 {
        self.until.store(0, Ordering::Release);
        self.word.swap(number << JOINED_BITS, Ordering::AcqRel) & MOST_JOINED
    }

    /// Returns how many calls have joined it without the lock since this was last asked.
    fn collect(self) -> u64 {
        self.word.fetch_and(!MOST_JOINED, Ordering::AcqRel) & MOST_JOINED
    }
}

/// The groups of the present generation.
#[derive(Debug, Default)]
pub(crate) struct CallGroups {
    /// The groups that are not overdue, oldest first. Their numbers are consecutive, and the newest has the last number.
    live: VecDeque<Group>,
    /// The last number given away.
    last: GroupNumber,
    /// Calls in groups up to this number are not tracked any more.
    forgotten: GroupNumber,
    /// Calls in flight of groups that are overdue.
    overdue: u64,
}

#[derive(Debug)]
struct Group {
    /// Calls from this tick on are of a later group.
    ends: Tick,
    overdue_at: Tick,
    /// Below zero, wrapped, if more calls have ended than were collected from [`NewestGroup`].
    in_flight: u64,
}

impl CallGroups {
    /// The number of overdue calls in flight at `now`. A group that was overdue once stays so.
    pub(crate) fn overdue(&mut self, newest: NewestGroup<'_>, now: Tick) -> u64 {
        while self.live.front().is_some_and(|oldest| oldest.overdue_at <= now) {
            if self.live.len() == 1 {
                self.replace(newest);
            }
            self.overdue += self.live.pop_front().map_or(0, |group| group.in_flight);
        }
        self.overdue
    }

    /// A call that begins `now` joins the newest group, or starts the next.
    pub(crate) fn join(&mut self, newest: NewestGroup<'_>, slow_call: Duration, now: Tick) -> GroupNumber {
        self.overdue(newest, now);
        if self.live.back().is_none_or(|group| group.ends <= now) {
            self.replace(newest);
            let ends = now.after(Duration::from_nanos(saturating_nanos(slow_call).div_ceil(4)));
            self.live.push_back(Group { ends, overdue_at: ends.after(slow_call), in_flight: 0 });
        }
        if let Some(group) = self.live.back_mut() {
            group.in_flight = group.in_flight.wrapping_add(newest.collect() + 1);
        }
        self.publish(newest);
        self.last
    }

    /// A call of this group has ended, or is not tracked any more.
    pub(crate) fn leave(&mut self, newest: NewestGroup<'_>, number: GroupNumber) {
        if number <= self.forgotten {
            return;
        }
        let overdue_up_to = self.last - self.live.len() as u64;
        match number.checked_sub(overdue_up_to + 1) {
            Some(index) => {
                let group = &mut self.live[index as usize];
                group.in_flight = group.in_flight.wrapping_sub(1);
            }
            None => {
                self.overdue -= 1;
                self.publish(newest);
            }
        }
    }

    /// No call in flight is tracked any more.
    pub(crate) fn forget(&mut self, newest: NewestGroup<'_>) {
        if !self.live.is_empty() {
            self.replace(newest);
        }
        self.live.clear();
        self.overdue = 0;
        self.forgotten = self.last;
    }

    /// Ends the newest group: no call joins it any more.
    fn replace(&mut self, newest: NewestGroup<'_>) {
        self.last += 1;
        let joined = newest.replace(self.last);
        if let Some(group) = self.live.back_mut() {
            group.in_flight = group.in_flight.wrapping_add(joined);
        }
    }

    /// Until the newest group ends or the oldest is overdue, calls need no lock. While calls are overdue, each call does.
    fn publish(&self, newest: NewestGroup<'_>) {
        let until = match (self.overdue, self.live.front(), self.live.back()) {
            (0, Some(oldest), Some(last)) => last.ends.min(oldest.overdue_at),
            _ => Tick::ZERO,
        };
        newest.until.store(until.as_nanos(), Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SLOW: Duration = Duration::from_nanos(4);

    fn join(newest: NewestGroup<'_>, now: u64) -> Option<GroupNumber> {
        newest.join(Tick::from_nanos(now), || Some(())).map(|((), number)| number)
    }

    #[test]
    fn a_full_word_takes_the_lock_and_loses_no_call() {
        let (word, until) = (AtomicU64::new(0), AtomicU64::new(0));
        let (newest, mut groups) = (NewestGroup { word: &word, until: &until }, CallGroups::default());
        let number = groups.join(newest, SLOW, Tick::ZERO);
        newest.word.fetch_or(MOST_JOINED - 1, Ordering::Relaxed);
        assert_eq!(join(newest, 0), Some(number));
        assert_eq!(join(newest, 0), None);
        assert_eq!(groups.join(newest, SLOW, Tick::ZERO), number);
        assert_eq!(join(newest, 0), Some(number));
        assert_eq!(groups.overdue(newest, Tick::from_nanos(5)), MOST_JOINED + 3);
    }

    #[test]
    fn at_most_five_groups_are_not_overdue() {
        let (word, until) = (AtomicU64::new(0), AtomicU64::new(0));
        let (newest, mut groups) = (NewestGroup { word: &word, until: &until }, CallGroups::default());
        for now in 0..100 {
            let now = Tick::from_nanos(now);
            groups.join(newest, SLOW, now);
            assert!(groups.live.len() <= 5);
        }
        assert_eq!(groups.live.len(), 5);
        assert_eq!(groups.overdue(newest, Tick::from_nanos(99)), 95);
    }

    #[test]
    fn calls_need_the_lock_when_the_group_ends_or_another_is_overdue() {
        let (word, until) = (AtomicU64::new(0), AtomicU64::new(0));
        let (newest, mut groups) = (NewestGroup { word: &word, until: &until }, CallGroups::default());
        assert_eq!(join(newest, 0), None);
        let eight = Duration::from_nanos(8);
        groups.join(newest, eight, Tick::from_nanos(0));
        assert_eq!([0, 1, 2].map(|now| join(newest, now).is_some()), [true, true, false]);
        groups.join(newest, eight, Tick::from_nanos(9));
        assert_eq!([9, 10].map(|now| join(newest, now).is_some()), [true, false], "the first group is overdue");
        assert_eq!(groups.overdue(newest, Tick::from_nanos(10)), 3);
        groups.join(newest, eight, Tick::from_nanos(10));
        assert_eq!(join(newest, 0), None, "while calls are overdue, each call looks");
        (0..3).for_each(|_| groups.leave(newest, 1));
        assert_eq!(join(newest, 10), Some(2));
    }
}
