//! The window that rates are computed from: the last calls, or the last seconds.
//!
//! The state machine only gets the rate that is reached.

use alloc::boxed::Box;
use alloc::vec;
use core::time::Duration;

use super::saved_window::SavedWindow;
use super::window_counts::{BUCKETS, Call, WindowCounts};
use crate::clock::{Tick, saturating_nanos};
use crate::config::{Rules, WindowShape};

/// A window of one of the two shapes, or of none.
#[derive(Clone, Debug, Default)]
pub(crate) enum Window {
    /// No rate is set, so nothing is kept.
    #[default]
    None,
    Calls(Box<LastCalls>),
    Seconds(Box<LastSeconds>),
}

impl Window {
    pub(crate) fn new(rules: &Rules) -> Self {
        match rules.window_in_use() {
            None => Self::None,
            Some(WindowShape::Calls(calls)) => Self::Calls(Box::new(LastCalls::new(calls))),
            Some(WindowShape::Time(time)) => Self::Seconds(Box::new(LastSeconds::new(time))),
        }
    }

    /// Empties it and keeps its memory.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::None => {}
            Self::Calls(calls) => calls.clear(),
            Self::Seconds(seconds) => seconds.clear(),
        }
    }

    /// Adds a call.
    pub(crate) fn add(&mut self, call: Call, now: Tick) {
        match self {
            Self::None => {}
            Self::Calls(calls) => calls.add(call),
            Self::Seconds(seconds) => seconds.add(call, now),
        }
    }

    /// Adds a success to a window of calls that holds no failure and no slow call. Returns false, and changes nothing,
    /// otherwise.
    pub(crate) fn count_success(&mut self) -> bool {
        match self {
            Self::Calls(calls) if calls.counts.failed == 0 && calls.counts.slow == 0 => {
                calls.add(Call { failed: false, slow: false });
                true
            }
            Self::None | Self::Calls(_) | Self::Seconds(_) => false,
        }
    }

    /// Its calls at `now`. Reading changes nothing.
    pub(crate) fn counts(&self, now: Tick) -> WindowCounts {
        match self {
            Self::None => WindowCounts::default(),
            Self::Calls(calls) => calls.counts,
            Self::Seconds(seconds) => seconds.counts(now),
        }
    }
}

impl Window {
    /// Its content at `now`, without a clock.
    pub(crate) fn saved(&self, rules: &Rules, now: Tick) -> SavedWindow {
        match (self, rules.window) {
            (Self::Calls(calls), WindowShape::Calls(size)) => {
                SavedWindow::Calls { size, ended: calls.oldest_first().collect() }
            }
            (Self::Seconds(seconds), WindowShape::Time(time)) => {
                SavedWindow::Seconds { size: time.as_secs() as u16, buckets: Box::new(seconds.latest_first(now)) }
            }
            (Self::None | Self::Calls(_) | Self::Seconds(_), _) => SavedWindow::None,
        }
    }

    /// Restores a saved window at `now`; empty if the rules ask for another shape.
    pub(crate) fn restored(rules: &Rules, saved: &SavedWindow, now: Tick) -> Self {
        let mut window = Self::new(rules);
        if saved.shape() == rules.window_in_use() {
            match (&mut window, saved) {
                (Self::Calls(calls), SavedWindow::Calls { ended, .. }) => {
                    ended.iter().for_each(|call| calls.add(*call))
                }
                (Self::Seconds(seconds), SavedWindow::Seconds { buckets, .. }) => seconds.fill(buckets, now),
                (Self::None | Self::Calls(_) | Self::Seconds(_), _) => {}
            }
        }
        window
    }
}

/// The last calls, a byte for each in a ring.
#[derive(Clone, Debug)]
pub(crate) struct LastCalls {
    ring: Box<[u8]>,
    /// The index for the next call; once the ring is full, that of the oldest.
    next: usize,
    counts: WindowCounts,
}

const FAILED: u8 = 1;
const SLOW: u8 = 2;

impl LastCalls {
    fn new(calls: u16) -> Self {
        Self { ring: vec![0; calls.into()].into(), next: 0, counts: WindowCounts::default() }
    }

    fn clear(&mut self) {
        self.next = 0;
        self.counts = WindowCounts::default();
    }

