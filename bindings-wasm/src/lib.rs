//! The breaker behind WebAssembly: the border, and nothing that decides.
//!
//! The TypeScript in `ts/` is what users see, and the only caller of what is exported here. It hands back pointers as
//! it got them, and none after it was freed.
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

mod runtime;
mod wire;

use alloc::boxed::Box;

use halfopen::Jitter;
use halfopen_circuit::{Circuit, asked};
pub use wire::Wire;

#[link(wasm_import_module = "./asked.js")]
unsafe extern "C" {
    /// Milliseconds on the clock of the breaker that is at work; NaN where there is no time to tell.
    safe fn now() -> f64;
    /// Says that this was no time.
    safe fn refuse(millis: f64);
}

/// A closed circuit of the fields in the request; null, and an answer, where one is refused.
#[unsafe(no_mangle)]
pub extern "C" fn create(wire: &Wire, seed: f64) -> Option<Box<Circuit>> {
    let made = Circuit::create(&wire.take(), asked(|| now(), |millis| refuse(millis)), Jitter { seed: seed.to_bits() });
    made.map_err(|refusal| wire.put(refusal)).ok().map(Box::new)
}

/// Lets go of a circuit.
#[unsafe(no_mangle)]
pub extern "C" fn free(circuit: Box<Circuit>) {
    drop(circuit);
}

/// See [`Circuit::enter`].
#[unsafe(no_mangle)]
pub extern "C" fn enter(circuit: &Circuit) -> f64 {
    circuit.enter()
}

/// See [`Circuit::settle`].
#[unsafe(no_mangle)]
pub extern "C" fn settle(circuit: &Circuit, ticket: f64, outcome: usize) -> bool {
    circuit.settle(ticket, outcome)
}

/// See [`Circuit::wait`].
#[unsafe(no_mangle)]
pub extern "C" fn wait(circuit: &Circuit) -> f64 {
    circuit.wait()
}

/// Answers the request: see [`Circuit::operate`].
#[unsafe(no_mangle)]
pub extern "C" fn operate(wire: &Wire, circuit: &Circuit) {
    wire.put(circuit.operate(&wire.take()));
}
