//! Transitions of shared breakers, told to the threads that listen.

use std::cell::RefCell;
use std::sync::Arc;

use halfopen::ListenerId;
use halfopen_js::Breaker;
use napi::bindgen_prelude::{FnArgs, Function, Result, Status};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

/// Weak (the last argument), so that it keeps no process and no worker alive.
type Wake = ThreadsafeFunction<u32, (), FnArgs<(u32,)>, Status, false, true>;

thread_local! {
    static WAKE: RefCell<Option<Arc<Wake>>> = const { RefCell::new(None) };
}

/// Takes the function that is called, on a later turn of this thread's event loop, with the number of each listening
/// circuit that has made a transition, whichever thread made it.
#[napi(ts_args_type = "wake: (circuit: number) => void")]
pub fn on_transition(wake: Function<'_, FnArgs<(u32,)>, ()>) -> Result<()> {
    let wake = wake.build_threadsafe_function::<u32>().weak::<true>();
    WAKE.set(Some(Arc::new(wake.build_callback(|call| Ok((call.value,).into()))?)));
    Ok(())
}

/// Lets a circuit of this thread listen; `None` where nobody has said what to call.
pub(crate) fn listen(circuit: u32, breaker: &Breaker) -> Option<ListenerId> {
    let wake = WAKE.with_borrow(Clone::clone)?;
    Some(breaker.subscribe(Arc::new(move |_| {
        // A thread that is ending takes no more calls; its listeners go with its circuits.
        wake.call(circuit, ThreadsafeFunctionCallMode::NonBlocking);
    })))
}