    fn oldest_first(&self) -> impl Iterator<Item = Call> + '_ {
        let held = self.counts.calls as usize;
        let first = self.next + self.ring.len() - held;
        (0..held).map(move |n| call_of(self.ring[(first + n) % self.ring.len()]))
    }

    fn add(&mut self, call: Call) {
        if self.counts.calls == self.ring.len() as u64 {
            self.counts.take(call_of(self.ring[self.next]).into());
        }
        self.ring[self.next] = if call.failed { FAILED } else { 0 } + if call.slow { SLOW } else { 0 };
        self.counts.add(call.into());
        self.next = if self.next + 1 == self.ring.len() { 0 } else { self.next + 1 };
    }
}

fn call_of(bits: u8) -> Call {
    Call { failed: bits & FAILED != 0, slow: bits & SLOW != 0 }
}

/// The last seconds, in ten buckets aligned to tick 0.
#[derive(Clone, Debug)]
pub(crate) struct LastSeconds {
    /// Nanoseconds in a bucket.
    width: u64,
    /// The number of the latest bucket in use. It never goes back; if the clock does, calls count in this bucket.
    latest: u64,
    /// Bucket `n` stands at `n % BUCKETS`.
    buckets: [WindowCounts; BUCKETS as usize],
}

impl LastSeconds {
    fn new(time: Duration) -> Self {
        let width = saturating_nanos(time) / BUCKETS;
        Self { width, latest: BUCKETS, buckets: [WindowCounts::default(); BUCKETS as usize] }
    }

    fn clear(&mut self) {
        *self = Self { width: self.width, latest: BUCKETS, buckets: [WindowCounts::default(); BUCKETS as usize] };
    }

    fn bucket_at(&self, now: Tick) -> u64 {
        // The first tick lies in bucket ten, so that a window restored on a new clock has older buckets.
        (now.as_nanos() / self.width + BUCKETS).max(self.latest)
    }

    /// The bucket of `now` and the nine before it; those out of use are empty.
    fn latest_first(&self, now: Tick) -> [WindowCounts; BUCKETS as usize] {
        let current = self.bucket_at(now);
        core::array::from_fn(|age| {
            let bucket = current - age as u64;
            if bucket <= self.latest { self.buckets[(bucket % BUCKETS) as usize] } else { WindowCounts::default() }
        })
    }

    /// Restores saved buckets. The newest bucket in use is the newest one that holds a call.
    fn fill(&mut self, latest_first: &[WindowCounts; BUCKETS as usize], now: Tick) {
        let current = self.bucket_at(now);
        for (age, counts) in latest_first.iter().enumerate().rev().filter(|(_, counts)| counts.calls > 0) {
            self.latest = current - age as u64;
            self.buckets[(self.latest % BUCKETS) as usize] = *counts;
        }
    }

    fn add(&mut self, call: Call, now: Tick) {
        let current = self.bucket_at(now);
        for skipped in (self.latest + 1..=current).take(BUCKETS as usize) {
            self.buckets[(skipped % BUCKETS) as usize] = WindowCounts::default();
        }
        self.latest = current;
        self.buckets[(current % BUCKETS) as usize].add(call.into());
    }

    fn counts(&self, now: Tick) -> WindowCounts {
        let oldest = self.bucket_at(now) - (BUCKETS - 1);
        (oldest..=self.latest).map(|bucket| self.buckets[(bucket % BUCKETS) as usize]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn only_a_window_of_good_calls_takes_a_success_without_judging_it() {
        let window = |shape| {
            let rates = Config::builder().failure_rate_threshold(1.0).minimum_calls(1).window(shape);
            Window::new(rates.build().unwrap().rules())
        };
        for shape in [WindowShape::Calls(2), WindowShape::Time(Duration::from_secs(1))] {
            for (failed, slow) in [(true, false), (false, true), (true, true), (false, false)] {
                let mut window = window(shape);
                window.add(Call { failed, slow }, Tick::ZERO);
                let taken = matches!(shape, WindowShape::Calls(_)) && !failed && !slow;
                assert_eq!(window.count_success(), taken, "{shape:?} {failed} {slow}");
                assert_eq!(window.counts(Tick::ZERO).calls, 1 + u64::from(taken));
            }
        }
        assert!(!Window::None.count_success());
    }
}
