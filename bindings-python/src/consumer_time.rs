//! The time that the consumer of a stream takes between two items, which is not the provider's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use halfopen::clock::Tick;
use halfopen::host::Reading;

/// What the consumer took, in counts of the breaker's [counter](crate::clock::PyClock::count).
///
/// Two readings of the clock would be most of what an item costs, so only a few moments are read from the clock too:
/// the first pause, the first item, and the end. What the pauses took is their share of the time between those.
pub struct ConsumerTime {
    /// The count since which the consumer has had the last item; [`Self::NONE`] while it waits for one, or where calls
    /// are not timed.
    since: AtomicU64,
    /// The counts of the pauses since the last reading of the clock.
    taken: AtomicU64,
    /// The last reading of the clock, if there was one: [`Self::NONE`] for its count if not.
    clock_read_at: AtomicU64,
    count_at_reading: AtomicU64,
}

impl ConsumerTime {
    const NONE: u64 = u64::MAX;

    pub const fn new() -> Self {
        Self {
            since: AtomicU64::new(Self::NONE),
            taken: AtomicU64::new(0),
            clock_read_at: AtomicU64::new(0),
            count_at_reading: AtomicU64::new(Self::NONE),
        }
    }

    /// Whether the consumer has an item, and the time is counted.
    #[inline]
    pub fn is_counted(&self) -> bool {
        self.since.load(Ordering::Relaxed) != Self::NONE
    }

    /// Whether the clock has been read, from which the counts of later pauses can be told as times.
    #[inline]
    pub fn has_reading(&self) -> bool {
        self.count_at_reading.load(Ordering::Relaxed) != Self::NONE
    }

    /// The consumer has an item from now on. Nothing is counted without a count.
    #[inline]
    pub fn begin(&self, count: Option<u64>) {
        self.since.store(count.unwrap_or(Self::NONE), Ordering::Relaxed);
    }

    /// The same at a moment that is read from the clock too.
    pub fn begin_at(&self, reading: Reading) {
        if !self.has_reading() {
            self.set_reading(reading);
        }
        self.begin(Some(reading.count));
    }

    /// The consumer waits for an item from now on.
    #[inline]
    pub fn end(&self, count: u64) {
        let took = self.current(count);
        self.taken.store(self.taken.load(Ordering::Relaxed).saturating_add(took), Ordering::Relaxed);
        self.begin(None);
    }

    /// How long the pauses took that have ended since this was asked last.
    pub fn take(&self, reading: Reading) -> Duration {
        let Some(earlier) = self.reading() else { return Duration::ZERO };
        self.set_reading(reading);
        reading.share_since(earlier, self.taken.swap(0, Ordering::Relaxed))
    }

    /// When all of the pauses would have begun that were not asked for, had they been one that ends now.
    pub fn as_one_pause(&self, reading: Reading) -> Option<Tick> {
        let earlier = self.reading()?;
        let counts = self.taken.load(Ordering::Relaxed).saturating_add(self.current(reading.count));
        let took = reading.share_since(earlier, counts);
        Some(Tick::from_nanos(reading.now.as_nanos().saturating_sub(took.as_nanos() as u64)))
    }

    fn current(&self, count: u64) -> u64 {
        let since = self.since.load(Ordering::Relaxed);
        if since == Self::NONE { 0 } else { count.saturating_sub(since) }
    }

    fn reading(&self) -> Option<Reading> {
        let now = Tick::from_nanos(self.clock_read_at.load(Ordering::Relaxed));
        self.has_reading().then(|| Reading { now, count: self.count_at_reading.load(Ordering::Relaxed) })
    }

    fn set_reading(&self, reading: Reading) {
        self.clock_read_at.store(reading.now.as_nanos(), Ordering::Relaxed);
        self.count_at_reading.store(reading.count, Ordering::Relaxed);
    }
}
