//! Where a circuit made from Node reads the time.

use halfopen::{Clock, SystemClock};
use halfopen_circuit::{Now, asked};

use crate::js::{Env, Js};

/// What two functions of JavaScript tell; where they are none, the platform's monotonic clock.
pub(crate) fn clock<'call>(env: Env<'call>, now: Js<'call>, refuse: Js<'call>) -> Now {
    match (env.keep(now), env.keep(refuse)) {
        (Some(now), Some(refuse)) => {
            let refuse = move |millis| {
                refuse.call(millis);
            };
            asked(move || now.call(0.0).unwrap_or(f64::NAN), refuse)
        }
        _ => {
            let system = SystemClock::new();
            Box::new(move || system.now())
        }
    }
}
