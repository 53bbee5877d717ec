//! The clock of a breaker.

use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(target_family = "wasm"))]
use halfopen::clock::SystemClock;
use halfopen::clock::{Clock, Tick};

/// The clock of a breaker in a JavaScript host.
#[derive(Debug)]
pub enum JsClock {
    /// The host reads its clock before each call into the breaker, so that no host code runs inside one. Nanoseconds.
    Pushed(AtomicU64),
    /// The operating system's.
    #[cfg(not(target_family = "wasm"))]
    System(SystemClock),
}

impl JsClock {
    /// A clock whose host pushes the time, which is now `millis`; or the system's if that is NaN.
    pub fn new(millis: f64) -> Self {
        #[cfg(not(target_family = "wasm"))]
        if millis.is_nan() {
            return Self::System(SystemClock::new());
        }
        let clock = Self::Pushed(AtomicU64::new(0));
        clock.push(millis);
        clock
    }

    /// Sets the host's time, in milliseconds. Returns false for NaN, which means that the host has not read its clock.
    #[inline]
    // The only kind in WebAssembly.
    #[cfg_attr(target_family = "wasm", expect(irrefutable_let_patterns))]
    pub fn push(&self, millis: f64) -> bool {
        let Self::Pushed(now) = self else { return true };
        let Some(tick) = Tick::from_millis(millis) else { return false };
        now.store(tick.as_nanos(), Ordering::Relaxed);
        true
    }
}

impl Clock for JsClock {
    #[inline]
    fn now(&self) -> Tick {
        match self {
            Self::Pushed(now) => Tick::from_nanos(now.load(Ordering::Relaxed)),
            #[cfg(not(target_family = "wasm"))]
            Self::System(clock) => clock.now(),
        }
    }
}
