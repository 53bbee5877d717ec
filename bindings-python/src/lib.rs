//! The Python module `halfopen._core`: conversions between Python and the core, and nothing that decides.

#![deny(unsafe_code)]

mod admitted;
mod awaiting;
mod breaker;
mod breaker_methods;
mod clock;
#[expect(clippy::disallowed_methods, reason = "nothing here is part of a call")]
mod config;
mod context;
mod convert;
mod counted;
#[expect(clippy::disallowed_methods, reason = "our own exceptions run no code of the host's")]
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
mod nesting;
mod next_item;
mod observer;
mod pending;
mod permit;
mod pool;
mod registry;
mod responses;
mod results;
mod simulation;
mod stream;
mod stream_items;
mod watchers;

use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefReference};

/// Makes what would else be made at its first use: classes and names of PyO3's, and the clock; see [`imports`].
#[expect(clippy::disallowed_methods, reason = "what is called here is our own")]
fn fill_cells(py: Python<'_>) {
    clock::start();
    context::make_classes(py);
    nesting::make_classes(py);
    py.get_type::<PyWeakrefReference>();
    py.get_type::<PanicException>();
    // Two errors need names: that of a class without a constructor, and that of an argument of a wrong class.
    drop(py.get_type::<permit::PyPermit>().call0());
    drop(py.get_type::<registry::PyRegistryPolicy>().call1((1,)).and_then(|policy| policy.call_method1("get", (0,))));
}

/// The compiled part of the package `halfopen`.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<config::PyConfig>()?;
    module.add_class::<breaker::PyBreaker>()?;
    module.add_class::<permit::PyPermit>()?;
    module.add_class::<healthy_session::PyHealthySession>()?;
    module.add_class::<evidence::PyEvidence>()?;
    module.add_class::<guarded::PyGuardedFunction>()?;
    module.add_class::<awaiting::Awaiting>()?;
    module.add_class::<stream::PyStream>()?;
    module.add_class::<registry::PyRegistryPolicy>()?;
    module.add_class::<pool::PyPool>()?;
    module.add_class::<pool::PyNeed>()?;
    module.add_class::<pool::PyOrder>()?;
    module.add_class::<pool::PyAttempt>()?;
    fill_cells(module.py());
    ffi::add_begin(module.py())?;
    ffi::add_run(module.py())?;
    module.add("NextItem", ffi::make_next_item_class(module.py())?)?;
    module.add("Call", ffi::make_call_class(module.py())?)?;
    module.add_function(wrap_pyfunction!(config::config_json_schema, module)?)?;
    module.add_function(wrap_pyfunction!(error::write_unraisable, module)?)?;
    module.add_function(wrap_pyfunction!(pool::replay_pool, module)?)?;
    module.add_function(wrap_pyfunction!(error::report_unraisable, module)?)?;
    module.add_function(wrap_pyfunction!(judging::is_hint, module)?)?;
    module.add_function(wrap_pyfunction!(guarded::is_awaitable, module)?)?;
    module.add_function(wrap_pyfunction!(judging::add_plain_error, module)?)?;
    module.add("BUCKET_BOUNDS", PyTuple::new(module.py(), halfopen::evidence::BUCKET_BOUNDS)?)?;
    module.add_function(wrap_pyfunction!(evidence::keep_ended_metrics, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::read_metrics, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::after_fork, module)?)?;
    module.add_function(wrap_pyfunction!(responses::classify_response, module)?)?;
    module.add_function(wrap_pyfunction!(responses::status_of_code, module)?)?;
    module.add_function(wrap_pyfunction!(responses::status_of_close_code, module)?)?;
    module.add_function(wrap_pyfunction!(watchers::set_log, module)?)?;
    module.add_function(wrap_pyfunction!(watchers::set_telemetry, module)?)?;
    module.add_function(wrap_pyfunction!(imports::load_imports, module)?)?;
    module.add_function(wrap_pyfunction!(simulation::run_scenario, module)?)?;
    module.add_function(wrap_pyfunction!(simulation::replay_log, module)?)?;
    Ok(())
}
