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
enum Act {
    Acquire,
    Settle(prop::sample::Index, usize),
    Advance(u64),
    StepTo(u64),
    ForceOpen(Option<u64>),
    Disable,
    Reset,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => Just(Act::Acquire),
        8 => (any::<prop::sample::Index>(), 0..Outcome::ALL.len()).prop_map(|(which, how)| Act::Settle(which, how)),
        3 => (0..4u64).prop_map(Act::Advance),
        1 => any::<u64>().prop_map(Act::StepTo),
        1 => prop::option::of(1..4u64).prop_map(Act::ForceOpen),
        1 => Just(Act::Disable),
        1 => Just(Act::Reset),
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
        acts in prop::collection::vec(act(), 0..200),
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
        for act in acts {
            match act {
                Act::Acquire => permits.extend(breaker.acquire()),
                Act::Settle(which, how) if !permits.is_empty() => {
                    permits.swap_remove(which.index(permits.len())).settle(Outcome::ALL[how]);
                }
                Act::Settle(..) => {}
                Act::Advance(nanos) => clock.advance(Duration::from_nanos(nanos)),
                Act::StepTo(nanos) => clock.set(Tick::from_nanos(nanos)),
                Act::ForceOpen(nanos) => breaker.force_open(nanos.map(Duration::from_nanos)).unwrap(),
                Act::Disable => breaker.disable(),
                Act::Reset => breaker.reset(),
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
