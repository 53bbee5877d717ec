//! What this library uses of Python, imported once: when the interpreter ends, imports fail before the last call is made.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

pub struct Imports {
    pub invalid_value: Py<PyType>,
    pub circuit_open: Py<PyType>,
    /// `Exception.__new__`.
    pub new_exception: Py<PyAny>,
    pub exception_group: Py<PyType>,
    /// Of `halfopen._classify`.
    pub classified: Py<PyAny>,
    pub guarded_stream: Py<PyAny>,
    /// Of `halfopen._deferred`.
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
    /// Methods of the context variable that holds the entered blocks. Kept, because a name made by `intern!` at its first
    /// use would hang a child that is forked meanwhile.
    pub get_entered: Py<PyAny>,
    pub set_entered: Py<PyAny>,
}

impl Imports {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        static IMPORTS: PyOnceLock<Imports> = PyOnceLock::new();
        IMPORTS.get_or_try_init(py, || Self::load(py))
    }

    fn load(py: Python<'_>) -> PyResult<Self> {
        let of = |module: &str, name: &str| py.import(module)?.getattr(name);
        let function = |module: &str, name: &str| Ok::<_, PyErr>(of(module, name)?.unbind());
        let class = |module: &str, name: &str| Ok::<_, PyErr>(of(module, name)?.cast_into::<PyType>()?.unbind());
        let entered = of("contextvars", "ContextVar")?.call1(("halfopen_entered",))?;
        Ok(Self {
            invalid_value: class("halfopen.errors", "InvalidValueError")?,
            circuit_open: class("halfopen.errors", "CircuitBreakerOpenError")?,
            new_exception: py.get_type::<PyException>().getattr("__new__")?.unbind(),
            exception_group: class("builtins", "ExceptionGroup")?,
            classified: function("halfopen._classify", "classified")?,
            guarded_stream: function("halfopen._streams", "guarded_stream")?,
            followed: function("halfopen._deferred", "followed")?,
            coroutine: class("types", "CoroutineType")?,
            generator: class("types", "GeneratorType")?,
            async_generator: class("types", "AsyncGeneratorType")?,
            future: class("concurrent.futures", "Future")?,
            current_thread: function("threading", "current_thread")?,
            main_thread: function("threading", "main_thread")?,
            get_entered: entered.getattr("get")?.unbind(),
            set_entered: entered.getattr("set")?.unbind(),
        })
    }
}

/// Imports all that calls need, before the first one is made.
#[pyfunction]
pub fn load_imports(py: Python<'_>) -> PyResult<()> {
    Imports::get(py).map(|_| ())
}
