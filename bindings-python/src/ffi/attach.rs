//! Entering the interpreter.

use pyo3::prelude::*;

/// Runs what needs the interpreter, in a thread that is attached to it, as every thread is that runs code of this library.
///
/// PyO3 needs to know: it then releases dropped objects at once. PyO3 attaches no thread to an interpreter that is
/// finalizing, but Python code goes on to run there, and to call into this library.
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
