//! Properties that hold for any configuration and any history.

use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::host::{self, Entries, Value};
use halfopen::{CircuitBreaker, Config, Outcome, Permit};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::Uint),
        (0..70_000u64).prop_map(Value::Uint),
        any::<f64>().prop_map(Value::Number),
        (-1e3..1e9f64).prop_map(Value::Number),
        any::<String>().prop_map(Value::Text),
        any::<String>().prop_map(Value::Other),
    ]
}

fn field() -> impl Strategy<Value = String> {
    let known: Vec<String> = Config::default().entries().map(|(name, _)| name.to_owned()).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => any::<String>()]
}

#[derive(Clone, Debug)]
enum Operation {
    Acquire,
    Settle(prop::sample::Index, usize),
    Advance(u64),
    StepTo(u64),
    ForceOpen(Option<u64>),
    Disable,
    Reset,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => Just(Operation::Acquire),
        8 => (any::<prop::sample::Index>(), 0..Outcome::ALL.len()).prop_map(|(which, how)| Operation::Settle(which, how)),
        3 => (0..4u64).prop_map(Operation::Advance),
        1 => any::<u64>().prop_map(Operation::StepTo),
        1 => prop::option::of(1..4u64).prop_map(Operation::ForceOpen),
        1 => Just(Operation::Disable),
        1 => Just(Operation::Reset),
    ]
}

proptest! {
    #[test]
    fn a_configuration_is_whole_or_refused_by_name(fields in prop::collection::vec((field(), value()), 0..6)) {
        let builder = fields.iter().cloned().fold(Config::builder(), |builder, (name, value)| host::set(builder, &name, value));
        match builder.build() {
            Err(error) => prop_assert!(fields.iter().any(|(name, _)| name == error.field())),
            Ok(config) => {
                let again = config.entries().fold(Config::builder(), |builder, (name, value)| host::set(builder, name, value));
                prop_assert_eq!(again.build(), Ok(config));
            }
        }
    }

    #[test]
    fn no_history_breaks_the_invariants(
        threshold in 1..4u16, successes in 1..4u8, slots in 1..4u8, probe_timeout in 1..4u64,
        operations in prop::collection::vec(operation(), 0..200),
    ) {
        let config = Config::builder()
            .failure_threshold(threshold)
            .success_threshold(successes)
            .half_open_max_calls(slots)
            .timeout(Duration::from_nanos(2))
            .probe_timeout(Duration::from_nanos(probe_timeout))
            .build()
            .unwrap();
        let clock = ManualClock::new();
        let breaker = CircuitBreaker::with_clock(config, clock.clone());
        let mut permits: Vec<Permit<'_, ManualClock>> = Vec::new();
        for operation in operations {
            match operation {
                Operation::Acquire => permits.extend(breaker.acquire()),
                Operation::Settle(which, how) if !permits.is_empty() => {
                    permits.swap_remove(which.index(permits.len())).settle(Outcome::ALL[how]);
                }
                Operation::Settle(..) => {}
                Operation::Advance(nanos) => clock.advance(Duration::from_nanos(nanos)),
                Operation::StepTo(nanos) => clock.set(Tick::from_nanos(nanos)),
                Operation::ForceOpen(nanos) => breaker.force_open(nanos.map(Duration::from_nanos)).unwrap(),
                Operation::Disable => breaker.disable(),
                Operation::Reset => breaker.reset(),
            }
            let status = breaker.status();
            prop_assert_eq!(status.counts.in_flight, permits.len() as u64);
            prop_assert!(status.retry_after.is_none_or(|left| left <= Duration::from_nanos(3) && !left.is_zero()));
            prop_assert!(status.consecutive_failures == 0 || status.consecutive_successes == 0);
            let edges: u64 = breaker.edges().iter().map(|edge| edge.count).sum();
            prop_assert_eq!(edges, status.state_transitions);
        }
    }
}
