//! A clock that reads a counter of the processor between readings of another clock.

use super::{Clock, Tick};
use crate::sync::{AtomicU64, Ordering, fence};

/// How long the counter is used after a reading of the other clock.
///
/// No counter can put the time further off than this: not one that drifts, and not one that jumps because its virtual
/// machine has moved to another host. A busy process reads the other clock for one call in thousands.
const VALID_NANOS: u64 = 5_000_000;

/// The shortest time over which the counter's rate is measured. Two readings can be taken together to some 100 ns,
/// which is less than a hundred thousandth of this.
const MEASURED_NANOS: u64 = 20_000_000;

/// The counter is read before and after the other clock. If it has counted more than this in between (a microsecond or
/// a few), the thread was interrupted, and the readings do not belong together.
const TOGETHER: u64 = 4096;

/// The fractional bits of a rate.
const FRACTION: u32 = 32;

/// A clock that costs little more than a reading of `counter`, which counts up evenly at any rate and is the same for all
/// threads. Its rate is measured against `clock` while the clock is used, so nothing is measured at the start.
///
/// The time is never more than 5 ms off. If two measurements in a row differ by a thousandth, the counter is not used until
/// two agree.
///
/// [`SystemClock`](super::SystemClock) does this with the counter of x86-64 on Linux. Here is a counter that you can read
/// elsewhere:
///
/// ```
/// use halfopen::clock::{Clock, CounterClock, Tick};
/// # let (start, ticks) = (std::time::Instant::now(), std::sync::atomic::AtomicU64::new(0));
/// # let read_counter = move || ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
/// let clock = CounterClock::new(read_counter, move || Tick::ZERO.after(start.elapsed()));
/// assert!(clock.now() > Tick::ZERO);
/// ```
#[derive(Debug)]
pub struct CounterClock<F, C> {
    counter: F,
    clock: C,
    anchor: Anchor,
}

/// A moment of both, and the counter's rate. On its own cache line, because every call reads it and few write it.
///
/// Read and written as a seqlock. A child that is forked while another thread writes it reads the other clock only.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Anchor {
    /// Odd while the rest is being written.
    version: AtomicU64,
    count: AtomicU64,
    nanos: AtomicU64,
    /// Nanoseconds for one count, a fixed-point number.
    rate: AtomicU64,
    /// The counts for which the anchor is valid; 0 if the rate is unknown.
    valid: AtomicU64,
    /// The moment since which the rate is being measured. This and the rest is only used by writers.
    measured_count: AtomicU64,
    measured_nanos: AtomicU64,
    /// The last rate that was measured.
    measured_rate: AtomicU64,
}

impl<F: Fn() -> u64, C: Clock> CounterClock<F, C> {
    /// A clock that tells the time of `clock`.
    pub fn new(counter: F, clock: C) -> Self {
        Self { counter, clock, anchor: Anchor::default() }
    }
}

impl<F: Fn() -> u64, C: Clock> Clock for CounterClock<F, C> {
    #[inline]
    fn now(&self) -> Tick {
        self.anchor.now(&self.counter, || self.clock.now())
    }
}

impl Anchor {
    /// The present moment, by the counter if the anchor is valid, and by the clock otherwise.
    #[inline]
    pub(super) fn now(&self, counter: impl Fn() -> u64, clock: impl Fn() -> Tick) -> Tick {
        let count = counter();
        match self.at(count) {
            Some(now) => now,
            None => self.read_clock(count, counter, clock),
        }
    }

    #[cold]
    #[inline(never)]
    fn read_clock(&self, count: u64, counter: impl Fn() -> u64, clock: impl Fn() -> Tick) -> Tick {
        let now = clock();
        if self.is_due(now) && counter().wrapping_sub(count) <= TOGETHER {
            self.renew(count, now);
        }
        now
    }

    /// The time at this count, if the anchor is valid for it.
    #[inline]
    fn at(&self, count: u64) -> Option<Tick> {
        let version = self.version.load(Ordering::Acquire);
        // A count from before the anchor, which another thread has just renewed, is a large number here.
        let counted = count.wrapping_sub(self.count.load(Ordering::Relaxed));
        let (nanos, rate) = (self.nanos.load(Ordering::Relaxed), self.rate.load(Ordering::Relaxed));
        let valid = counted < self.valid.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let whole = version & 1 == 0 && self.version.load(Ordering::Relaxed) == version;
        (whole && valid).then(|| Tick::from_nanos(nanos + (counted.wrapping_mul(rate) >> FRACTION)))
    }

    /// Whether it is to be renewed. While the rate is unknown, no anchor is used.
    fn is_due(&self, now: Tick) -> bool {
        self.valid.load(Ordering::Relaxed) != 0 || self.nanos_measured(now) >= MEASURED_NANOS
    }

    /// How long the rate has been measured.
    fn nanos_measured(&self, now: Tick) -> u64 {
        now.nanos_since(Tick::from_nanos(self.measured_nanos.load(Ordering::Relaxed)))
    }

