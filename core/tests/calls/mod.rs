//! Calls from their beginning to their end.

use std::time::Duration;

use halfopen::{CircuitBreaker, ManualClock, Outcome};

/// Makes a call that ends at once.
pub fn end(breaker: &CircuitBreaker<ManualClock>, outcome: Outcome) {
    breaker.acquire().unwrap().settle(outcome);
}

/// Makes a call that takes a second.
pub fn end_slowly(breaker: &CircuitBreaker<ManualClock>, outcome: Outcome) {
    let permit = breaker.acquire().unwrap();
    breaker.clock().advance(Duration::from_secs(1));
    permit.settle(outcome);
}
