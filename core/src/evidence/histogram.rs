//! How long calls took: the buckets that Prometheus clients use by default.

use core::time::Duration;

use crate::clock::nearest;
use crate::sync::{AtomicU64, Ordering};

/// The upper bounds of the buckets in seconds; a last bucket without a bound follows.
///
/// Source: the default buckets of the Prometheus client libraries.
pub const BUCKET_BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The same bounds in nanoseconds, so that recording a call needs no division.
const BOUNDS_NANOS: [u64; BUCKET_BOUNDS.len()] = {
    let mut nanos = [0; BUCKET_BOUNDS.len()];
    let mut i = 0;
    while i < nanos.len() {
        nanos[i] = nearest(BUCKET_BOUNDS[i] * 1e9);
        i += 1;
    }
    nanos
};

const BUCKETS: usize = BUCKET_BOUNDS.len() + 1;

/// The bucket of a duration. Inlined into crates that are optimised for speed where this one is optimised for size.
#[inline]
fn bucket_of(nanos: u64) -> usize {
    BOUNDS_NANOS.iter().take_while(|bound| nanos > **bound).count()
}

/// A histogram that any number of threads update. The sum of the durations is kept elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
}

impl Histogram {
    #[inline]
    pub(crate) fn record(&self, nanos: u64) {
        self.buckets[bucket_of(nanos)].fetch_add(1, Ordering::Relaxed);
    }

    /// A reading with the `total` that is kept elsewhere.
    pub(crate) fn read(&self, total: Duration) -> Durations {
        Durations { buckets: self.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed)), total }
    }
}

/// A histogram of durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Calls in each bucket, not cumulative: bucket `i` ends at [`BUCKET_BOUNDS`]`[i]`, inclusive.
    pub buckets: [u64; BUCKETS],
    /// The sum of all durations.
    pub total: Duration,
}

impl Durations {
    /// Adds a call of this many nanoseconds.
    pub fn add(&mut self, nanos: u64) {
        self.buckets[bucket_of(nanos)] += 1;
        self.total = self.total.saturating_add(Duration::from_nanos(nanos));
    }

    /// Calls in all buckets.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The upper bound of each bucket in seconds and the number of calls up to it, cumulative as in Prometheus. The last
    /// bound is infinite.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BUCKET_BOUNDS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.buckets.into_iter().scan(0, |sum, calls| {
            *sum += calls;
            Some(*sum)
        }))
    }

    /// The duration that this share of the calls (0 to 1) did not exceed; `None` before the first call, or for a number
    /// outside of 0 to 1.
    ///
    /// It is interpolated within its bucket, as by Prometheus' `histogram_quantile`. The last bucket has no upper bound, so
    /// there it is the lower bound.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&share) {
            return None;
        }
        let rank = share * count as f64;
        let mut below = 0;
        let mut lower = 0.0;
        for (calls, upper) in self.buckets.into_iter().zip(BUCKET_BOUNDS) {
            if calls > 0 && (below + calls) as f64 >= rank {
                let inside = (rank - below as f64).max(0.0) / calls as f64;
                return Some(Duration::from_secs_f64(lower + (upper - lower) * inside));
            }
            below += calls;
            lower = upper;
        }
        Some(Duration::from_secs_f64(lower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(durations: impl IntoIterator<Item = Duration>) -> Durations {
        let mut read = Durations::default();
        durations.into_iter().for_each(|duration| read.add(duration.as_nanos() as u64));
        read
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_it_ends() {
        let durations = [Duration::from_millis(5), Duration::from_nanos(5_000_001), Duration::from_secs(11)];
        let read = of(durations);
        assert_eq!((read.buckets[0], read.buckets[1], read.buckets[14]), (1, 1, 1));
        assert_eq!(read.count(), 3);
        assert_eq!(read.total, Duration::from_nanos(11_010_000_001));
        let shared = Histogram::default();
        durations.iter().for_each(|duration| shared.record(duration.as_nanos() as u64));
        assert_eq!(shared.read(read.total), read);
    }

    #[test]
    fn the_least_share_is_the_lower_bound_of_the_first_bucket_that_holds_a_call() {
        assert_eq!(of([Duration::from_millis(30)]).percentile(0.0), Some(Duration::from_millis(25)));
    }

    #[test]
    fn percentiles_are_interpolated_within_a_bucket() {
        assert_eq!(Durations::default().percentile(0.5), None);
        let mut read = of([1, 2, 30, 40].map(Duration::from_millis));
        let millis = |share| read.percentile(share).unwrap().as_secs_f64() * 1e3;
        assert!((millis(0.25) - 2.5).abs() < 1e-9, "half of the two in the first bucket: {}", millis(0.25));
        assert!((millis(0.5) - 5.0).abs() < 1e-9);
        assert!((millis(0.75) - 37.5).abs() < 1e-9);
        assert!((millis(1.0) - 50.0).abs() < 1e-9);
        assert_eq!((read.percentile(1.5), read.percentile(f64::NAN)), (None, None));
        read.add(Duration::from_secs(3600).as_nanos() as u64);
        assert_eq!(read.percentile(1.0), Some(Duration::from_secs(10)));
    }
}
