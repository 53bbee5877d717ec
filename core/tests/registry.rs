//! Breakers by name: one for each, as many as allowed, none that somebody still needs let go.

use std::sync::{Arc, Barrier};
use std::thread;

use halfopen::{Config, ManualClock, Registry};

fn config(name: &str) -> Config {
    Config::builder().name(name).failure_threshold(1).build().unwrap()
}

#[test]
fn a_name_has_one_configuration() {
    let registry = Registry::new(2, ManualClock::new);
    let first = registry.get_or_create(config("a")).unwrap();
    assert!(Arc::ptr_eq(&first, &registry.get_or_create(config("a")).unwrap()));
    let other = Config::builder().name("a").failure_threshold(2).build().unwrap();
    let error = registry.get_or_create(other).unwrap_err();
    assert_eq!(error.code(), "NAME_CONFLICT");
    assert_eq!(error.to_string(), "a circuit named \"a\" exists with another configuration");
}

#[test]
fn a_full_registry_lets_go_of_what_nobody_uses_and_of_nothing_else() {
    let registry = Registry::new(2, ManualClock::new);
    let held = registry.get_or_create(config("held")).unwrap();
    registry.get_or_create(config("open")).unwrap().acquire().unwrap().failure();
    let error = registry.get_or_create(config("one too many")).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("REGISTRY_FULL", "the registry holds 2 circuits, as many as it may")
    );

    drop(held);
    assert!(registry.get_or_create(config("now there is room")).is_ok());
    assert!(registry.get("held").is_none(), "nobody used it");
    assert!(registry.get("open").is_some(), "an open circuit has something to remember");
    assert_eq!(registry.remove_unused(), 1);
    assert!(registry.remove("open").is_some());
    assert!(registry.is_empty());
}

#[test]
fn threads_that_ask_for_one_name_get_one_breaker() {
    let registry = Registry::new(1, ManualClock::new);
    let start = Barrier::new(16);
    let breakers: Vec<_> = thread::scope(|scope| {
        let ask = || {
            start.wait();
            registry.get_or_create(config("one")).unwrap()
        };
        let workers: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    assert!(breakers.iter().all(|breaker| Arc::ptr_eq(breaker, &breakers[0])));
    assert_eq!(registry.len(), 1);
}
