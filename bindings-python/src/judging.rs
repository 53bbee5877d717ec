//! Classifies the exceptions and results of calls with the rules in Python.

use halfopen::Outcome;
use halfopen::host;
use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::convert::{outcome_of, outcome_with_hint, value_of};
use crate::error::is_rejection;
use crate::ffi::{
    PLAIN_ERRORS, PLAIN_ITEMS, PLAIN_RESULTS, call_host, call_host_with_one, has_attribute, is_made_in_python,
    says_yes, unless_it_raised, while_handling,
};
use crate::imports::Imports;

/// The rules of a breaker; each function takes one argument and returns an outcome, a `Verdict` or `None`.
pub struct Judging {
    /// Classifies exceptions. Without it, each is a failure unless it is a rejection.
    pub classify: Option<Py<PyAny>>,
    /// Classifies results. Without it, each is a success.
    pub judge: Option<Py<PyAny>>,
    /// Whether `judge` looks at results of every class. Otherwise it returns `None` for those of a plain class.
    pub judges_all: bool,
}

impl Judging {
    /// The rules of a breaker that is not initialised, which admits no calls.
    pub const NONE: &Self = &Self { classify: None, judge: None, judges_all: false };

    /// Classifies an exception.
    #[inline]
    pub fn error(&self, error: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        if PLAIN_ERRORS.contains(error) && self.fails_plainly(error) {
            return Ok(Outcome::FAILURE);
        }
        self.classified(error)
    }

    #[inline(never)]
    fn classified(&self, error: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        let is_exception = error.is_instance_of::<PyException>();
        let Some(classify) = &self.classify else {
            return Ok(match is_exception {
                false => Outcome::Cancelled,
                true if is_rejection(error)? => Outcome::Ignored,
                true => Outcome::FAILURE,
            });
        };
        let answer = while_handling(error, || call_host_with_one(classify.bind(error.py()), error));
        let outcome = outcome_unless_it_raised(error.py(), answer)?.flatten();
        Ok(outcome.unwrap_or(if is_exception { Outcome::FAILURE } else { Outcome::Cancelled }))
    }

    /// Whether a result may mean anything but success.
    #[inline(always)]
    pub fn looks_at(&self, result: &Bound<'_, PyAny>) -> bool {
        self.judge.is_some() && (self.judges_all || is_made_in_python(result) && !PLAIN_RESULTS.contains(result))
    }

    /// Classifies a result.
    #[inline(never)]
    pub fn result(&self, result: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        let Some(judge) = &self.judge else { return Ok(Outcome::Success) };
        let answer = call_host_with_one(judge.bind(result.py()), result);
        let outcome = outcome_unless_it_raised(result.py(), answer)?;
        if outcome == Some(None) && !self.judges_all {
            PLAIN_RESULTS.add(result.get_type());
        }
        Ok(outcome.flatten().unwrap_or(Outcome::Success))
    }

    /// Whether an item of a stream is of a class that never reports an error.
    #[inline(always)]
    pub fn is_plain_item(item: &Bound<'_, PyAny>) -> bool {
        // A class made in C is in the table too: asking what it is made in takes a call.
        PLAIN_ITEMS.contains(item)
    }

    /// Classifies an item of any other class by the default rules; `None` if it reports no error.
    pub fn event(breaker: &Bound<'_, PyAny>, item: &Bound<'_, PyAny>) -> PyResult<Option<Outcome>> {
        let py = item.py();
        if !is_made_in_python(item) {
            PLAIN_ITEMS.add(item.get_type());
            return Ok(None);
        }
        let arguments = PyTuple::new(py, [breaker, item])?;
        let answer = call_host(Imports::get(py)?.verdict_of_event.bind(py), &arguments, None);
        let outcome = outcome_unless_it_raised(py, answer)?;
        if outcome == Some(None) {
            PLAIN_ITEMS.add(item.get_type());
        }
        Ok(outcome.flatten())
    }

    /// Classifies the end of a socket by its close code; `None` for an ordinary end.
    pub fn closed(socket: &Bound<'_, PyAny>) -> PyResult<Option<Outcome>> {
        let py = socket.py();
        let answer = call_host_with_one(Imports::get(py)?.verdict_of_closed.bind(py), socket);
        Ok(outcome_unless_it_raised(py, answer)?.flatten())
    }

    /// Whether a result that counts as a failure is a response. Otherwise it may be a constant.
    pub fn is_response(&self, result: &Bound<'_, PyAny>) -> bool {
        // The default rules judge nothing but responses.
        !self.judges_all
            || Imports::get(result.py())
                .and_then(|imports| says_yes(&imports.is_response, result))
                .is_ok_and(|is_failure| is_failure == Some(true))
    }

    /// Whether the default rules alone decide about exceptions, and class this one as a failure by its type alone.
    fn fails_plainly(&self, error: &Bound<'_, PyAny>) -> bool {
        let (Some(classify), Ok(imports)) = (&self.classify, Imports::get(error.py())) else { return false };
        classify.is(&imports.classify_error) && !has_attribute(error, imports.names.status_code.bind(error.py()))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.classify)?;
        visit.call(&self.judge)
    }
}

/// Adds a class whose exceptions are failures as long as they have no `status_code`. The default rules say which.
#[pyfunction]
#[pyo3(signature = (kind, /))]
pub fn add_plain_error(kind: Bound<'_, PyType>) {
    PLAIN_ERRORS.add(kind);
}

/// Whether an outcome may carry this wait, in seconds or `None`.
#[pyfunction]
#[pyo3(signature = (retry_after, /))]
pub fn is_hint(retry_after: &Bound<'_, PyAny>) -> bool {
    host::outcome_with_hint(Outcome::FAILURE, "retry_after", &value_of(retry_after)).is_ok()
}

/// The outcome in the answer of the host's code. `None` if that raised: when the interpreter is nearly gone, it may fail
/// for that reason alone.
fn outcome_unless_it_raised(py: Python<'_>, answer: PyResult<Bound<'_, PyAny>>) -> PyResult<Option<Option<Outcome>>> {
    unless_it_raised(py, answer.and_then(|answer| outcome_in(&answer)))
}

/// The outcome in an outcome or a `Verdict`; `None` for `None`.
fn outcome_in(answer: &Bound<'_, PyAny>) -> PyResult<Option<Outcome>> {
    let py = answer.py();
    if answer.is_none() {
        return Ok(None);
    }
    // The default rules return this object for nearly every exception.
    if answer.is(&Imports::get(py)?.failure) {
        return Ok(Some(Outcome::FAILURE));
    }
    if answer.is_instance_of::<PyString>() {
        return outcome_of(answer).map(Some);
    }
    let Ok(verdict) = answer.cast::<PyTuple>() else { return Ok(None) };
    let outcome = outcome_of(&verdict.get_item(0)?)?;
    outcome_with_hint(py, outcome, Some(&verdict.get_item(1)?)).map(Some)
}
