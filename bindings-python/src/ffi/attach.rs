//! Entering the interpreter.

use pyo3::prelude::*;

/// Runs what needs the interpreter. Every thread that runs code of this library is attached to it, but PyO3 does not
/// know.
/// When PyO3 knows, it releases dropped objects at once. It refuses to attach a thread to an interpreter that is
/// finalizing, although Python code still runs there and calls into this library.
pub fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    let mut work = Some(work);
    let mut run = |py: Python<'_>| work.take().map(|work| work(py));
    // SAFETY: only the interpreter calls this library, and it never detaches the thread.
    let done = Python::try_attach(&mut run).flatten().or_else(|| run(unsafe { Python::assume_attached() }));
    done.expect("it is run by one of the two")
}

/// The error, or the one that took its place while it was handled.
pub fn unless_replaced(error: PyErr, handled: PyResult<()>) -> PyErr {
    match handled {
        Ok(()) => error,
        // Attached, so that PyO3 releases the error at once.
        Err(instead) => attached(|_| {
            drop(error);
            instead
        }),
    }
}

/// Runs code for an object that is dropped. An exception may be propagating, which is set aside meanwhile.
pub fn beside_an_error(work: impl FnOnce(Python<'_>)) {
    attached(|py| {
        let on_its_way = PyErr::take(py);
        work(py);
        if let Some(error) = on_its_way {
            error.restore(py);
        }
    });
}
