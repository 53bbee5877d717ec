//! Python objects that this library uses, imported once: at interpreter exit, imports fail before the last call is made.
//!
//! Nothing is imported, and no name made, at its first use. A child that is forked while another thread does so would wait
//! for that thread, which does not exist in the child. So clippy refuses `intern!` and `PyOnceLock` everywhere else.

use pyo3::exceptions::{PyException, PyImportError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

pub struct Imports {
    pub invalid_value: Py<PyType>,
    pub registry_full: Py<PyType>,
    pub circuit_open: Py<PyType>,
    /// `Exception.__new__`.
    pub new_exception: Py<PyAny>,
    pub exception_group: Py<PyType>,
    pub guarded_stream: Py<PyAny>,
    pub is_stream_object: Py<PyAny>,
    pub items_of: Py<PyAny>,
    /// `halfopen._error_rules.classify_error`: the verdict about an exception.
    pub classify_error: Py<PyAny>,
    /// Of `halfopen._error_rules`.
    pub failures_in: Py<PyAny>,
    /// Of `halfopen._result_rules`.
    pub is_response: Py<PyAny>,
    /// The verdict of `halfopen._library_errors`.
    pub failure: Py<PyAny>,
    /// `halfopen._arguments.is_python_function`: whether a call reaches Python code without anything before it that could raise.
    pub is_python_function: Py<PyAny>,
    /// `halfopen._deferred.followed`: the result, or a proxy of it that settles the call at its end.
    pub followed: Py<PyAny>,
    pub coroutine: Py<PyType>,
    pub generator: Py<PyType>,
    pub async_generator: Py<PyType>,
    /// `concurrent.futures.Future`.
    pub future: Py<PyType>,
    /// `threading.current_thread`.
    pub current_thread: Py<PyAny>,
    /// `threading.main_thread`.
    pub main_thread: Py<PyAny>,
    /// The blocks that a context has entered.
    pub entered: Variable,
    /// The probes that a context is inside.
    pub probes: Variable,
    /// The results that were counted as failures in a context.
    pub results: Variable,
    pub names: Names,
}

/// A context variable.
pub struct Variable {
    get: Py<PyAny>,
    set: Py<PyAny>,
}

impl Variable {
    fn new(py: Python<'_>, name: &str) -> PyResult<Self> {
        let variable = py.import("contextvars")?.getattr("ContextVar")?.call1((name,))?;
        Ok(Self { get: variable.getattr("get")?.unbind(), set: variable.getattr("set")?.unbind() })
    }

    /// Its value in the running context, or `None`.
    pub fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.get.bind(py).call1((py.None(),))
    }

    /// Sets it in the running context.
    pub fn set<'py>(&self, py: Python<'py>, value: impl IntoPyObject<'py>) -> PyResult<()> {
        self.set.bind(py).call1((value,)).map(drop)
    }
}

macro_rules! names {
    ($($field:ident = $name:literal,)*) => {
        /// Names of attributes.
        pub struct Names {
            $(pub $field: Py<PyString>,)*
        }

        impl Names {
            fn new(py: Python<'_>) -> Self {
                Self { $($field: PyString::intern(py, $name).unbind(),)* }
            }
        }
    };
}

names! {
    admitted = "admitted",
    begin = "begin",
    changed = "changed",
    class = "__class__",
    close = "close",
    code_flags = "co_flags",
    dict = "__dict__",
    end = "end",
    exceptions = "exceptions",
    first_item = "first_item",
    fail = "fail",
    generator_code = "gi_code",
    passed = "passed",
    raised = "raised",
    rejected = "rejected",
    response = "response",
    returned = "returned",
    settled = "settled",
    status_code = "status_code",
    throw = "throw",
    traceback = "__traceback__",
    value = "value",
}

static IMPORTS: PyOnceLock<Imports> = PyOnceLock::new();

impl Imports {
    /// Fails only while `halfopen` itself is being imported.
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        IMPORTS.get(py).ok_or_else(not_imported)
    }

    fn load(py: Python<'_>) -> PyResult<Self> {
        let of = |module: &str, name: &str| py.import(module)?.getattr(name);
        let function = |module: &str, name: &str| Ok::<_, PyErr>(of(module, name)?.unbind());
        let class = |module: &str, name: &str| Ok::<_, PyErr>(of(module, name)?.cast_into::<PyType>()?.unbind());
        Ok(Self {
            invalid_value: class("halfopen.errors", "InvalidValueError")?,
            registry_full: class("halfopen.errors", "RegistryFullError")?,
            circuit_open: class("halfopen.errors", "CircuitBreakerOpenError")?,
            new_exception: py.get_type::<PyException>().getattr("__new__")?.unbind(),
            exception_group: class("builtins", "ExceptionGroup")?,
            guarded_stream: function("halfopen._stream_objects", "guarded_stream")?,
            is_stream_object: function("halfopen._stream_objects", "is_stream_object")?,
            items_of: function("halfopen._stream_objects", "items_of")?,
            classify_error: function("halfopen._error_rules", "classify_error")?,
            failures_in: function("halfopen._error_rules", "failures_in")?,
            is_response: function("halfopen._result_rules", "is_response")?,
            failure: function("halfopen._library_errors", "FAILURE")?,
            is_python_function: function("halfopen._arguments", "is_python_function")?,
            followed: function("halfopen._deferred", "followed")?,
            coroutine: class("types", "CoroutineType")?,
            generator: class("types", "GeneratorType")?,
            async_generator: class("types", "AsyncGeneratorType")?,
            future: class("concurrent.futures", "Future")?,
            current_thread: function("threading", "current_thread")?,
            main_thread: function("threading", "main_thread")?,
            entered: Variable::new(py, "halfopen_entered")?,
            probes: Variable::new(py, "halfopen_probes")?,
            results: Variable::new(py, "halfopen_counted_results")?,
            names: Names::new(py),
        })
    }
}

#[cold]
fn not_imported() -> PyErr {
    PyImportError::new_err("halfopen has not been imported yet")
}

/// Imports all that calls need, before the first one is made.
#[pyfunction]
pub fn load_imports(py: Python<'_>) -> PyResult<()> {
    if IMPORTS.get(py).is_none() {
        // Loaded first and kept then: so the cell is never being filled while other threads run.
        let _ = IMPORTS.set(py, Imports::load(py)?);
    }
    Ok(())
}
