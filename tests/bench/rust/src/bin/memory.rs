//! Measures the memory of breakers, and the time to create and find many of them by name. Writes the result to the
//! given file.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use halfopen::clock::SystemClock;
use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::registry::Registry;
use halfopen::{CircuitBreaker, Config};
use serde_json::{Value, json};

/// The number of breakers in the registry.
const NAMES: usize = 100_000;
/// How often the registry is filled and each breaker is looked up.
const ROUNDS: usize = 5;

fn main() {
    let file = env::args().nth(1).expect("usage: memory FILE");
    let windowed = |shape| Config::builder().failure_rate_threshold(0.5).window(shape);
    let figures = json!({
        "breakers": [
            { "breaker": "streak only", "bytes": bytes_of(Config::builder()) },
            { "breaker": "window of 100 calls", "bytes": bytes_of(windowed(WindowShape::Calls(100))) },
            { "breaker": "window of 60 seconds", "bytes": bytes_of(windowed(WindowShape::Time(Duration::from_secs(60)))) },
        ],
        "registry": registry(),
    });
    fs::write(file, figures.to_string()).expect("the file can be written");
}

/// A breaker with its heap allocations, after one successful and one failed call.
fn bytes_of(config: ConfigBuilder) -> usize {
    let config = config.build().expect("all values are allowed");
    let before = HEAP.bytes();
    let breaker = Box::new(CircuitBreaker::new(config));
    let _ = breaker.call(|| Ok::<_, ()>(()));
    let _ = breaker.call(|| Err::<(), _>(()));
    let bytes = HEAP.bytes() - before;
    drop(breaker);
    bytes
}

fn registry() -> Value {
    let names: Vec<String> = (0..NAMES).map(|number| format!("tenant-{number}")).collect();
    let (mut bytes, mut make, mut find) = (0, Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = HEAP.bytes();
        let registry = Registry::new(NAMES, SystemClock::new);
        make.push(nanoseconds_each(&names, |name| {
            let config = Config::builder().name(name).build().expect("the name is allowed");
            black_box(registry.get_or_create(config).expect("the registry has room"));
        }));
        bytes = HEAP.bytes() - before;
        find.push(nanoseconds_each(&names, |name| {
            black_box(registry.get(name).expect("it was made"));
        }));
    }
    json!({ "breakers": NAMES, "bytes": bytes, "make_ns": make, "find_ns": find })
}

/// Iterates over the names in an order in which neighbours do not share a prefix.
fn nanoseconds_each(names: &[String], each: impl Fn(&str)) -> f64 {
    const STRIDE: usize = 61_803;
    let start = Instant::now();
    for step in 0..names.len() {
        each(&names[step * STRIDE % names.len()]);
    }
    start.elapsed().as_nanos() as f64 / names.len() as f64
}

/// The system allocator with a count of the allocated bytes.
struct Heap(AtomicUsize);

#[global_allocator]
static HEAP: Heap = Heap(AtomicUsize::new(0));

impl Heap {
    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

// SAFETY: every call is forwarded to the system allocator unchanged.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
