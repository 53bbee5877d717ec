//! A configuration is either valid, or refused with the name of a given field.

use arbitrary::Unstructured;
use halfopen::clock::ManualClock;
use halfopen::host::{self, Entries};
use halfopen::{CircuitBreaker, Config};

use crate::Field;

/// Builds a configuration from the bytes.
pub fn check(bytes: &[u8]) {
    let Ok(fields) = Unstructured::new(bytes).arbitrary::<Vec<Field>>() else { return };
    let built =
        fields.iter().fold(Config::builder(), |builder, Field(name, value)| host::set(builder, name, value.clone()));
    match built.build() {
        Err(error) => {
            // A rule about two fields may name the one that was not given, with the other one in the text.
            let names = |field: &Field| field.0 == error.field() || error.to_string().contains(&field.0);
            assert!(fields.iter().any(names), "{error} of {fields:?}");
            assert!(!error.allowed().is_empty());
        }
        Ok(config) => {
            let rebuilt =
                config.entries().fold(Config::builder(), |builder, (name, value)| host::set(builder, name, value));
            assert_eq!(rebuilt.build().as_ref(), Ok(&config), "its entries build an equal configuration");
            assert_usable(config);
        }
    }
}

/// Every valid configuration has a usable breaker.
fn assert_usable(config: Config) {
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    for _ in 0..3 {
        if let Ok(permit) = breaker.acquire() {
            permit.failure();
        }
    }
    assert_eq!(breaker.status().counts.in_flight, 0);
    assert!(!breaker.explain().is_empty());
}
