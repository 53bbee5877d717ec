//! The state of a pool between choices, and its draws.

use alloc::string::String;
use alloc::vec::Vec;

use crate::splitmix::mix;

/// The state of a pool: a value that a choice takes and gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolState {
    seed: u64,
    sequence: u64,
    /// The round-robin credit of each provider that was available at the last choice. Not sorted, because pools are
    /// small.
    credits: Vec<(String, i64)>,
}

/// The purpose of a draw: draws for different purposes are independent.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Rank = 1,
    SlowStart = 2,
    Explore = 3,
}

impl PoolState {
    /// The state before the first choice. Pools with different seeds draw differently.
    pub const fn new(seed: u64) -> Self {
        Self { seed, sequence: 0, credits: Vec::new() }
    }

    /// How many choices were made.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(super) fn advance(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// A number between 0 and 1, both excluded: a pure function of the seed, the sequence number, the purpose and the id.
    pub(super) fn draw(&self, purpose: Purpose, id: &str) -> f64 {
        let bits = next(next(next(self.seed) ^ self.sequence) ^ hash(id) ^ purpose as u64);
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(super) fn credit(&self, id: &str) -> i64 {
        self.credits.iter().find(|(known, _)| known == id).map_or(0, |(_, credit)| *credit)
    }

    pub(super) fn set_credit(&mut self, id: &str, credit: i64) {
        match self.credits.iter_mut().find(|(known, _)| known == id) {
            Some((_, known)) => *known = credit,
            None => self.credits.push((id.into(), credit)),
        }
    }

    /// Forgets the credit of every provider but those.
    pub(super) fn keep_credits(&mut self, keeps: impl Fn(&str) -> bool) {
        self.credits.retain(|(id, _)| keeps(id));
    }
}

/// FNV-1a.
fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The output of SplitMix64 after this state.
const fn next(state: u64) -> u64 {
    mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15))
}
