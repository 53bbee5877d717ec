//! The Python module `halfopen._core`: conversions between Python and the core, and nothing that decides.

#![deny(unsafe_code)]

mod awaiting;
#[expect(clippy::disallowed_methods, reason = "context variables run no code of the host's")]
mod blocks;
mod breaker;
mod clock;
#[expect(clippy::disallowed_methods, reason = "nothing here is part of a call")]
mod config;
mod convert;
#[expect(clippy::disallowed_methods, reason = "our own exceptions run no code of the host's")]
mod error;
mod evidence;
mod future_errors;
mod guarded;
#[expect(clippy::disallowed_methods, reason = "nothing here is part of a call")]
mod imports;
mod listeners;
mod names;
#[expect(clippy::disallowed_methods, reason = "context variables run no code of the host's")]
mod nesting;
mod observer;
mod pending;
mod permit;
#[expect(unsafe_code)]
mod raw;
mod stream;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The compiled part of the package `halfopen`.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<config::PyConfig>()?;
    module.add_class::<breaker::PyBreaker>()?;
    module.add_class::<permit::PyPermit>()?;
    module.add_class::<evidence::PyEvidence>()?;
    module.add_class::<guarded::PyGuardedFunction>()?;
    module.add_class::<awaiting::Awaiting>()?;
    module.add_class::<stream::PyStream>()?;
    module.add_class::<names::PyNames>()?;
    blocks::make_classes(module.py());
    nesting::make_classes(module.py());
    nesting::Variables::get(module.py())?;
    raw::add_begin(module.py())?;
    raw::add_run(module.py())?;
    module.add("Call", raw::call_class(module.py())?)?;
    module.add_function(wrap_pyfunction!(config::config_json_schema, module)?)?;
    module.add_function(wrap_pyfunction!(guarded::is_awaitable, module)?)?;
    module.add("BUCKET_BOUNDS", PyTuple::new(module.py(), halfopen::BUCKET_BOUNDS)?)?;
    module.add_function(wrap_pyfunction!(evidence::keep_ended_metrics, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::read_metrics, module)?)?;
    module.add_function(wrap_pyfunction!(evidence::after_fork, module)?)?;
    module.add_function(wrap_pyfunction!(imports::load_imports, module)?)?;
    Ok(())
}
