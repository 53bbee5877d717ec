//! The one file of this crate that asks the operating system what time it is.

use std::sync::LazyLock;
use std::time::Instant;

use super::counter::Anchor;
use super::{Clock, Tick};

/// The platform's monotonic clock. Its origin is the moment at which this process first made one, so times of several
/// breakers can be compared.
///
/// `wasm32-unknown-unknown` has none, so its hosts pass in a clock.
///
/// On Linux with the clock source `tsc` (x86-64), a reading takes 10 ns instead of 26: it reads the processor's counter, and
/// the operating system's clock once in 5 ms. Libraries that calibrate the counter at their
/// start (`quanta`) drift (metrics-rs/quanta#99), and jump when a virtual machine moves to another host (see Linux'
/// `vmclock-abi.h`); a breaker could stay open too long. This clock is off by 5 ms at most in such a case, and otherwise by
/// less than a microsecond. If it steps back by as much, no time has passed for a breaker.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(&'static Process);

/// The clock of this process.
#[derive(Debug)]
struct Process {
    origin: Instant,
    /// The counter's last anchor; none if the processor has no counter that runs at an even pace.
    anchor: Option<Anchor>,
}

impl SystemClock {
    /// The clock of this process. The first call takes some 20 µs.
    pub fn new() -> Self {
        static PROCESS: LazyLock<Process> = LazyLock::new(|| Process {
            origin: Instant::now(),
            // Atomics of loom cannot outlive its runs, and miri cannot read the counter.
            anchor: (!cfg!(loom) && !cfg!(miri) && halfopen_counter::is_even()).then(Anchor::default),
        });
        Self(&PROCESS)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Tick {
        let Process { origin, anchor } = self.0;
        let read = || Tick::ZERO.after(origin.elapsed());
        match anchor {
            Some(anchor) => anchor.now(halfopen_counter::read, read),
            None => read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_keeps_to_the_operating_systems_clock_within_its_5_ms() {
        let clock = SystemClock::default();
        // Long enough for the counter's rate to be known, where there is one.
        while clock.0.origin.elapsed() < Duration::from_millis(200) {
            let before = Tick::ZERO.after(clock.0.origin.elapsed());
            let now = clock.now();
            let after = Tick::ZERO.after(clock.0.origin.elapsed());
            let allowed = Duration::from_millis(5);
            assert!(now.since(after) <= allowed && before.since(now) <= allowed, "{before:?} {now:?} {after:?}");
        }
    }

    #[test]
    fn all_clocks_of_a_process_have_one_origin() {
        let first = SystemClock::new();
        std::thread::sleep(Duration::from_millis(20));
        let apart = first.now().since(SystemClock::new().now()).max(SystemClock::new().now().since(first.now()));
        assert!(apart < Duration::from_millis(10), "{apart:?}");
    }
}