    /// Renews the anchor with two readings that belong together, unless another thread does so now.
    fn renew(&self, count: u64, now: Tick) {
        let version = self.version.load(Ordering::Relaxed);
        let is_ours = |version: u64| {
            self.version.compare_exchange(version, version + 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
        };
        if version & 1 == 1 || !is_ours(version) {
            return;
        }
        fence(Ordering::Release);
        self.measure(count, now);
        self.count.store(count, Ordering::Relaxed);
        self.nanos.store(now.as_nanos(), Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }

    /// Measures the rate, if enough time has passed since the last time.
    fn measure(&self, count: u64, now: Tick) {
        let nanos = self.nanos_measured(now);
        if nanos < MEASURED_NANOS {
            return;
        }
        let counted = count.wrapping_sub(self.measured_count.swap(count, Ordering::Relaxed));
        self.measured_nanos.store(now.as_nanos(), Ordering::Relaxed);
        // At least one, because it divides; what does not fit is far from any rate that could be measured twice.
        let rate = (u128::from(nanos) << FRACTION) / u128::from(counted.max(1));
        let rate = u64::try_from(rate).unwrap_or(u64::MAX).max(1);
        let agrees = rate.abs_diff(self.measured_rate.swap(rate, Ordering::Relaxed)) <= rate >> 10;
        self.rate.store(rate, Ordering::Relaxed);
        self.valid.store(if agrees { (VALID_NANOS << FRACTION) / rate } else { 0 }, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::time::Duration;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A clock that counts its readings, and a counter beside it with four counts to a nanosecond.
    #[derive(Default)]
    struct Machine {
        nanos: Cell<u64>,
        count: Cell<u64>,
        readings: Cell<u32>,
    }

    impl Machine {
        fn passes(&self, time: Duration) {
            self.passes_at(time, 4);
        }

        fn passes_at(&self, time: Duration, counts_a_nanosecond: u64) {
            let nanos = time.as_nanos() as u64;
            self.nanos.set(self.nanos.get() + nanos);
            self.count.set(self.count.get().wrapping_add(nanos * counts_a_nanosecond));
        }

        fn jumps(&self, counts: u64) {
            self.count.set(self.count.get().wrapping_add(counts));
        }

        fn now(&self) -> Tick {
            Tick::from_nanos(self.nanos.get())
        }

        fn clock(&self) -> CounterClock<impl Fn() -> u64, impl Clock> {
            let now = || {
                self.readings.set(self.readings.get() + 1);
                self.now()
            };
            CounterClock::new(|| self.count.get(), now)
        }

        /// Uses the clock until its rate is known.
        fn measure(&self, clock: &impl Clock) {
            for _ in 0..300 {
                self.passes(MILLISECOND);
                assert_eq!(clock.now(), self.now());
            }
        }

        fn readings_of(&self, read: impl FnOnce()) -> u32 {
            let before = self.readings.get();
            read();
            self.readings.get() - before
        }
    }

    #[test]
    fn the_counter_tells_the_time_for_5_ms_once_its_rate_was_measured_twice() {
        let machine = Machine::default();
        machine.jumps(u64::MAX - 1_000_000);
        let clock = machine.clock();
        let use_for_39_ms = || {
            for _ in 0..39 {
                machine.passes(MILLISECOND);
                clock.now();
            }
        };
        assert_eq!(machine.readings_of(use_for_39_ms), 39);
        machine.measure(&clock);
        let known = machine.readings_of(|| machine.measure(&clock));
        assert_eq!(known, 60, "once in 5 ms");
    }

    #[test]
    fn a_counter_that_jumps_changes_the_time_by_5_ms_at_most_and_is_left_alone_until_its_rate_is_known_again() {
        let near = [1, 4_000, 19_000_000];
        let far = [20_000_000, 1 << 40, u64::MAX / 2, u64::MAX, u64::MAX - 1_000_000];
        for counts in near.into_iter().chain(far) {
            let machine = Machine::default();
            let clock = machine.clock();
            machine.measure(&clock);
            machine.jumps(counts);
            let off = clock.now().since(machine.now()).max(machine.now().since(clock.now()));
            assert!(off <= if near.contains(&counts) { 5 * MILLISECOND } else { Duration::ZERO }, "{counts}: {off:?}");
            machine.passes(5 * MILLISECOND);
            assert_eq!(clock.now(), machine.now(), "{counts}");
        }
    }

    #[test]
    fn a_counter_that_changes_its_rate_is_not_used() {
        let machine = Machine::default();
        let clock = machine.clock();
        machine.measure(&clock);
        for counts_a_nanosecond in [1, 2, 1, 2, 0, 1] {
            machine.passes_at(20 * MILLISECOND, counts_a_nanosecond);
            clock.now();
            machine.passes_at(MILLISECOND, counts_a_nanosecond);
            assert_eq!(machine.readings_of(|| assert_eq!(clock.now(), machine.now())), 1);
        }
        machine.measure(&clock);
        assert_eq!(machine.readings_of(|| machine.measure(&clock)), 60);
    }

    #[test]
    fn readings_with_an_interruption_between_them_are_no_anchor() {
        let machine = Machine::default();
        let interrupted = Cell::new(false);
        let now = || {
            let now = machine.now();
            if interrupted.get() {
                machine.passes(MILLISECOND);
            }
            now
        };
        let clock = CounterClock::new(|| machine.count.get(), now);
        machine.measure(&clock);
        machine.passes(4 * MILLISECOND);
        assert_eq!(clock.now(), machine.now());
        interrupted.set(true);
        machine.passes(10 * MILLISECOND);
        let before = machine.now();
        assert_eq!(clock.now(), before, "the time when the clock was read");
        interrupted.set(false);
        machine.passes(MILLISECOND);
        assert_eq!(clock.now(), machine.now());
    }

    #[test]
    fn an_anchor_that_is_being_written_is_not_read() {
        let anchor = Anchor::default();
        anchor.valid.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(anchor.at(7), Some(Tick::ZERO));
        anchor.version.store(1, Ordering::Relaxed);
        assert_eq!(anchor.at(7), None);
        anchor.renew(9, Tick::ZERO);
        assert_eq!(anchor.count.load(Ordering::Relaxed), 0);
    }
}
