//! Wakes the threads that listen to shared breakers after a transition.

use std::cell::Cell;
use std::sync::Arc;

use halfopen_js::JsBreaker;
use napi::bindgen_prelude::{Env, Function, Result};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use scopeguard::guard;

/// Calls `wake` after each transition of the breaker, whichever thread made it, on a later turn of this thread's event
/// loop. The function that it returns ends that, as does its collection as garbage, or the end of the thread.
#[napi]
pub fn watch<'env>(env: &'env Env, breaker: &JsBreaker, wake: Function<'_, (), ()>) -> Result<Function<'env, (), ()>> {
    // Weak, so that it does not keep a process or worker alive. One call in its queue is enough, because the thread then
    // reads all transitions; more would pile up without end while the thread is busy.
    let wake = wake.build_threadsafe_function().weak::<true>().max_queue_size::<1>().build()?;
    let breaker = Arc::clone(breaker.core());
    let listener = breaker.subscribe(Arc::new(move |_| {
        // A thread that is ending, or whose queue is full, accepts no call.
        wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }));
    let subscription = Cell::new(Some(guard(breaker, move |breaker| {
        breaker.unsubscribe(listener);
    })));
    env.create_function_from_closure("unwatch", move |_| {
        subscription.take();
        Ok(())
    })
}
