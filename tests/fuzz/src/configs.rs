//! Configurations: whole, or refused by the name of a field that was given.

use arbitrary::Unstructured;
use halfopen::{CircuitBreaker, Config, ManualClock};

use crate::Field;

/// Makes a configuration of the bytes.
pub fn check(bytes: &[u8]) {
    let Ok(fields) = Unstructured::new(bytes).arbitrary::<Vec<Field>>() else { return };
    let built = fields.iter().fold(Config::builder(), |builder, Field(name, value)| builder.set(name, value.clone()));
    match built.build() {
        Err(error) => {
            // A rule between two fields names one of them, which the other may have pushed over its bound.
            let names = |field: &Field| field.0 == error.field() || error.to_string().contains(&field.0);
            assert!(fields.iter().any(names), "{error} of {fields:?}");
            assert!(!error.allowed().is_empty());
        }
        Ok(config) => {
            let again = config.entries().fold(Config::builder(), |builder, (name, value)| builder.set(name, value));
            assert_eq!(again.build().as_ref(), Ok(&config), "what it tells makes it again");
            lives(config);
        }
    }
}

/// Any configuration that is accepted has a breaker that can be used.
fn lives(config: Config) {
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    for _ in 0..3 {
        if let Ok(permit) = breaker.acquire() {
            permit.failure();
        }
    }
    assert_eq!(breaker.status().counts.in_flight, 0);
    assert!(!breaker.explain().is_empty());
}
