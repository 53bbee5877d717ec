//! Calls whose function returns a future, polled by hand: no runtime is needed.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::{CallError, CircuitBreaker, Config, Outcome, OwnedPermit, State};

type Breaker = CircuitBreaker<ManualClock>;

fn breaker() -> Breaker {
    let config = Config::builder()
        .failure_threshold(1)
        .half_open_max_calls(1)
        .success_threshold(1)
        .timeout(Duration::from_secs(1));
    CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new())
}

fn half_open() -> Breaker {
    let breaker = breaker();
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(Duration::from_secs(1));
    breaker
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls to the end; each of these futures ends within a few polls.
fn finished<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    for _ in 0..10 {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
    panic!("it goes on");
}

/// Pending once.
async fn other_work() -> Result<(), ()> {
    let waited = Cell::new(false);
    poll_fn(|_| if waited.replace(true) { Poll::Ready(Ok(())) } else { Poll::Pending }).await
}

#[test]
fn a_future_counts_when_it_ends() {
    let breaker = breaker();
    let answer = finished(breaker.call_async(|| async {
        assert_eq!(breaker.status().counts.in_flight, 1);
        other_work().await?;
        Ok::<_, ()>("hello")
    }));
    assert_eq!(answer, Ok("hello"));
    assert_eq!(finished(breaker.call_async(|| ready(Err::<(), _>("no route")))), Err(CallError::Failed("no route")));
    let rejected = finished(breaker.call_async(|| ready(Ok::<_, ()>(()))));
    assert!(matches!(rejected, Err(CallError::Rejected(_))));
    let counts = breaker.status().counts;
    assert_eq!((counts.successful_calls, counts.failed_calls, counts.rejected_calls, counts.in_flight), (1, 1, 1, 0));
}

#[test]
fn a_classifier_judges_a_future_too() {
    let breaker = breaker();
    let call = breaker.call_async_classified(|| ready(Err::<(), _>("not found")), |_| Outcome::Ignored);
    assert_eq!(finished(call), Err(CallError::Failed("not found")));
    assert_eq!((breaker.state(), breaker.status().counts.ignored_calls), (State::Closed, 1));
}

#[test]
fn a_future_that_is_dropped_is_cancelled() {
    let breaker = half_open();
    {
        let mut hanging = pin!(breaker.call_async(pending::<Result<(), ()>>));
        assert!(poll(hanging.as_mut()).is_pending());
        assert!(breaker.acquire().is_err(), "it holds the only slot");
    }
    assert_eq!(breaker.status().counts.cancelled_calls, 1);
    breaker.acquire().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_future_that_is_never_polled_takes_nothing() {
    let breaker = breaker();
    drop(breaker.call_async(|| ready(Ok::<_, ()>(()))));
    assert_eq!(breaker.status().counts.total_calls, 0);
}

#[test]
fn layers_of_futures_recover() {
    let breaker = half_open();
    let answer = finished(breaker.call_async(|| async {
        breaker.call_async(other_work).await.unwrap();
        other_work().await.unwrap();
        breaker.call_async(|| ready(Ok::<_, ()>(()))).await
    }));
    assert_eq!(answer, Ok(()));
    assert_eq!((breaker.state(), breaker.status().counts.total_calls), (State::Closed, 2));
}

#[test]
fn another_task_of_the_same_thread_is_not_inside_the_probe() {
    let breaker = half_open();
    let mut probe = pin!(breaker.call_async(other_work));
    assert!(poll(probe.as_mut()).is_pending());
    let beside = finished(breaker.call_async(|| ready(Ok::<_, ()>(()))));
    assert!(matches!(beside, Err(CallError::Rejected(_))));
    assert_eq!(poll(probe.as_mut()), Poll::Ready(Ok(())));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_call_can_be_sent_to_another_thread() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let breaker = Arc::new(CircuitBreaker::new(Config::default()));
    let spawned = Arc::clone(&breaker);
    let task = sent(async move { spawned.call_async(|| ready(Ok::<_, ()>(7))).await });
    assert_eq!(std::thread::spawn(|| finished(task)).join().unwrap(), Ok(7));
    assert_eq!(breaker.status().counts.successful_calls, 1);
}

#[test]
fn an_owned_permit_outlives_its_borrow() {
    struct Job {
        permit: OwnedPermit<ManualClock>,
    }
    let breaker = Arc::new(half_open());
    let job = Job { permit: breaker.acquire_owned().unwrap() };
    assert!(breaker.acquire_owned().is_err());
    let inner = job.permit.acquire_nested().unwrap();
    inner.failure();
    assert_eq!(breaker.state(), State::HalfOpen, "it shares the permit");
    drop(job);
    assert_eq!(breaker.status().counts.cancelled_calls, 1);
    breaker.acquire_owned().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
    breaker.acquire_owned().unwrap().ignore();
    breaker.acquire_owned().unwrap().cancel();
    breaker.acquire_owned().unwrap().failure();
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_breaker_on_the_systems_clock_needs_no_type_argument() {
    struct App {
        breaker: CircuitBreaker,
    }
    let app = App { breaker: CircuitBreaker::new(Config::default()) };
    assert_eq!(app.breaker.call(|| Ok::<_, ()>(1)), Ok(1));
}
