//! `Need`: the requirements of a call.

use halfopen::clock::Tick;
use halfopen::pool::{CallKind, Circuit, Need, Order, Pool};
use pyo3::prelude::*;

use crate::convert::{Items, Truth, count_of, value_of};
use crate::error::to_python;
use halfopen::InvalidValue;
use halfopen::host::Value;

/// The abilities that a call needs, and the size of its request. It never changes.
#[pyclass(frozen, eq, hash, name = "Need", module = "halfopen.orchestration")]
#[derive(PartialEq, Eq, Hash)]
pub struct PyNeed {
    capabilities: Vec<String>,
    size: u64,
}

#[pymethods]
impl PyNeed {
    #[new]
    #[pyo3(signature = (capabilities = None, *, size = None))]
    fn new(py: Python<'_>, capabilities: Option<&Bound<'_, PyAny>>, size: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let refused = |given: &Bound<'_, PyAny>| {
            to_python(py, &InvalidValue::new("capabilities", &value_of(given), "texts: a list, a tuple or a set"))
        };
        let mut texts = Vec::new();
        if let Some(given) = capabilities {
            // A text is a collection of texts as well.
            let items = if matches!(value_of(given), Value::Text(_)) { None } else { given.try_iter().ok() };
            for item in items.ok_or_else(|| refused(given))? {
                texts.push(item?.extract::<String>().map_err(|_| refused(given))?);
            }
        }
        texts.sort_unstable();
        texts.dedup();
        Ok(Self { capabilities: texts, size: size.map_or(Ok(0), |size| count_of(py, "size", size))? })
    }

    /// The abilities, in alphabetical order.
    #[getter]
    fn capabilities(&self) -> Vec<&str> {
        self.capabilities.iter().map(String::as_str).collect()
    }

    /// The size of the request, in the unit of the providers' limits.
    #[getter]
    fn size(&self) -> u64 {
        self.size
    }

    fn __repr__(&self) -> String {
        format!("Need({:?}, size={})", self.capabilities, self.size)
    }
}

/// A need together with the situation of its call.
pub struct Asked<'a> {
    need: Option<&'a PyNeed>,
    /// The providers that the call has tried.
    tried: &'a [usize],
    pin: Option<usize>,
    replayable: bool,
    /// The moment to which the latency of the call is measured.
    pub kind: CallKind,
    larger_than: Option<u64>,
}

impl<'a> Asked<'a> {
    /// From the arguments that Python passes.
    pub fn new(
        need: Option<&'a PyNeed>,
        tried: &'a Items<usize>,
        pin: Option<usize>,
        replayable: Truth,
        is_stream: Truth,
        larger_than: Option<u64>,
    ) -> Self {
        Self { need, tried: &tried.0, pin, replayable: replayable.0, kind: kind_of(is_stream), larger_than }
    }

    /// Takes a turn of the pool.
    pub fn choose(&self, pool: &mut Pool, circuits: &[Circuit], now: Tick) -> Order {
        let (tried, pin) = self.ids(pool);
        pool.choose(circuits, &self.need_with(&tried, pin.as_deref()), now)
    }

    /// The same without changing anything.
    pub fn look(&self, pool: &mut Pool, circuits: &[Circuit], now: Tick) -> Order {
        let (tried, pin) = self.ids(pool);
        pool.look(circuits, &self.need_with(&tried, pin.as_deref()), now)
    }

    fn ids(&self, pool: &Pool) -> (Vec<String>, Option<String>) {
        let id = |index: &usize| pool.providers().get(*index).map(|provider| provider.id.clone());
        (self.tried.iter().filter_map(id).collect(), self.pin.as_ref().and_then(id))
    }

    fn need_with<'b>(&'b self, tried: &'b [String], pin: Option<&'b str>) -> Need<'b> {
        Need {
            capabilities: self.need.map_or(&[], |need| &need.capabilities),
            size: self.need.map_or(0, |need| need.size),
            larger_than: self.larger_than,
            tried,
            pin,
            replayable: self.replayable,
            kind: self.kind,
        }
    }
}

pub const fn kind_of(is_stream: Truth) -> CallKind {
    if is_stream.0 { CallKind::Stream } else { CallKind::Unary }
}
