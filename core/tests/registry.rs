//! Breakers by name: one for each name, at most as many as the bound, and none evicted while it is in use.

use std::sync::{Arc, Barrier, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use halfopen::clock::{Clock, ManualClock, Tick};
use halfopen::config::ConfigBuilder;
use halfopen::control::Jitter;
use halfopen::host::{self, RegistryPolicy};
use halfopen::registry::Registry;
use halfopen::{CircuitBreaker, Config, State};

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
    assert_eq!(error.to_string(), "a circuit named \"a\" exists with another configuration: failure_threshold differs");
}

#[test]
fn a_full_registry_evicts_unused_breakers_and_no_others() {
    let registry = Registry::new(2, ManualClock::new);
    let held = registry.get_or_create(config("held")).unwrap();
    registry.get_or_create(config("open")).unwrap().acquire().unwrap().failure();
    let error = registry.get_or_create(config("one too many")).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("REGISTRY_FULL", "the registry is full: each of its 2 circuits is in use; raise its bound or remove one")
    );

    drop(held);
    assert!(registry.get_or_create(config("now there is room")).is_ok());
    assert!(registry.get("held").is_none(), "nobody used it");
    assert!(!registry.is_empty());
    assert!(registry.get("open").is_some(), "an open circuit has something to remember");
    assert_eq!(registry.remove_unused(), 1);
    assert!(registry.remove("open").is_some());
    assert!(registry.is_empty());
}

#[test]
fn a_lower_bound_removes_what_is_unused_and_keeps_the_rest() {
    let registry = Registry::new(4, ManualClock::new);
    let held = [registry.get_or_create(config("a")).unwrap(), registry.get_or_create(config("b")).unwrap()];
    let _unused = (registry.get_or_create(config("c")).unwrap(), registry.get_or_create(config("d")).unwrap());
    registry.set_bound(3);
    assert_eq!(registry.len(), 4, "all are held");
    drop(_unused);
    registry.set_bound(3);
    assert_eq!((registry.len(), registry.bound()), (3, 3), "one is enough");
    registry.set_bound(1);
    assert_eq!(registry.len(), 2, "two are held");
    assert_eq!(registry.get_or_create(config("e")).unwrap_err().code(), "REGISTRY_FULL");
    drop(held);
    assert!(registry.get_or_create(config("e")).is_ok());
    assert_eq!(registry.len(), 1);
}

#[test]
fn making_room_beside_many_in_use_looks_at_few() {
    // Under miri, which is a thousand times slower, fewer breakers take the same branches.
    let bound = if cfg!(miri) { 20 } else { 1_000 };
    let mut policy = RegistryPolicy::new(bound);
    for number in 0..bound - 1 {
        policy.add(format!("in use {number}").into(), number).unwrap();
    }
    let mut looks = 0;
    for number in bound..3 * bound {
        while policy.add(format!("unused {number}").into(), number).is_err() {
            let mut search = policy.making_room();
            while let Some((name, handle)) = policy.next_look(&mut search) {
                looks += 1;
                let is_unused = *handle >= bound;
                policy.evict(&name, |_| is_unused);
            }
        }
    }
    assert!(looks < bound + 2 * 2 * bound, "{looks}");
    let mut search = policy.all_unused();
    let looked_at = std::iter::from_fn(|| policy.next_look(&mut search).map(|(name, _)| name)).count();
    assert_eq!(looked_at, bound, "each once");
}

#[test]
fn a_host_that_draws_the_seeds_spreads_the_waits_of_its_breakers() {
    let registry = Registry::new(3, ManualClock::new);
    let wait = |name, seed| {
        let config = Config::builder().name(name).failure_threshold(1).timeout_jitter(1.0).build().unwrap();
        let breaker = registry.get_or_create_with_jitter(config, Jitter { seed }).unwrap();
        breaker.acquire().unwrap().failure();
        breaker.status().retry_after.unwrap()
    };
    let [one, same, other] = [wait("a", 1), wait("b", 1), wait("c", 2)];
    assert_eq!(one, same);
    assert_ne!(one, other);
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

#[test]
fn whatever_counts_against_the_next_calls_is_kept() {
    let registry = Registry::new(9, ManualClock::new);
    let kept = |name: &str, config: ConfigBuilder, happen: &dyn Fn(&CircuitBreaker<ManualClock>)| {
        happen(&registry.get_or_create(config.name(name).build().unwrap()).unwrap());
        assert_eq!(registry.remove_unused(), 0, "{name}");
    };
    let config = Config::builder;
    kept("a streak", config(), &|it| it.acquire().unwrap().failure());
    kept("a window", config().failure_rate_threshold(0.5), &|it| {
        it.acquire().unwrap().failure();
        it.acquire().unwrap().success();
    });
    kept("a slow call", config().slow_call(Duration::from_secs(1)).slow_call_rate_threshold(1.0), &|it| {
        let permit = it.acquire().unwrap();
        it.clock().advance(Duration::from_secs(1));
        permit.success();
    });
    kept("an opening", config().failure_threshold(1).success_threshold(1), &|it| {
        it.acquire().unwrap().failure();
        it.clock().advance(Duration::from_secs(60));
        it.acquire().unwrap().success();
        assert_eq!(it.state(), State::Closed);
    });
    kept("an operation", config(), &CircuitBreaker::disable);
    kept("a call in flight", config(), &|it| drop(host::admit(it, || None)));
    kept("a listener", config(), &|it| {
        it.subscribe(Arc::new(|_| ()));
    });

    let held = registry.get("an opening").unwrap();
    held.clock().advance(Duration::from_secs(60));
    assert_eq!(registry.remove_unused(), 0, "somebody holds it");
    drop(held);
    assert_eq!(registry.remove_unused(), 1, "closed as long as its last wait, its openings are forgotten");
}

#[test]
fn a_clock_may_use_the_registry_that_reads_it() {
    struct Asking(Weak<OnceLock<AskingRegistry>>);
    type AskingRegistry = Registry<Asking, Box<dyn Fn() -> Asking + Send + Sync>>;
    impl Clock for Asking {
        fn now(&self) -> Tick {
            assert!(self.0.upgrade().unwrap().get().unwrap().len() <= 1);
            Tick::ZERO
        }
    }
    let place: Arc<OnceLock<AskingRegistry>> = Arc::default();
    let clock = Arc::downgrade(&place);
    let registry = place.get_or_init(|| Registry::new(1, Box::new(move || Asking(Weak::clone(&clock)))));
    for name in ["a", "b"] {
        registry.get_or_create(config(name)).unwrap().call(|| Ok::<_, ()>(())).unwrap();
    }
    assert!(registry.get("a").is_none(), "it made room for b");
}
