//! The checks of stream items of one breaker.

use std::sync::OnceLock;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::ffi::says_yes;

/// Functions of an item.
#[derive(Default)]
pub struct StreamItems {
    /// Boxed, because most breakers have none.
    functions: OnceLock<Box<Functions>>,
}

struct Functions {
    is_content: Option<Py<PyAny>>,
    is_end: Option<Py<PyAny>>,
}

impl StreamItems {
    /// Sets the functions; only the first call has an effect.
    pub fn set(&self, is_content: Option<Py<PyAny>>, is_end: Option<Py<PyAny>>) {
        let _ = self.functions.set(Box::new(Functions { is_content, is_end }));
    }

    /// Whether there are none, so that nothing need be asked.
    pub fn is_empty(&self) -> bool {
        self.functions.get().is_none_or(|functions| functions.is_content.is_none() && functions.is_end.is_none())
    }

    /// Whether an item counts as the first one.
    pub fn is_content(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        let is_content = self.functions.get().and_then(|functions| functions.is_content.as_ref());
        is_content.map_or(Ok(true), |is_content| Ok(says_yes(is_content, item)?.unwrap_or(true)))
    }

    /// Whether an item completes its stream.
    pub fn is_end(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        let is_end = self.functions.get().and_then(|functions| functions.is_end.as_ref());
        is_end.map_or(Ok(false), |is_end| Ok(says_yes(is_end, item)?.unwrap_or(true)))
    }

    /// Whether a stream that ends without such an item is a failure.
    pub fn needs_end(&self) -> bool {
        self.functions.get().is_some_and(|functions| functions.is_end.is_some())
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(functions) = self.functions.get() else { return Ok(()) };
        visit.call(&functions.is_content)?;
        visit.call(&functions.is_end)
    }
}
