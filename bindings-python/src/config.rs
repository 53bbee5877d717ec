//! `CircuitBreakerConfig`.

use halfopen::Config;
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::convert::{dict_of, object_of, value_of};
use crate::error::to_python;

/// A checked configuration of a circuit breaker; its fields are attributes. It never changes.
///
/// Raises `InvalidValueError`, naming the field, for a value that is not allowed or a field that does not exist.
#[pyclass(frozen, eq, name = "CircuitBreakerConfig", module = "halfopen")]
#[derive(PartialEq)]
pub struct PyConfig {
    config: Config,
}

impl PyConfig {
    pub fn config(&self) -> &Config {
        &self.config
    }
}

#[pymethods]
impl PyConfig {
    #[new]
    #[pyo3(signature = (**fields))]
    fn new(py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut builder = Config::builder();
        for (name, value) in fields.into_iter().flatten() {
            builder = builder.set(&name.extract::<String>()?, value_of(&value));
        }
        let config = builder.build().map_err(|error| to_python(py, &error))?;
        Ok(Self { config })
    }

    /// A field's value.
    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self.config.entry(name) {
            Some(value) => object_of(py, value),
            None => Err(PyAttributeError::new_err(format!("'CircuitBreakerConfig' has no field '{name}'"))),
        }
    }

    /// All fields with their values.
    fn model_dump<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, self.config.entries())
    }

    /// A copy, with the fields in `update` changed and checked.
    #[pyo3(signature = (*, update = None, deep = false))]
    fn model_copy(&self, py: Python<'_>, update: Option<&Bound<'_, PyDict>>, deep: bool) -> PyResult<Self> {
        // Nothing in a configuration can change, so a deep copy is the same copy.
        let _ = deep;
        let fields = self.model_dump(py)?;
        if let Some(update) = update {
            fields.update(update.as_mapping())?;
        }
        Self::new(py, Some(&fields))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        Ok((PyTuple::empty(py), self.model_dump(py)?))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, &self.__repr__()).hash()
    }

    fn __repr__(&self) -> String {
        let fields: Vec<_> = self.config.entries().map(|(name, value)| format!("{name}={value}")).collect();
        format!("CircuitBreakerConfig({})", fields.join(", ").replace("=null", "=None"))
    }

    fn __dir__(&self) -> Vec<&'static str> {
        let fields = self.config.entries().map(|(name, _)| name);
        fields.chain(["model_dump", "model_copy"]).collect()
    }
}
