//! The circuits of an environment by number, and the functions that JavaScript calls them by.
//!
//! One function for all circuits, and not one for each: what V8 calls again and again at one place it calls without a
//! detour, and a function costs a kilobyte and some microseconds to make.

use std::cell::RefCell;
use std::rc::Rc;

use halfopen::Jitter;
use halfopen_circuit::Circuit;

use crate::clock::clock;
use crate::js::{Env, Js};

/// A number is handed out again once its circuit was freed, which JavaScript does when nobody can name it any more.
#[derive(Default)]
pub(crate) struct Circuits {
    // Borrowed for single statements that run no host code, so never twice.
    kept: RefCell<Vec<Option<Rc<Circuit>>>>,
    free: RefCell<Vec<usize>>,
}

impl Circuits {
    fn keep(&self, circuit: Circuit) -> usize {
        let number = self.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut kept = self.kept.borrow_mut();
            kept.push(None);
            kept.len() - 1
        });
        self.kept.borrow_mut()[number] = Some(Rc::new(circuit));
        number
    }

    /// The circuit of that number: a handle of one's own, since its clock may free others meanwhile.
    fn get(&self, env: Env<'_>, number: Js<'_>) -> Option<Rc<Circuit>> {
        let number = env.number_of(number)? as usize;
        self.kept.borrow().get(number)?.clone()
    }
}

/// `create(fields, now, refuse)`: the number of a closed circuit, or the bytes that refuse it. Where the last two are
/// functions it asks them for the time.
pub(crate) fn create<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 3]) -> Option<Js<'call>> {
    let [fields, now, refuse] = arguments;
    match Circuit::create(&env.bytes_of(fields)?, clock(env, now, refuse), Jitter::drawn()) {
        Ok(circuit) => env.number(all.keep(circuit) as f64),
        Err(refusal) => env.bytes(&refusal),
    }
}

/// `free(circuit)`: lets go of it.
pub(crate) fn free<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    let number = env.number_of(number)? as usize;
    let gone = all.kept.borrow_mut().get_mut(number)?.take();
    if gone.is_some() {
        all.free.borrow_mut().push(number);
    }
    None
}

/// `enter(circuit)`: see [`Circuit::enter`].
pub(crate) fn enter<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    env.number(all.get(env, number)?.enter())
}

/// `settle(circuit, ticket, outcome)`: see [`Circuit::settle`].
pub(crate) fn settle<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 3]) -> Option<Js<'call>> {
    let [number, ticket, outcome] = arguments;
    env.boolean(all.get(env, number)?.settle(env.number_of(ticket)?, env.number_of(outcome)? as usize))
}

/// `wait(circuit)`: see [`Circuit::wait`].
pub(crate) fn wait<'call>(all: &Rc<Circuits>, env: Env<'call>, [number]: [Js<'call>; 1]) -> Option<Js<'call>> {
    env.number(all.get(env, number)?.wait())
}

/// `operate(circuit, request)`: see [`Circuit::operate`].
pub(crate) fn operate<'call>(all: &Rc<Circuits>, env: Env<'call>, arguments: [Js<'call>; 2]) -> Option<Js<'call>> {
    let [number, request] = arguments;
    env.bytes(&all.get(env, number)?.operate(&env.bytes_of(request)?))
}
