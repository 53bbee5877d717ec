//! Wakes the threads that listen to shared breakers after a transition.

use std::cell::RefCell;
use std::sync::Arc;

use halfopen::ListenerId;
use halfopen_js::Breaker;
use napi::bindgen_prelude::{FnArgs, Function, Result, Status};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

/// Weak (the last argument), so that it does not keep a process or worker alive.
type Wake = ThreadsafeFunction<u32, (), FnArgs<(u32,)>, Status, false, true>;

thread_local! {
    static WAKE: RefCell<Option<Arc<Wake>>> = const { RefCell::new(None) };
}

/// Sets the function that is called with the number of a listening circuit after each of its transitions, whichever
/// thread made it. It is called on a later turn of this thread's event loop.
#[napi(ts_args_type = "wake: (circuit: number) => void")]
pub fn on_transition(wake: Function<'_, FnArgs<(u32,)>, ()>) -> Result<()> {
    let wake = wake.build_threadsafe_function::<u32>().weak::<true>();
    WAKE.set(Some(Arc::new(wake.build_callback(|call| Ok((call.value,).into()))?)));
    Ok(())
}

/// Lets a circuit of this thread listen; `None` if [`on_transition`] was not called.
pub(crate) fn listen(circuit: u32, breaker: &Breaker) -> Option<ListenerId> {
    let wake = WAKE.with_borrow(Clone::clone)?;
    Some(breaker.subscribe(Arc::new(move |_| {
        // A thread that is ending accepts no call; its listeners are dropped with its circuits.
        wake.call(circuit, ThreadsafeFunctionCallMode::NonBlocking);
    })))
}
