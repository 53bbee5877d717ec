//! `Need`: the requirements of a call.

use halfopen::pool::{CallKind, Need, Order, Pool};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use crate::convert::{Boolean, Items, count_of, value_of};
use crate::error::refused;
use halfopen::host::Value;

/// The abilities that a call needs, and the size of its request. It never changes.
#[pyclass(frozen, get_all, eq, hash, name = "Need", module = "halfopen.orchestration")]
#[derive(PartialEq, Eq, Hash)]
pub struct PyNeed {
    /// The abilities, in alphabetical order.
    capabilities: Vec<String>,
    /// The size of the request, in the unit of the providers' limits.
    size: u64,
}

#[pymethods]
impl PyNeed {
    #[new]
    #[pyo3(signature = (capabilities = None, *, size = None))]
    fn new(py: Python<'_>, capabilities: Option<&Bound<'_, PyAny>>, size: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let not_texts =
            |given: &Bound<'_, PyAny>| refused(py, "capabilities", &value_of(given), "texts: a list, a tuple or a set");
        let mut texts = Vec::new();
        if let Some(given) = capabilities {
            // A text is a collection of texts as well.
            let items = if matches!(value_of(given), Value::Text(_)) { None } else { given.try_iter().ok() };
            for item in items.ok_or_else(|| not_texts(given))? {
                texts.push(item?.extract::<String>().map_err(|_| not_texts(given))?);
            }
        }
        texts.sort_unstable();
        texts.dedup();
        Ok(Self { capabilities: texts, size: size.map_or(Ok(0), |size| count_of(py, "size", size))? })
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&[String],), Bound<'py, PyDict>)> {
        Ok(((&self.capabilities,), [("size", self.size)].into_py_dict(py)?))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let capabilities = (&self.capabilities).into_pyobject(py)?;
        Ok(format!("Need({}, size={})", capabilities.repr()?, self.size))
    }
}

/// A need together with the situation of its call.
pub struct Asked<'py> {
    need: Option<Bound<'py, PyNeed>>,
    /// The providers that the call has tried.
    tried: Vec<usize>,
    pin: Option<usize>,
    pub replayable: bool,
    /// The moment to which the latency of the call is measured.
    pub kind: CallKind,
    larger_than: Option<u64>,
}

impl<'py> FromPyObject<'_, 'py> for Asked<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (need, Items(tried), pin, Boolean(replayable), is_stream, larger_than) = object.extract()?;
        Ok(Self { need, tried, pin, replayable, kind: kind_of(is_stream), larger_than })
    }
}

impl Asked<'_> {
    /// The order that `choose` returns for this need.
    pub fn order(&self, pool: &mut Pool, choose: impl FnOnce(&mut Pool, &Need<'_>) -> Order) -> Order {
        let id = |index: &usize| pool.providers().get(*index).map(|provider| provider.id.clone());
        let tried: Vec<_> = self.tried.iter().filter_map(id).collect();
        let pin = self.pin.as_ref().and_then(id);
        let need = self.need.as_ref().map(Bound::get);
        let need = Need {
            capabilities: need.map_or(&[], |need| &need.capabilities),
            size: need.map_or(0, |need| need.size),
            larger_than: self.larger_than,
            tried: &tried,
            pin: pin.as_deref(),
            replayable: self.replayable,
            kind: self.kind,
        };
        choose(pool, &need)
    }
}

pub const fn kind_of(is_stream: Boolean) -> CallKind {
    if is_stream.0 { CallKind::Stream } else { CallKind::Unary }
}
