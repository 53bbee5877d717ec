//! Limits how often a host reports what may happen at every call.

use core::time::Duration;

use crate::clock::Tick;
use crate::sync::{AtomicU64, Ordering};

/// The shortest time between two reports.
///
/// A circuit that is open while every request meets it would otherwise fill a log within minutes.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts what happens, and says when to report it: the first time, and then at most once a minute.
#[derive(Debug, Default)]
pub struct Throttle {
    /// The tick from which on the next report is due.
    due: AtomicU64,
    unreported: AtomicU64,
}

impl Throttle {
    /// Counts one, at `now`. If a report is due, returns how many there were since the last one.
    pub fn count(&self, now: Tick) -> Option<u64> {
        self.unreported.fetch_add(1, Ordering::Relaxed);
        let due = self.due.load(Ordering::Relaxed);
        if now.as_nanos() < due {
            return None;
        }
        let next = now.after(INTERVAL).as_nanos();
        // Of several threads, one reports.
        self.due.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        Some(self.unreported.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_reported_and_then_all_of_a_minute_together() {
        let throttle = Throttle::default();
        let at = |seconds| Tick::ZERO.after(Duration::from_secs(seconds));
        assert_eq!(throttle.count(at(0)), Some(1));
        assert_eq!([1, 30, 59].map(|second| throttle.count(at(second))), [None; 3]);
        assert_eq!(throttle.count(at(60)), Some(4));
        assert_eq!(throttle.count(at(61)), None);
        assert_eq!(throttle.count(at(200)), Some(2));
    }
}
