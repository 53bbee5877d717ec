//! The memory that a breaker takes, its heap included.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use halfopen::clock::SystemClock;
use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::evidence::{EVENTS_KEPT, EVENTS_WAITING};
use halfopen::metrics::{ENDED_KEPT, Metrics};
use halfopen::{CircuitBreaker, Config};

#[test]
fn a_breaker_that_counts_a_streak_takes_at_most_a_kibibyte() {
    let bytes = bytes_of(Config::builder(), |breaker| {
        let _ = breaker.call(|| Ok::<_, ()>(()));
        let _ = breaker.call(|| Err::<(), _>(()));
    });
    assert!(bytes <= 1024, "{bytes} bytes");
}

#[test]
fn a_window_takes_room_only_where_a_rate_looks_at_it() {
    let window = |shape| Config::builder().window(shape);
    let without = bytes_of(Config::builder(), |_| ());
    assert_eq!(bytes_of(window(WindowShape::Calls(10_000)), |_| ()), without);
    let with = bytes_of(window(WindowShape::Calls(10_000)).failure_rate_threshold(0.5), |_| ());
    assert!((10_000..11_000).contains(&(with - without)), "a byte for each call: {with}");
    let with = bytes_of(window(WindowShape::Time(Duration::from_secs(3_600))).failure_rate_threshold(0.5), |_| ());
    assert!((240..500).contains(&(with - without)), "three counts for each of ten buckets: {with}");
}

#[test]
fn the_event_history_is_bounded() {
    let events = |count| {
        bytes_of(Config::builder(), move |breaker| {
            for _ in 0..count / 2 {
                breaker.force_open(None).unwrap();
                breaker.reset();
            }
        })
    };
    let full = events(EVENTS_KEPT);
    assert!(full <= 8 * 1024, "{full} bytes");
    assert_eq!(events(100 * EVENTS_KEPT), full);
}

#[test]
fn events_that_waited_for_a_listener_hold_no_memory() {
    let flood = |breaker: &CircuitBreaker<SystemClock>, rounds| {
        for _ in 0..rounds {
            breaker.force_open(None).unwrap();
            breaker.reset();
        }
    };
    let events = |rounds| {
        let breaker = Arc::new(CircuitBreaker::new(Config::default()));
        let weak = Arc::downgrade(&breaker);
        flood(&breaker, EVENTS_KEPT);
        breaker.subscribe(Arc::new(move |event| {
            if event.sequence == 2 * EVENTS_KEPT as u64 + 1 {
                flood(&weak.upgrade().unwrap(), rounds);
            }
        }));
        let before = HELD.get();
        breaker.force_open(None).unwrap();
        HELD.get() - before
    };
    assert_eq!(events(4 * EVENTS_WAITING), events(EVENTS_KEPT / 2));
}

/// The heap bytes that a breaker in a box holds after use.
#[test]
fn metrics_of_breakers_that_are_gone_are_bounded() {
    let metrics = Metrics::new();
    let bytes_after = |names: std::ops::Range<usize>| {
        let before = HELD.get();
        for number in names {
            let config = Config::builder().name(&format!("name {number:09}")).build().unwrap();
            let breaker = Arc::new(CircuitBreaker::new(config));
            let _ = breaker.call(|| Err::<(), _>(()));
            let membership = metrics.add(breaker, "provider");
            metrics.remove(&membership);
        }
        HELD.get() - before
    };
    let unasked = bytes_after(0..ENDED_KEPT);
    assert!(unasked <= 1024, "a map with nothing in it: {unasked} bytes");
    metrics.keep_ended();
    let kept = bytes_after(0..ENDED_KEPT);
    assert!(kept <= 1200 * ENDED_KEPT as isize, "{kept} bytes");
    let more = bytes_after(ENDED_KEPT..10 * ENDED_KEPT);
    assert!(more <= 0, "{more} bytes");
}

fn bytes_of(config: ConfigBuilder, live: impl Fn(&CircuitBreaker<SystemClock>)) -> isize {
    let config = config.build().unwrap();
    let before = HELD.get();
    let breaker = Box::new(CircuitBreaker::new(config));
    live(&breaker);
    let held = HELD.get() - before;
    drop(breaker);
    held
}

thread_local! {
    /// The heap bytes that the running thread holds: each test is a thread of its own.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

// SAFETY: all is handed on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        unsafe { System.dealloc(pointer, layout) }
    }
}
