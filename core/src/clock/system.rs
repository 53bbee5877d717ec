//! The one file of this crate that asks the operating system what time it is.

use std::time::Instant;

use super::{Clock, Tick};

/// The platform's monotonic clock. Its origin is the moment at which this value was created.
///
/// `wasm32-unknown-unknown` has none, so its hosts pass in a clock.
///
/// A reading takes about 25 ns. Libraries that read the processor's counter themselves (`quanta`) take 10 ns, but calibrate
/// it once at the start: it drifts (metrics-rs/quanta#99), and it jumps when a virtual machine moves to another host (see
/// Linux' `vmclock-abi.h`), which the operating system's clock does not. After such a jump a breaker could stay open too
/// long. [`CounterClock`](crate::host::CounterClock) reads a counter that you give it, and both clocks together every 5 ms.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Tick {
        Tick::ZERO.after(self.origin.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_never_runs_backwards() {
        let clock = SystemClock::default();
        let mut readings = [Tick::ZERO; 10_000];
        readings.fill_with(|| clock.now());
        assert!(readings.is_sorted());
        assert!(readings.last() > readings.first());
    }
}
