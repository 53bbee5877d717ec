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

use halfopen::{Jitter, Tick};
use halfopen_circuit::{Circuit, Now};
use runtime::room_for_an_order;
pub use wire::Wire;

/// A closed circuit of the fields in the request; null, and an answer, where one is refused.
#[unsafe(no_mangle)]
pub extern "C" fn create(wire: &mut Wire, seed: f64, millis: f64) -> Option<Box<Circuit>> {
    room_for_an_order();
    let made = Circuit::create(&wire.take(), Now::told(millis), Jitter { seed: seed.to_bits() });
    made.map_err(|refusal| wire.put(refusal)).ok().map(Box::new)
}

/// See [`Tick::LATEST_MILLIS`].
#[unsafe(no_mangle)]
pub extern "C" fn latest() -> f64 {
    Tick::LATEST_MILLIS
}

/// Lets go of a circuit.
#[unsafe(no_mangle)]
pub extern "C" fn free(circuit: Box<Circuit>) {
    drop(circuit);
}

/// See [`Circuit::enter`].
#[unsafe(no_mangle)]
pub extern "C" fn enter(circuit: &mut Circuit) -> f64 {
    circuit.enter()
}

/// See [`Circuit::is_timed`].
#[unsafe(no_mangle)]
pub extern "C" fn is_timed(circuit: &Circuit) -> bool {
    circuit.is_timed()
}

/// See [`Circuit::enter_at`].
#[unsafe(no_mangle)]
pub extern "C" fn enter_at(circuit: &mut Circuit, millis: f64) -> f64 {
    circuit.enter_at(millis)
}

/// See [`Circuit::settle`].
#[unsafe(no_mangle)]
pub extern "C" fn settle(circuit: &mut Circuit, ticket: f64, outcome: usize) -> f64 {
    circuit.settle(ticket, outcome)
}

/// See [`Circuit::settle_at`].
#[unsafe(no_mangle)]
pub extern "C" fn settle_at(circuit: &mut Circuit, ticket: f64, outcome: usize, millis: f64) -> f64 {
    circuit.settle_at(ticket, outcome, millis)
}

/// See [`Circuit::wait`].
#[unsafe(no_mangle)]
pub extern "C" fn wait(circuit: &Circuit) -> f64 {
    circuit.wait()
}

/// Answers the request: see [`Circuit::operate`].
#[unsafe(no_mangle)]
pub extern "C" fn operate(wire: &mut Wire, circuit: &mut Circuit, millis: f64) {
    room_for_an_order();
    let answer = circuit.operate(&wire.take(), millis);
    wire.put(answer);
}
