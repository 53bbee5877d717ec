//! The failures that calls of one breaker have counted, so that the calls around them do not count them again.
//!
//! A failure passes from a call to the calls around it as an object: an error, or a response. On its way it may pass through
//! a task, a thread or a future, so a call cannot tell by its context which calls were made inside it. Two facts tell: the
//! object is the same, and the call that counted it began later and has ended already. A call that begins later counts the
//! same object again.
//!
//! Any other result may be a constant, which calls that run side by side return as well. See [`crate::nesting`] for those.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use crate::ffi::is_shared;
use crate::imports::Imports;
use crate::lock::Lock;

/// Calls are numbered in the order in which they begin, from 1.
#[derive(Default)]
pub struct Counted {
    /// The number of the last call that has begun. Written without a lock prefix, which takes 5 ns: the interpreter's lock
    /// keeps others away. Without that lock two calls may get the same number; neither is inside the other then.
    begun: AtomicU64,
    /// The number of the last call that had begun when a failure was noted.
    noted: AtomicU64,
    /// The same for results that are noted in contexts.
    results_noted: AtomicU64,
    /// Healthy sessions that have not ended: they may still end with a failure.
    sessions: AtomicU64,
    failures: Lock<Failures>,
}

/// The noted failures, by address.
#[derive(Default)]
struct Failures {
    noted: BTreeMap<usize, Failure>,
    /// How many were alive at the last clean-up. The next clean-up comes when as many again have been noted.
    survived: usize,
}

struct Failure {
    /// The number of the call that counted it.
    call: u64,
    /// See [`token_of`].
    token: Py<PyAny>,
}

impl Counted {
    /// The number of a call that begins now.
    #[inline(always)]
    pub fn next_call(&self) -> u64 {
        let number = self.begun.load(Ordering::Relaxed) + 1;
        self.begun.store(number, Ordering::Relaxed);
        number
    }

    /// A call counts this failure while calls around it may be in flight.
    pub fn note(&self, call: u64, failure: &Bound<'_, PyAny>) {
        let Ok(token) = token_of(failure) else { return };
        let gone = {
            let mut failures = self.failures.lock();
            let replaced = failures.noted.insert(address_of(failure), Failure { call, token: token.unbind() });
            let mut gone = failures.remove_dead(failure.py());
            gone.extend(replaced);
            gone
        };
        // Dropped without the lock, because that may run a finalizer of the host.
        drop(gone);
        self.noted.store(self.begun.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether a call has counted a failure since this call began.
    #[inline]
    pub fn any_since(&self, call: u64) -> bool {
        self.noted.load(Ordering::Relaxed) >= call
    }

    /// Whether a call that began after this one has counted this failure.
    pub fn contains(&self, call: u64, failure: &Bound<'_, PyAny>) -> bool {
        if !self.any_since(call) {
            return false;
        }
        let py = failure.py();
        let later = |noted: &&Failure| noted.call > call;
        let noted =
            self.failures.lock().noted.get(&address_of(failure)).filter(later).map(|noted| noted.token.clone_ref(py));
        noted.is_some_and(|token| is_token_of(token.bind(py), failure))
    }

    /// No call is in flight that could end with a noted failure.
    pub fn clear(&self) {
        if self.noted.load(Ordering::Relaxed) == 0 {
            return;
        }
        let failures = std::mem::take(&mut *self.failures.lock());
        drop(failures);
        self.noted.store(0, Ordering::Relaxed);
    }

    /// A result was noted in a context.
    pub fn result_noted(&self) {
        self.results_noted.store(self.begun.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether a result has been noted in any context since this call began.
    #[inline(always)]
    pub fn any_result_since(&self, call: u64) -> bool {
        self.results_noted.load(Ordering::Relaxed) >= call
    }

    pub fn session_is_healthy(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    pub fn session_has_ended(&self) {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn has_sessions(&self) -> bool {
        self.sessions.load(Ordering::Relaxed) > 0
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let visited = |failures: &Failures| failures.noted.values().try_for_each(|noted| visit.call(&noted.token));
        self.failures.traverse(visited)
    }
}

impl Failures {
    /// Removes the failures whose objects are gone, once in a while. So at most twice as many are noted as the host
    /// keeps alive, plus a few.
    fn remove_dead(&mut self, py: Python<'_>) -> Vec<Failure> {
        const FEW: usize = 16;
        if self.noted.len() <= 2 * self.survived + FEW {
            return Vec::new();
        }
        let noted = std::mem::take(&mut self.noted);
        let (alive, dead): (BTreeMap<_, _>, BTreeMap<_, _>) =
            noted.into_iter().partition(|(_, failure)| is_alive(failure.token.bind(py)));
        self.survived = alive.len();
        self.noted = alive;
        dead.into_values().collect()
    }
}

/// Identifies an object as long as the token is held: a weak reference, or else the dictionary of the object's attributes.
/// Python's own exceptions cannot be referred to weakly, but each has such a dictionary, mostly an empty one. An object
/// with neither is its own token, and so is kept alive.
fn token_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match PyWeakrefReference::new(object) {
        Ok(reference) => Ok(reference.into_any()),
        Err(_) => Ok(attributes_of(object)?.unwrap_or_else(|| object.clone())),
    }
}

/// Whether a token stands for this object.
fn is_token_of(token: &Bound<'_, PyAny>, object: &Bound<'_, PyAny>) -> bool {
    match token.cast::<PyWeakrefReference>() {
        Ok(reference) => reference.upgrade().is_some_and(|noted| noted.is(object)),
        Err(_) => token.is(object) || attributes_of(object).is_ok_and(|it| it.is_some_and(|it| it.is(token))),
    }
}

/// Whether anybody else has the object that a token stands for.
fn is_alive(token: &Bound<'_, PyAny>) -> bool {
    match token.cast::<PyWeakrefReference>() {
        Ok(reference) => reference.upgrade().is_some(),
        Err(_) => is_shared(token),
    }
}

fn attributes_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    object.getattr_opt(&Imports::get(object.py())?.names.dict)
}

fn address_of(object: &Bound<'_, PyAny>) -> usize {
    object.as_ptr().addr()
}
