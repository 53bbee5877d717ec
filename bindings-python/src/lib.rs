//! The Python module `halfopen._core`: conversions between Python and the core, and nothing that decides.

#![deny(unsafe_code)]

mod admitted;
mod async_items;
mod async_stream;
mod awaiting;
mod breaker;
mod breaker_methods;
mod clock;
mod config;
mod context;
mod convert;
mod counted;
#[expect(clippy::disallowed_methods, reason = "our own exceptions run no code of the host")]
mod error;
mod evidence;
#[expect(unsafe_code)]
mod ffi;
mod guarded;
mod healthy_session;
#[expect(clippy::disallowed_methods, reason = "what is called here is Python's own")]
#[expect(clippy::disallowed_types, reason = "filled when the package is imported")]
mod imports;
mod judging;
mod listeners;
mod lock;
mod nesting;
mod next_item;
mod object_slot;
mod observer;
mod pause;
mod pending;
mod permit;
mod pool;
mod registration;
mod registry;
mod request;
mod responses;
mod results;
mod simulation;
mod stand_in;
mod stream;
mod stream_items;
mod thrown;
mod wait;
mod watch;
mod watchers;

use halfopen::evidence::BUCKET_BOUNDS;
use halfopen::pool::Hedge;
use pyo3::exceptions::PyImportError;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefReference};

/// Makes what would otherwise be made at its first use: PyO3's classes and names, and the clock; see [`imports`].
#[expect(clippy::disallowed_methods, reason = "what is called here is our own")]
fn fill_cells(py: Python<'_>) {
    clock::PyClock::system();
    breaker::rejecting_core();
    py.get_type::<context::Ready>();
    py.get_type::<nesting::Marks>();
    py.get_type::<async_stream::AsyncStream>();
    stand_in::make_classes(py);
    py.get_type::<PyWeakrefReference>();
    py.get_type::<PanicException>();
    // PyO3 makes names when these two errors are first raised: a class has no constructor, an argument has a wrong
    // class.
    drop(py.get_type::<permit::PyPermit>().call0());
    drop(py.get_type::<registry::PyRegistryPolicy>().call1((1,)).and_then(|policy| policy.call_method1("get", (0,))));
}

/// The compiled part of the package `halfopen`.
#[pymodule(gil_used = false)]
mod _core {
    use super::*;

    #[pymodule_export]
    use crate::{
        async_items::{AsyncItems, ItemsOf},
        awaiting::Awaiting,
        breaker::PyBreaker,
        config::{PyConfig, config_json_schema},
        error::report_unraisable,
        evidence::{after_fork, keep_ended_metrics, read_metrics},
        guarded::{PyGuardedFunction, is_awaitable},
        healthy_session::PyHealthySession,
        imports::load_imports,
        judging::{add_plain_error, is_hint},
        permit::PyPermit,
        pool::{PyAttempt, PyNeed, PyOrder, PyPool, check_policy, check_provider, replay_pool},
        registry::PyRegistryPolicy,
        responses::{classify_response, status_of_close_code, status_of_code},
        simulation::{replay_log, run_scenario},
        stream::PyStream,
        wait::Wait,
        watchers::{set_log, set_telemetry},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        // Without this, some subinterpreters can import it, and a guarded call then waits forever for their lock.
        if ffi::is_subinterpreter(py) {
            return Err(PyImportError::new_err(
                "halfopen cannot be imported in a subinterpreter: import it in the main interpreter (in mod_wsgi, set \
                 WSGIApplicationGroup %{GLOBAL})",
            ));
        }
        fill_cells(py);
        ffi::add_begin(py)?;
        ffi::add_run(py)?;
        module.add("NextItem", ffi::make_next_item_class(py)?)?;
        module.add("Call", ffi::make_call_class(py)?)?;
        module.add("SHORTEST_HEDGE_SECONDS", Hedge::SHORTEST.as_secs_f64())?;
        module.add("BUCKET_BOUNDS", PyTuple::new(py, BUCKET_BOUNDS)?)
    }
}
