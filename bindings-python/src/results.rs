//! Results whose end is the end of their call.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::async_items::AsyncItems;
use crate::breaker::PyBreaker;
use crate::ffi::{
    PLAIN_VALUES, call_host, call_host_with_one, has_aiter, has_attribute, has_await, inherits, is_exactly,
    is_iterator, is_made_in_python, looks_up_plainly, says_yes,
};
use crate::imports::Imports;
use crate::pending::PendingCall;
use crate::stream::PyStream;

/// A value whose end is the end of the call that returned it.
pub enum EndsLater {
    /// A `concurrent.futures.Future`, or a call of `grpc.aio` that `await` takes.
    Future,
    /// A generator, an async generator, the stream object of an SDK, a call of grpc that has items, or a context manager
    /// that yields one of these.
    Stream,
}

impl EndsLater {
    #[inline]
    pub fn of(result: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        if PLAIN_VALUES.contains(result) { Ok(None) } else { Self::of_unknown(result) }
    }

    #[inline(never)]
    fn of_unknown(result: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = result.py();
        let classes = Imports::get(py)?;
        // The classes of streams can have no subclasses.
        if is_generator(result, classes) {
            return Ok(Some(Self::Stream));
        }
        if is_iterator(result) && says_yes(&classes.is_stream_object, result)?.unwrap_or(false) {
            return Ok(Some(Self::Stream));
        }
        if is_made_in_python(result) {
            if inherits(result, classes.future.bind(py)) {
                return Ok(Some(Self::Future));
            }
            return match Self::of_async_rpc(result, classes)? {
                None => Self::of_manager(result, classes),
                ends => Ok(ends),
            };
        }
        // A class made in C never changes, so this holds for all its objects.
        if !has_await(result) {
            PLAIN_VALUES.add(result.get_type());
        }
        Ok(None)
    }

    /// The classes of such managers look attributes up plainly, so a question costs no call of Python code.
    fn of_manager(result: &Bound<'_, PyAny>, classes: &Imports) -> PyResult<Option<Self>> {
        let names = &classes.names;
        let can_be_entered = (looks_up_plainly(result) || inherits(result, classes.proxy.bind(result.py())))
            && [&names.enter, &names.aenter].into_iter().any(|name| has_attribute(result, name.bind(result.py())));
        let is_manager = can_be_entered && says_yes(&classes.is_manager, result)?.unwrap_or(false);
        Ok(is_manager.then_some(Self::Stream))
    }

    /// Few classes have these slots, so most results need no call of Python code.
    fn of_async_rpc(result: &Bound<'_, PyAny>, classes: &Imports) -> PyResult<Option<Self>> {
        let ends = match (has_await(result), has_aiter(result)) {
            (true, _) => Self::Future,
            (false, true) => Self::Stream,
            (false, false) => return Ok(None),
        };
        let is_rpc = says_yes(&classes.is_async_rpc, result)?.unwrap_or(false);
        Ok(is_rpc.then_some(ends))
    }
}

/// Whether it is a generator or an async generator, guarded or not.
fn is_generator(result: &Bound<'_, PyAny>, classes: &Imports) -> bool {
    is_exactly(result, &classes.generator)
        || is_exactly(result, &classes.async_generator)
        || result.is_exact_instance_of::<AsyncItems>()
}

/// Whether it is a generator that is a coroutine, of the kind that was written with a decorator.
pub fn is_generator_based_coroutine(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    /// `inspect.CO_ITERABLE_COROUTINE`. (`inspect` itself does not work any more near the end of interpreter exit.)
    const ITERABLE_COROUTINE: u32 = 0x100;
    let imports = Imports::get(result.py())?;
    if !is_exactly(result, &imports.generator) {
        return Ok(false);
    }
    let code = result.getattr(&imports.names.generator_code)?;
    Ok(code.getattr(&imports.names.code_flags)?.extract::<u32>()? & ITERABLE_COROUTINE != 0)
}

/// A future or another awaitable that a call returned; it settles the call when its own outcome is known.
pub fn followed<'py>(call: &Bound<'py, PyAny>, result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    call_host(Imports::get(py)?.followed.bind(py), &PyTuple::new(py, [call, result])?, None)
}

/// The stream that a call returned, which settles the call when it ends.
pub fn guarded_stream<'py>(
    breaker: &Bound<'py, PyBreaker>,
    pending: PendingCall<'_>,
    generator: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = breaker.py();
    let imports = Imports::get(py)?;
    let items = if is_generator(generator, imports) {
        generator.clone()
    } else {
        call_host_with_one(imports.items_of.bind(py), generator)?
    };
    let stream = PyStream::new(breaker, &items, pending);
    // No item was requested yet.
    stream.rest(py);
    call_host(imports.guarded_stream.bind(py), &(stream, generator).into_pyobject(py)?, None)
}
