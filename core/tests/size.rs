//! What a breaker takes of memory.

use halfopen::{CircuitBreaker, SystemClock};

#[test]
fn a_breaker_that_counts_a_streak_takes_at_most_a_kibibyte() {
    let bytes = size_of::<CircuitBreaker<SystemClock>>();
    assert!(bytes <= 1024, "{bytes} bytes");
}
