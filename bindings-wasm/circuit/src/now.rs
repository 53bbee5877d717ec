//! What time it is.

use alloc::boxed::Box;
use core::cell::Cell;

use halfopen::Tick;

/// Where a circuit reads the time.
pub type Now = Box<dyn Fn() -> Tick>;

/// The time on a clock of JavaScript's. `now` tells milliseconds, or NaN where it has no time to tell, and `refuse` is
/// told of those that no clock can mean; in either case the last reading holds.
pub fn asked(now: impl Fn() -> f64 + 'static, refuse: impl Fn(f64) + 'static) -> Now {
    let last = Cell::new(Tick::ZERO);
    Box::new(move || {
        let millis = now();
        match Tick::from_millis(millis) {
            Some(now) => last.set(now),
            None if millis.is_nan() => {}
            None => refuse(millis),
        }
        last.get()
    })
}
