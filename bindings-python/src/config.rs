//! `CircuitBreakerConfig`.

use halfopen::Config;
use halfopen::host::{self, Entries, Spelling, Value};
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

    fn never_changes(&self, name: &str) -> PyErr {
        PyAttributeError::new_err(match host::config_field(&self.config, name) {
            Some(_) => format!(
                "a configuration never changes: model_copy(update={{'{name}': …}}) makes another one, which a breaker's \
                 reconfigure() puts in force"
            ),
            None => no_field(name),
        })
    }
}

fn no_field(name: &str) -> String {
    format!("'CircuitBreakerConfig' has no field '{name}'")
}

#[pymethods]
impl PyConfig {
    #[new]
    #[pyo3(signature = (**fields))]
    fn new(py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut builder = Config::builder();
        for (name, value) in fields.into_iter().flatten() {
            builder = host::set(builder, &name.extract::<String>()?, value_of(&value));
        }
        let config = builder.build().map_err(|error| to_python(py, &error))?;
        Ok(Self { config })
    }

    /// A field's value.
    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match host::config_field(&self.config, name) {
            Some(value) => object_of(py, &value),
            None => Err(PyAttributeError::new_err(no_field(name))),
        }
    }

    fn __setattr__(&self, name: &str, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(self.never_changes(name))
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        Err(self.never_changes(name))
    }

    /// All fields with their values, which are the same in each of pydantic's modes.
    #[pyo3(signature = (*, mode = "python"))]
    fn model_dump<'py>(&self, py: Python<'py>, mode: &str) -> PyResult<Bound<'py, PyDict>> {
        let _ = mode;
        dict_of(py, self.config.entries())
    }

    /// A copy, with the fields in `update` changed and checked.
    #[pyo3(signature = (*, update = None, deep = None))]
    fn model_copy(
        &self,
        py: Python<'_>,
        update: Option<&Bound<'_, PyDict>>,
        deep: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        // Nothing in a configuration can change, so a deep copy is the same copy.
        let _ = deep;
        let fields = dict_of(py, self.config.entries())?;
        if let Some(update) = update {
            fields.update(update.as_mapping())?;
        }
        Self::new(py, Some(&fields))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        Ok((PyTuple::empty(py), dict_of(py, self.config.entries())?))
    }

    /// The fields with their values, as JSON.
    fn model_dump_json(&self) -> String {
        self.config.entries().collect::<Value>().to_json()
    }

    /// A configuration from a dictionary of fields; one that is a configuration already is returned.
    ///
    /// Raises `InvalidValueError`, naming the field.
    #[staticmethod]
    fn model_validate<'py>(obj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let py = obj.py();
        if let Ok(config) = obj.cast::<Self>() {
            return Ok(config.clone());
        }
        let config = host::config_from(&value_of(obj), Spelling::SnakeCase).map_err(|error| to_python(py, &error))?;
        Bound::new(py, Self { config })
    }

    /// How a circuit with this configuration behaves, in sentences.
    fn explain(&self) -> Vec<String> {
        self.config.explain()
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyString::new(py, &self.__repr__(py)?).hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut fields = Vec::new();
        for (name, value) in self.config.entries() {
            fields.push(format!("{name}={}", object_of(py, &value)?.repr()?.to_cow()?));
        }
        Ok(format!("CircuitBreakerConfig({})", fields.join(", ")))
    }

    fn __dir__(&self) -> Vec<&'static str> {
        let fields = self.config.entries().map(|(name, _)| name);
        fields.chain(["explain", "model_copy", "model_dump", "model_dump_json", "model_validate"]).collect()
    }
}

/// The JSON Schema of a configuration.
#[pyfunction]
pub fn config_json_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    object_of(py, &host::config_schema())
}
