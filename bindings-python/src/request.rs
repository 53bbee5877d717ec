//! A step that a consumer asks of a guarded async stream.

use pyo3::prelude::*;

/// The next item, a value sent, an error thrown in, or the end: `__anext__`, `asend`, `athrow`, `aclose`.
pub enum Request {
    Next,
    Send(Py<PyAny>),
    Throw(Py<PyAny>),
    Close,
}

impl Request {
    /// The method, as a generator's own errors name it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Next | Self::Send(_) => "anext",
            Self::Throw(_) => "athrow",
            Self::Close => "aclose",
        }
    }
}
