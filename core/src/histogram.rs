//! How long calls took: the buckets that Prometheus clients use by default.

use core::time::Duration;

use crate::sync::{AtomicU64, Ordering};

/// The upper bounds of the buckets in seconds; a last bucket without a bound follows.
///
/// Source: the default buckets of the Prometheus client libraries.
pub const BUCKET_BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The same bounds in nanoseconds, so that a call is sorted in without a division.
const BOUNDS_NANOS: [u64; BUCKET_BOUNDS.len()] = {
    let mut nanos = [0; BUCKET_BOUNDS.len()];
    let mut i = 0;
    while i < nanos.len() {
        nanos[i] = (BUCKET_BOUNDS[i] * 1e9 + 0.5) as u64;
        i += 1;
    }
    nanos
};

const BUCKETS: usize = BUCKET_BOUNDS.len() + 1;

/// A histogram that many threads add to.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    total_nanos: AtomicU64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { buckets: core::array::from_fn(|_| AtomicU64::new(0)), total_nanos: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_NANOS.iter().take_while(|bound| nanos > **bound).count();
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.total_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Durations {
        Durations {
            buckets: self.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed)),
            total: Duration::from_nanos(self.total_nanos.load(Ordering::Relaxed)),
        }
    }
}

/// How many calls took how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Calls in each bucket, those of no other included: bucket `i` ends at [`BUCKET_BOUNDS`]`[i]`, inclusive.
    pub buckets: [u64; BUCKETS],
    /// All durations added up.
    pub total: Duration,
}

impl Durations {
    /// Calls in all buckets.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The duration that this share of the calls (0 to 1) did not exceed; `None` before the first call, or for a share
    /// that is none.
    ///
    /// Interpolated within its bucket as Prometheus' `histogram_quantile` does; in the last bucket, which has no upper
    /// bound, its lower bound.
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

    #[test]
    fn a_bound_belongs_to_the_bucket_it_ends() {
        let histogram = Histogram::new();
        histogram.record(Duration::from_millis(5));
        histogram.record(Duration::from_nanos(5_000_001));
        histogram.record(Duration::from_secs(11));
        let read = histogram.read();
        assert_eq!((read.buckets[0], read.buckets[1], read.buckets[14]), (1, 1, 1));
        assert_eq!(read.count(), 3);
        assert_eq!(read.total, Duration::from_nanos(11_010_000_001));
    }

    #[test]
    fn percentiles_are_interpolated_within_a_bucket() {
        let histogram = Histogram::new();
        assert_eq!(histogram.read().percentile(0.5), None);
        for millis in [1, 2, 30, 40] {
            histogram.record(Duration::from_millis(millis));
        }
        let read = histogram.read();
        let millis = |share| read.percentile(share).unwrap().as_secs_f64() * 1e3;
        assert!((millis(0.25) - 2.5).abs() < 1e-9, "half of the two in the first bucket: {}", millis(0.25));
        assert!((millis(0.5) - 5.0).abs() < 1e-9);
        assert!((millis(0.75) - 37.5).abs() < 1e-9);
        assert!((millis(1.0) - 50.0).abs() < 1e-9);
        histogram.record(Duration::from_secs(3600));
        assert_eq!(histogram.read().percentile(1.0), Some(Duration::from_secs(10)));
        assert_eq!((read.percentile(1.5), read.percentile(f64::NAN)), (None, None));
    }
}
