//! Wakes the threads that listen to shared breakers after a transition.

use std::sync::Arc;

use halfopen::evidence::ListenerId;
use halfopen_js::{Breaker, JsBreaker};
use napi::bindgen_prelude::{Function, Result};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

/// A listener, until it is closed, collected as garbage, or its thread ends.
#[napi]
pub struct Watch {
    breaker: Arc<Breaker>,
    listener: ListenerId,
}

/// Calls `wake` after each transition of the breaker, whichever thread made it, on a later turn of this thread's event
/// loop.
#[napi]
pub fn watch(breaker: &JsBreaker, wake: Function<'_, (), ()>) -> Result<Watch> {
    // Weak, so that it does not keep a process or worker alive. One call in its queue is enough, because the thread then
    // reads all transitions; more would pile up without end while the thread is busy.
    let wake = wake.build_threadsafe_function().weak::<true>().max_queue_size::<1>().build()?;
    let listener = breaker.core().subscribe(Arc::new(move |_| {
        // A thread that is ending, or whose queue is full, accepts no call.
        wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }));
    Ok(Watch { breaker: Arc::clone(breaker.core()), listener })
}

#[napi]
impl Watch {
    /// Ends it.
    #[napi]
    pub fn close(&self) {
        self.breaker.unsubscribe(self.listener);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.close();
    }
}
