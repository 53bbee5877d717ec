//! The circuits of an environment by number, and the functions that JavaScript calls them by.
//!
//! One function for all circuits, and not one for each: what V8 calls again and again at one place it calls without a
//! detour, and a function costs a kilobyte and some microseconds to make.

use std::cell::RefCell;
use std::rc::Rc;

use halfopen::{Clock, Jitter, SystemClock};
use halfopen_circuit::{Circuit, Now};

use crate::js::{Env, Js};

/// A number is handed out again once its circuit was freed, which JavaScript does when nobody can name it any more.
#[derive(Default)]
pub(crate) struct Circuits {
    // No circuit calls its host, so neither is ever borrowed twice.
    kept: RefCell<Vec<Option<Box<Circuit>>>>,
    free: RefCell<Vec<usize>>,
}

impl Circuits {
    fn keep(&self, circuit: Circuit) -> usize {
        let number = self.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut kept = self.kept.borrow_mut();
            kept.push(None);
            kept.len() - 1
        });
        self.kept.borrow_mut()[number] = Some(Box::new(circuit));
        number
    }

    /// What `work` brings, with the circuit of that number.
    fn with<T>(&self, number: usize, work: impl FnOnce(&mut Circuit) -> T) -> Option<T> {
        self.kept.borrow_mut().get_mut(number)?.as_deref_mut().map(work)
    }
}

/// `create(fields, millis)`: the number of a closed circuit, or the bytes that refuse it. Its host tells it the time;
/// without a first one it reads the platform's monotonic clock.
pub(crate) fn create<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [fields, millis] = arguments;
    let now = env.number_of(millis).map_or_else(own_clock, Now::told);
    match Circuit::create(&env.bytes_of(fields)?, now, Jitter::drawn()) {
        Ok(circuit) => env.number(all.keep(circuit) as f64),
        Err(refusal) => env.bytes(&refusal),
    }
}

fn own_clock() -> Now {
    let clock = SystemClock::new();
    Now::Own(Box::new(move || clock.now()))
}

/// `free(circuit)`: lets go of it.
pub(crate) fn free<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    let number = env.index_of(number)?;
    let gone = all.kept.borrow_mut().get_mut(number)?.take();
    if gone.is_some() {
        all.free.borrow_mut().push(number);
    }
    None
}

/// `enter(circuit)`: see [`Circuit::enter`].
pub(crate) fn enter<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    env.number(all.with(env.index_of(number)?, Circuit::enter)?)
}

/// `isTimed(circuit)`: 1 for what [`Circuit::is_timed`] affirms.
pub(crate) fn is_timed<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    env.number(all.with(env.index_of(number)?, |circuit| circuit.is_timed())?.into())
}

/// `enterAt(circuit, millis)`: see [`Circuit::enter_at`].
pub(crate) fn enter_at<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [number, millis] = arguments;
    let millis = env.number_of(millis)?;
    env.number(all.with(env.index_of(number)?, |circuit| circuit.enter_at(millis))?)
}

/// `settle(circuit, ticket, outcome)`: see [`Circuit::settle`].
pub(crate) fn settle<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 3]) -> Option<Js<'call>> {
    let [number, ticket, outcome] = arguments;
    let (ticket, outcome) = (env.number_of(ticket)?, env.index_of(outcome)?);
    env.number(all.with(env.index_of(number)?, |circuit| circuit.settle(ticket, outcome))?)
}

/// `settleAt(circuit, ticket, outcome, millis)`: see [`Circuit::settle_at`].
pub(crate) fn settle_at<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 4]) -> Option<Js<'call>> {
    let [number, ticket, outcome, millis] = arguments;
    let (ticket, outcome, millis) = (env.number_of(ticket)?, env.index_of(outcome)?, env.number_of(millis)?);
    env.number(all.with(env.index_of(number)?, |circuit| circuit.settle_at(ticket, outcome, millis))?)
}

/// `wait(circuit)`: see [`Circuit::wait`].
pub(crate) fn wait<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    env.number(all.with(env.index_of(number)?, |circuit| circuit.wait())?)
}

/// `operate(circuit, request, millis)`: see [`Circuit::operate`].
pub(crate) fn operate<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 3]) -> Option<Js<'call>> {
    let [number, request, millis] = arguments;
    let (request, millis) = (env.bytes_of(request)?, env.number_of(millis)?);
    env.bytes(&all.with(env.index_of(number)?, |circuit| circuit.operate(&request, millis))?)
}
