//! Values across the border, in both directions.

use halfopen::Outcome;
use halfopen::host::{self, Value};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{Borrowed, CastError};
use pythonize::pythonize;

use crate::error::{refused, to_python};
use halfopen::InvalidValue;

/// How deep dictionaries and lists may be nested; nothing that a field takes is deeper. Python can make them
/// endless.
const DEPTH: usize = 8;

/// A Python object as the core's value. Not by `pythonize`, because an object that no field takes becomes its `repr` for the
/// error, and a number keeps its kind.
pub fn value_of(object: &Bound<'_, PyAny>) -> Value {
    value_within(object, DEPTH)
}

fn value_within(object: &Bound<'_, PyAny>, depth: usize) -> Value {
    if object.is_none() {
        return Value::Null;
    }
    // Before the numbers: `bool` is a subclass of `int`.
    if let Ok(truth) = object.cast::<PyBool>() {
        return Value::Bool(truth.is_true());
    }
    if object.is_instance_of::<PyInt>()
        && let Ok(count) = object.extract::<u64>()
    {
        return Value::Uint(count);
    }
    if (object.is_instance_of::<PyInt>() || object.is_instance_of::<PyFloat>())
        && let Ok(number) = object.extract::<f64>()
    {
        return Value::Number(number);
    }
    if let Ok(text) = object.cast::<PyString>()
        && let Ok(text) = text.extract::<String>()
    {
        return Value::Text(text);
    }
    if depth > 0
        && let Ok(dict) = object.cast::<PyDict>()
        && let Some(entries) =
            dict.iter().map(|(name, value)| Some((name.extract().ok()?, value_within(&value, depth - 1)))).collect()
    {
        return Value::Map(entries);
    }
    if depth > 0
        && let Ok(list) = object.cast::<PyList>()
    {
        return Value::List(list.iter().map(|value| value_within(&value, depth - 1)).collect());
    }
    let shown = object.repr().and_then(|repr| repr.extract());
    Value::Other(shown.unwrap_or_else(|_| "an object without a repr".into()))
}

/// Parses a JSON document given as `str`, `bytes` or `bytearray`. The core parses it, as for every host.
pub fn json_of(field: &str, document: &Bound<'_, PyAny>) -> Result<Value, InvalidValue> {
    let text = if let Ok(bytes) = document.cast::<PyBytes>() {
        String::from_utf8(bytes.as_bytes().to_vec()).ok()
    } else if let Ok(bytes) = document.cast::<PyByteArray>() {
        String::from_utf8(bytes.to_vec()).ok()
    } else {
        document.extract().ok()
    };
    let refused = || InvalidValue::new(field, &value_of(document), "a JSON document, as a str");
    Value::from_json(field, &text.ok_or_else(refused)?)
}

/// A `bool` of Python. PyO3 also takes that of NumPy, for which it makes names at its first use; see
/// [`crate::imports`].
#[derive(Clone, Copy)]
pub struct Boolean(pub bool);

impl<'a, 'py> FromPyObject<'a, 'py> for Boolean {
    type Error = CastError<'a, 'py>;

    #[inline]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> Result<Self, Self::Error> {
        object.cast::<PyBool>().map(|truth| Self(truth.is_true()))
    }
}

/// The items of a list or a tuple. For a `Vec`, PyO3 imports `collections.abc` at its first use; see [`crate::imports`].
pub struct Items<T>(pub Vec<T>);

impl<'py, T: FromPyObjectOwned<'py>> FromPyObject<'_, 'py> for Items<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> Result<Self, Self::Error> {
        let item = |item: Bound<'py, PyAny>| item.extract().map_err(Into::into);
        let items: PyResult<_> = match object.cast::<PyList>() {
            Ok(list) => list.iter().map(item).collect(),
            Err(_) => object.cast::<PyTuple>()?.iter().map(item).collect(),
        };
        Ok(Self(items?))
    }
}

/// The core's value as a Python object.
pub fn object_of<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(pythonize(py, value)?)
}

/// Named values as a dictionary.
pub fn dict_of<'py>(
    py: Python<'py>,
    entries: impl Iterator<Item = (impl AsRef<str>, Value)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in entries {
        dict.set_item(name.as_ref(), object_of(py, &value)?)?;
    }
    Ok(dict)
}

/// Refuses what cannot be called.
#[inline]
pub fn check_callable(func: &Bound<'_, PyAny>) -> PyResult<()> {
    if func.is_callable() { Ok(()) } else { Err(not_callable(func)) }
}

#[cold]
fn not_callable(func: &Bound<'_, PyAny>) -> PyErr {
    refused(func.py(), "func", &value_of(func), "a function or another callable")
}

/// A count that is not a field of a configuration.
pub fn count_of(py: Python<'_>, name: &str, object: &Bound<'_, PyAny>) -> PyResult<u64> {
    match value_of(object) {
        Value::Uint(count) => Ok(count),
        other => Err(refused(py, name, &other, "a whole number, at least 0")),
    }
}

/// The outcome of that name.
pub fn outcome_of(name: &Bound<'_, PyAny>) -> PyResult<Outcome> {
    named("outcome", name, Outcome::ALL, |outcome| outcome.as_str())
}

/// The one of these values that has the given name.
pub fn named<T: Copy>(field: &str, name: &Bound<'_, PyAny>, all: &[T], name_of: fn(T) -> &'static str) -> PyResult<T> {
    let text = name.cast::<PyString>().ok().and_then(|text| text.to_str().ok());
    all.iter().copied().find(|value| text == Some(name_of(*value))).ok_or_else(|| {
        let allowed = all.iter().map(|value| name_of(*value)).collect::<Vec<_>>().join(", ");
        refused(name.py(), field, &value_of(name), &format!("one of: {allowed}"))
    })
}

/// An outcome with the hint that a failure may carry.
pub fn outcome_with_hint(
    py: Python<'_>,
    outcome: Outcome,
    retry_after: Option<&Bound<'_, PyAny>>,
) -> PyResult<Outcome> {
    let hint = retry_after.map_or(Value::Null, value_of);
    host::outcome_with_hint(outcome, "retry_after", &hint).map_err(|error| to_python(py, &error))
}
