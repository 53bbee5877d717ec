//! Permits in Rust code, and the effect of the callee's errors and panics on the breaker.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use halfopen::clock::{Clock, ManualClock, Tick};
use halfopen::control::Reason;
use halfopen::evidence::Counts;
use halfopen::{CallError, CircuitBreaker, Config, State};

fn breaker() -> CircuitBreaker<ManualClock> {
    let config =
        Config::builder().failure_threshold(1).timeout(Duration::from_secs(1)).half_open_max_calls(1).build().unwrap();
    CircuitBreaker::with_clock(config, ManualClock::new())
}

#[test]
fn a_permit_that_is_dropped_is_cancelled() {
    let breaker = breaker();
    drop(breaker.acquire());
    let counts = breaker.counts();
    assert_eq!((counts.total_calls, counts.cancelled_calls, counts.in_flight), (1, 1, 0));
}

#[test]
fn each_way_of_ending_is_counted_as_itself() {
    let breaker = breaker();
    breaker.acquire().unwrap().success();
    breaker.acquire().unwrap().ignore();
    breaker.acquire().unwrap().cancel();
    breaker.acquire().unwrap().failure();
    let mut each = Counts::default();
    each.total_calls = 4;
    (each.successful_calls, each.failed_calls, each.ignored_calls, each.cancelled_calls) = (1, 1, 1, 1);
    assert_eq!(breaker.counts(), each);
}

#[test]
fn a_panic_in_the_callee_gives_the_permit_back_and_goes_on() {
    let breaker = breaker();
    let panicked = catch_unwind(AssertUnwindSafe(|| breaker.call(|| -> Result<(), ()> { panic!("the callee's own") })));
    assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "the callee's own");
    assert_eq!((breaker.counts().cancelled_calls, breaker.state()), (1, State::Closed));
}

#[test]
fn the_callees_error_passes_through_and_the_next_call_is_rejected() {
    let breaker = breaker();
    assert_eq!(breaker.call(|| Err::<(), _>("mine")), Err(CallError::Failed("mine")));
    let Err(CallError::Rejected(rejected)) = breaker.call(|| Ok::<_, &str>(())) else { panic!("it must be open") };
    assert_eq!((rejected.reason, rejected.code()), (Reason::Open, "CIRCUIT_OPEN"));
    assert_eq!(rejected.to_string(), "the circuit is OPEN (open); retry after 1.0 s");
}

#[test]
fn a_failed_call_reads_as_the_callees_own_error_and_tells_its_source() {
    let parsed = "seven".parse::<u8>().unwrap_err();
    let error = CallError::Failed(Unreadable(parsed.clone()));
    assert_eq!((error.to_string(), error.is_rejected()), ("the answer is no number".into(), false));
    assert_eq!(error.source().unwrap().to_string(), parsed.to_string());

    let breaker = breaker();
    breaker.force_open(None).unwrap();
    let rejected = breaker.call(|| Ok::<_, Unreadable>(())).unwrap_err();
    assert_eq!(rejected.to_string(), "the circuit is OPEN (forced_open); it is held open until it is reset");
    assert!(rejected.is_rejected() && rejected.source().is_none());
}

/// A callee's error with a source of its own.
#[derive(Debug)]
struct Unreadable(ParseIntError);

impl Display for Unreadable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is no number")
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_callee_may_use_the_breaker_it_runs_under() {
    let breaker = breaker();
    let nested = breaker.call(|| {
        breaker.reset();
        breaker.call(|| Ok::<_, ()>(breaker.status().counts.in_flight))
    });
    assert_eq!(nested, Ok(2));
}

#[test]
fn a_clock_may_use_the_breaker_that_reads_it() {
    use std::sync::OnceLock;
    static BREAKER: OnceLock<CircuitBreaker<Asking>> = OnceLock::new();
    struct Asking;
    impl Clock for Asking {
        fn now(&self) -> Tick {
            let total =
                BREAKER.get().map_or(0, |breaker| breaker.counts().total_calls + breaker.events(0).len() as u64);
            Tick::from_nanos(total)
        }
    }
    let config = Config::builder().failure_threshold(1).build().unwrap();
    let breaker = BREAKER.get_or_init(|| CircuitBreaker::with_clock(config, Asking));
    breaker.acquire().unwrap().failure();
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn an_invalid_forced_wait_is_refused() {
    let error = breaker().force_open(Some(std::time::Duration::ZERO)).unwrap_err();
    assert_eq!((error.code(), error.field(), &*error.value().to_string()), ("INVALID_VALUE", "duration_seconds", "0"));
    let year = std::time::Duration::from_secs(365 * 24 * 60 * 60);
    assert!(breaker().force_open(Some(year)).is_ok());
    assert!(breaker().force_open(Some(year + std::time::Duration::from_nanos(1))).is_err());
}

#[test]
fn a_good_call_that_no_rule_times_reads_no_clock() {
    let config = || Config::builder().record_durations(false);
    let window = config().failure_rate_threshold(0.5).build().unwrap();
    for config in [config().build().unwrap(), window] {
        let readings = std::cell::Cell::new(0);
        let breaker = CircuitBreaker::with_clock(config, || {
            readings.set(readings.get() + 1);
            Tick::ZERO
        });
        breaker.acquire().unwrap().success();
        assert_eq!(readings.get(), 0);
        assert_eq!(breaker.status().consecutive_successes, 1);
    }
}
