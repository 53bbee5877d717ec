//! The core's rules for HTTP responses.

use std::time::Duration;

use halfopen::classify::{self, Response};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::error::refused;

/// The outcome, the hint, the scope and the cooldown, waits in seconds.
type Fields = (&'static str, Option<f64>, Option<&'static str>, Option<f64>);

/// Classifies a response.
#[pyfunction]
#[pyo3(signature = (status, code, headers, now, /))]
pub fn classify_response(
    py: Python<'_>,
    status: u16,
    code: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    now: f64,
) -> PyResult<Fields> {
    let (code, headers) = (text_of(code), pairs_of(headers));
    let code = code.as_deref();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let no_time = |_| refused(py, "now", &now.into(), "seconds since the Unix epoch, at least 0");
    let now = Duration::try_from_secs_f64(now).map_err(no_time)?;
    let verdict = Response { status, code, headers: &headers, now }.verdict();
    let seconds = |wait: Option<Duration>| wait.map(|wait| wait.as_secs_f64());
    let scope = verdict.scope().map(classify::Scope::as_str);
    Ok((verdict.outcome().as_str(), seconds(verdict.retry_after()), scope, seconds(verdict.cooldown())))
}

/// The HTTP status that a provider's error code stands for; `None` if it is not known.
#[pyfunction]
#[pyo3(signature = (code, /))]
pub fn status_of_code(code: &Bound<'_, PyAny>) -> Option<u16> {
    classify::status_of_code(&text_of(code)?)
}

/// The pairs of texts in a list of tuples. PyO3 would import a class at the first use to take any sequence.
fn pairs_of(list: &Bound<'_, PyAny>) -> Vec<(String, String)> {
    let Ok(list) = list.cast::<PyList>() else { return Vec::new() };
    let pair_of = |item: Bound<'_, PyAny>| {
        let pair = item.cast::<PyTuple>().ok()?;
        Some((text_of(&pair.get_item(0).ok()?)?, text_of(&pair.get_item(1).ok()?)?))
    };
    list.iter().filter_map(pair_of).collect()
}

fn text_of(object: &Bound<'_, PyAny>) -> Option<String> {
    object.cast::<PyString>().ok()?.extract().ok()
}

/// The HTTP status that the close code of a WebSocket stands for, if the provider sent it; `None` for an ordinary end.
#[pyfunction]
#[pyo3(signature = (code, /))]
pub fn status_of_close_code(code: u16) -> Option<u16> {
    classify::status_of_close_code(code)
}
