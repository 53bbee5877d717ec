//! Random numbers that depend on what they decide, and not on the order in which they are drawn.
//!
//! Two configurations make different calls. If they took numbers from one sequence, one call more or less would
//! change all later numbers, and their difference would be noise. Here the draw for the latency of the second attempt of
//! request 17 is always the same number (*common random numbers*, Law and Kelton, Simulation Modeling and Analysis).

use core::f64::consts::TAU;

use libm::{cos, log, sqrt};

use crate::splitmix::mix;

/// The seed of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws(u64);

/// The decision that a number is drawn for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Arrival = 1,
    Worker,
    Latency,
    LatencyAngle,
    SlowMode,
    Failure,
    Shard,
    Backoff,
    Pool,
}

impl Draws {
    pub(super) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// 64 random bits for an attempt (from 0) of a request, or for whatever the purpose counts.
    pub(super) const fn bits(self, purpose: Purpose, request: u64, attempt: u32) -> u64 {
        let request = mix(self.0 ^ request.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mix(request ^ ((purpose as u64) << 32 | attempt as u64))
    }

    /// A number from 0 up to but not including 1.
    pub(super) fn unit(self, purpose: Purpose, request: u64, attempt: u32) -> f64 {
        // 53 bits are what a double holds.
        (self.bits(purpose, request, attempt) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number of the exponential distribution with mean 1.
    pub(super) fn exponential(self, purpose: Purpose, request: u64) -> f64 {
        -log(1.0 - self.unit(purpose, request, 0))
    }

    /// A number of the standard normal distribution, after Box and Muller (1958).
    pub(super) fn normal(self, request: u64, attempt: u32) -> f64 {
        let radius = sqrt(-2.0 * log(1.0 - self.unit(Purpose::Latency, request, attempt)));
        radius * cos(TAU * self.unit(Purpose::LatencyAngle, request, attempt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_purpose_request_and_attempt_alone() {
        let draws = Draws::new(7);
        let first = draws.bits(Purpose::Latency, 3, 1);
        draws.bits(Purpose::Failure, 3, 1);
        assert_eq!(draws.bits(Purpose::Latency, 3, 1), first);
        let others = [
            draws.bits(Purpose::Failure, 3, 1),
            draws.bits(Purpose::Latency, 4, 1),
            draws.bits(Purpose::Latency, 3, 2),
            Draws::new(8).bits(Purpose::Latency, 3, 1),
        ];
        assert!(others.iter().all(|other| *other != first));
    }

    #[test]
    fn the_distributions_have_their_means_and_spreads() {
        let draws = Draws::new(1);
        let count: u32 = 100_000;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / f64::from(count);
        let requests = || 0..u64::from(count);
        assert!((mean(&mut requests().map(|n| draws.unit(Purpose::Failure, n, 0))) - 0.5).abs() < 0.005);
        assert!((mean(&mut requests().map(|n| draws.exponential(Purpose::Arrival, n))) - 1.0).abs() < 0.02);
        assert!(mean(&mut requests().map(|n| draws.normal(n, 0))).abs() < 0.02);
        assert!((mean(&mut requests().map(|n| draws.normal(n, 0).powi(2))) - 1.0).abs() < 0.02);
    }
}
