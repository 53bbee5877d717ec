//! Checks of what a pool will be made of, where its user declares it.

use halfopen::InvalidValue;
use halfopen::host::Value;
use halfopen::pool::{Policy, Provider};
use pyo3::prelude::*;

use crate::convert::value_of;
use crate::error::to_python;

/// Refuses a policy of which a field is not allowed; the document is that of `Pool` without providers.
#[pyfunction]
#[pyo3(signature = (document, /))]
pub fn check_policy(document: &Bound<'_, PyAny>) -> PyResult<()> {
    checked(document, Policy::from_value)
}

/// Refuses a provider of which a field is not allowed.
#[pyfunction]
#[pyo3(signature = (document, /))]
pub fn check_provider(document: &Bound<'_, PyAny>) -> PyResult<()> {
    checked(document, Provider::from_value)
}

fn checked<T>(document: &Bound<'_, PyAny>, read: fn(&Value) -> Result<T, InvalidValue>) -> PyResult<()> {
    read(&value_of(document)).map(drop).map_err(|error| to_python(document.py(), &error))
}
