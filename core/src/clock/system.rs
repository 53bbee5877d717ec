//! The one file of this crate that asks the operating system what time it is.

use std::time::Instant;

use super::{Clock, Tick};

/// The platform's monotonic clock, counted from the moment this value was made.
///
/// It does not exist on `wasm32-unknown-unknown`, where the host has to hand in a clock.
///
/// A reading takes some 25 ns. Libraries that read the processor's counter themselves (`quanta`) take 10, but what they
/// have measured of it when they began goes on counting whatever becomes of it: it drifts (metrics-rs/quanta#99), and it
/// jumps when a virtual machine moves to another host (Linux' `vmclock-abi.h`), where the operating system's clock does
/// not. A breaker on such a clock could wait for a moment that does not come. Who knows better of their machines hands one
/// in: `CircuitBreaker::with_clock(config, move || Tick::from_nanos(quanta.now().duration_since(start).as_nanos() as u64))`.
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
