//! SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).

/// Its finaliser: every bit of the result depends on every bit of `z`. The callers add the increments.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
