//! Python objects that this library uses, imported once: at interpreter exit, imports fail before the last call is made.
//!
//! Nothing is imported, and no name made, at its first use. A child that is forked while another thread does so would wait
//! for that thread, which does not exist in the child. So clippy refuses `intern!` and `PyOnceLock` everywhere else.

use halfopen::control::Reason;
use pyo3::exceptions::{PyException, PyImportError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

/// Declares what is imported: its name here, its class, its module and its name there.
macro_rules! imports {
    ($($(#[$text:meta])* $field:ident: $class:ty = $module:literal $name:literal;)+) => {
        pub struct Imports {
            $($(#[$text])* pub $field: Py<$class>,)+
            /// `Exception.__new__`.
            pub new_exception: Py<PyAny>,
            /// The marks of a context; see [`crate::nesting`].
            pub marks: Variable,
            pub names: Names,
            /// The names of the reasons of rejections, in the order of [`Reason::ALL`].
            reasons: Vec<Py<PyString>>,
        }

        impl Imports {
            fn load(py: Python<'_>) -> PyResult<Self> {
                Ok(Self {
                    $($field: py.import($module)?.getattr($name)?.cast_into::<$class>()?.unbind(),)+
                    new_exception: py.get_type::<PyException>().getattr("__new__")?.unbind(),
                    marks: Variable::new(py, "halfopen_marks")?,
                    names: Names::new(py),
                    reasons: Reason::ALL.iter().map(|it| PyString::intern(py, it.as_str()).unbind()).collect(),
                })
            }
        }
    };
}

imports! {
    invalid_value: PyType = "halfopen.errors" "InvalidValueError";
    registry_full: PyType = "halfopen.errors" "RegistryFullError";
    circuit_open: PyType = "halfopen.errors" "CircuitBreakerOpenError";
    exception_group: PyType = "builtins" "ExceptionGroup";
    guarded_stream: PyAny = "halfopen._guard_stream" "guarded_stream";
    is_stream_object: PyAny = "halfopen._stream_objects" "is_stream_object";
    is_manager: PyAny = "halfopen._stream_managers" "is_manager";
    proxy: PyType = "halfopen._proxy" "Proxy";
    /// Whether a class is that of a call of `grpc.aio`.
    is_async_rpc: PyAny = "halfopen._rpc" "is_async_rpc";
    items_of: PyAny = "halfopen._stream_objects" "items_of";
    /// The verdict about an exception.
    classify_error: PyAny = "halfopen._error_rules" "classify_error";
    has_only_members_of: PyAny = "halfopen._error_rules" "has_only_members_of";
    is_rejection: PyAny = "halfopen._error_rules" "is_rejection";
    /// The verdict of a breaker about an item that reports an error, or `None` for an item of a class that never does.
    verdict_of_event: PyAny = "halfopen._stream_items" "verdict_of_event";
    /// The verdict on the close code of a socket, or `None` for an ordinary end.
    verdict_of_closed: PyAny = "halfopen._stream_items" "verdict_of_closed";
    failures_in: PyAny = "halfopen._error_rules" "failures_in";
    is_response: PyAny = "halfopen._result_rules" "is_response";
    failure: PyAny = "halfopen._library_errors" "FAILURE";
    /// Whether a call reaches Python code without anything before it that could raise.
    is_python_function: PyAny = "halfopen._arguments" "is_python_function";
    /// The result, or a proxy of it that settles the call at its end.
    followed: PyAny = "halfopen._deferred" "followed";
    /// With the slots that [`crate::ffi`] adds.
    next_item: PyAny = "halfopen._core" "NextItem";
    coroutine: PyType = "types" "CoroutineType";
    generator: PyType = "types" "GeneratorType";
    async_generator: PyType = "types" "AsyncGeneratorType";
    future: PyType = "concurrent.futures" "Future";
    nothing_to_close: PyAny = "halfopen._streams" "nothing_to_close";
    get_asyncgen_hooks: PyAny = "sys" "get_asyncgen_hooks";
    set_asyncgen_hooks: PyAny = "sys" "set_asyncgen_hooks";
    current_thread: PyAny = "threading" "current_thread";
    main_thread: PyAny = "threading" "main_thread";
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
    ($($same:ident)* $(; $field:ident = $name:literal)*) => {
        /// Names of attributes.
        pub struct Names {
            $(pub $same: Py<PyString>,)*
            $(pub $field: Py<PyString>,)*
        }

        impl Names {
            fn new(py: Python<'_>) -> Self {
                Self {
                    $($same: PyString::intern(py, stringify!($same)).unbind(),)*
                    $($field: PyString::intern(py, $name).unbind(),)*
                }
            }
        }
    };
}

/// The name of a method.
pub type Method = fn(&Names) -> &Py<PyString>;

names! {
    abandon aclose admitted arm asend athrow begin cancelling changed close end fail first_item items passed raised recovered
    rejected response returned settled status_code throw value wait;
    aenter = "__aenter__";
    class = "__class__";
    code_flags = "co_flags";
    dict = "__dict__";
    enter = "__enter__";
    generator_code = "gi_code";
    traceback = "__traceback__"
}

static IMPORTS: PyOnceLock<Imports> = PyOnceLock::new();

impl Imports {
    /// Fails only while `halfopen` itself is being imported.
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        IMPORTS.get(py).ok_or_else(not_imported)
    }

    /// The name of a reason.
    pub fn reason(&self, reason: Reason) -> &Py<PyString> {
        &self.reasons[reason as usize]
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
        // Loaded first and stored afterwards, so no other thread meets a cell that is being filled.
        let _ = IMPORTS.set(py, Imports::load(py)?);
    }
    Ok(())
}
