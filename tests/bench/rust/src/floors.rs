//! The cost of the basic operations of every breaker: a breaker that needs one cannot be faster.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use halfopen::clock::{Clock, SystemClock};

use crate::harness::Contender;

pub fn floors() -> Vec<Contender> {
    static WORD: AtomicU64 = AtomicU64::new(0);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    static LOCK: Mutex<u64> = Mutex::new(0);
    let (clock, quanta) = (SystemClock::new(), quanta::Clock::new());
    vec![
        floor("load an atomic word", |_| WORD.load(Ordering::Acquire)),
        floor("add to an atomic counter", |_| COUNTER.fetch_add(1, Ordering::Relaxed)),
        floor("lock and unlock a mutex", |_| *LOCK.lock().expect("nothing panics")),
        floor("read std::time::Instant", |_| Instant::now()),
        floor("read quanta::Clock", move |_| quanta.now()),
        floor("read halfopen::SystemClock", move |_| clock.now()),
    ]
}

fn floor<R: 'static>(name: &'static str, part: impl Fn(u64) -> R + Clone + Sync + 'static) -> Contender {
    Contender::unguarded(name, move || part.clone())
}
