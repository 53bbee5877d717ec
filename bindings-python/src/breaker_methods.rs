//! The methods of `Breaker` that Python calls.

use std::sync::Arc;

use halfopen::clock::Clock;
use halfopen::host::{self, Entries};
use halfopen::{CircuitBreaker, Snapshot};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::breaker::{Identity, PyBreaker};
use crate::clock::PyClock;
use crate::config::PyConfig;
use crate::context::Ready;
use crate::convert::{Boolean, check_callable, count_of, dict_of, json_of, value_of};
use crate::error::{refused, to_python};
use crate::evidence::{Followed, Histogram, histogram_of};
use crate::ffi::{call_host, is_abstract};
use crate::guarded;
use crate::judging::Judging;
use crate::nesting::Probe;
use crate::pending::PendingCall;
use crate::permit::PyPermit;
use crate::stream::PyStream;
use crate::watchers::Watched;

/// Allowed instead of a plain call, which cannot be cut off.
const PLAIN_CALL: &str = "None for plain functions, which cannot be cut off: set the timeout of the client that the \
    function uses, or guard a coroutine function with `await breaker.call(func, …)` or `@breaker`";

/// Allowed instead of a block, which cannot be cut off.
const BLOCK: &str = "None for blocks, which cannot be cut off: guard a coroutine function with `await breaker.call(func, …)` \
    or `@breaker`, or put a timeout of your own inside `with breaker.acquire():`";

#[pymethods]
impl PyBreaker {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        class: &Bound<'_, PyType>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        // Python itself refuses this in `object.__new__`, which does not run for a compiled class.
        if is_abstract(class) {
            let methods = class.getattr("__abstractmethods__")?;
            let text = format!("Can't instantiate abstract class {} with abstract methods {methods}", class.name()?);
            return Err(PyTypeError::new_err(text));
        }
        Ok(Self::empty())
    }

    /// Makes it a closed breaker, which the metrics of the process follow. Raises `InvalidValueError` if it is initialised already.
    #[pyo3(signature = (
        config, provider_id, clock, call_timeout_seconds, classify, judge, judges_all, /
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords would make each construction slower")]
    fn _initialise(
        &self,
        config: &PyConfig,
        provider_id: &Bound<'_, PyAny>,
        clock: Option<Py<PyAny>>,
        call_timeout_seconds: Option<f64>,
        classify: Option<Py<PyAny>>,
        judge: Option<Py<PyAny>>,
        judges_all: Boolean,
    ) -> PyResult<()> {
        let py = provider_id.py();
        host::check_name("provider_id", &value_of(provider_id)).map_err(|error| to_python(py, &error))?;
        let core = Arc::new(CircuitBreaker::with_clock(config.config().clone(), PyClock::new(py, clock)?));
        let followed = Followed::new(&core, &provider_id.extract::<String>()?);
        let identity = Identity {
            core: Arc::clone(&core),
            name: PyString::new(py, core.name()).unbind(),
            judging: Judging { classify, judge, judges_all: judges_all.0 },
            call_timeout_seconds,
            watched: Watched::new(&core, followed.labels().clone()),
            _followed: followed,
        };
        let allowed = "one that is not initialised yet; make another breaker";
        self.identity.set(identity).map_err(|_| refused(py, "breaker", &self.core().name().into(), allowed))
    }

    /// Raises `InvalidValueError` if the breaker is not initialised.
    fn _check_initialised(&self, py: Python<'_>) -> PyResult<()> {
        self.initialised(py).map(drop)
    }

    /// Asks for a permit to make one call.
    ///
    /// `inside` is the permit of the call that makes this one: inside a probe it shares that permit, takes no slot, has
    /// no vote and is not counted. Raises `CircuitBreakerOpenError` where the circuit does not let it run.
    #[pyo3(signature = (*, inside = None))]
    pub fn acquire(slf: &Bound<'_, Self>, inside: Option<&Bound<'_, PyAny>>) -> PyResult<PyPermit> {
        let (py, this) = (slf.py(), slf.get());
        let inside = inside.map(PyPermit::of_argument).transpose()?;
        let declared = || inside.and_then(|outer| outer.stamp_for(slf));
        let call = this.admit_inside(py, || declared().or_else(|| Probe::around(py, this.number)))?;
        Ok(PyPermit::new(slf.clone().unbind(), call))
    }

    /// Begins the call that made this generator or async generator.
    #[pyo3(signature = (generator, /))]
    fn _begin_stream(slf: &Bound<'_, Self>, generator: &Bound<'_, PyAny>) -> PyResult<PyStream> {
        Ok(PyStream::new(slf, generator, PendingCall::begin(slf.get(), slf.py())?))
    }

    /// Calls a plain `func` if the circuit lets it.
    ///
    /// If `func` returns an awaitable or an iterator, the call ends when that ends.
    #[pyo3(signature = (func, /, *args, **kwargs))]
    fn call_sync<'py>(
        slf: &Bound<'py, Self>,
        func: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        check_callable(func)?;
        slf.get().check_no_deadline(slf.py(), PLAIN_CALL)?;
        guarded::call(slf, func, || call_host(func, args, kwargs))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyPermit>> {
        slf.get().check_no_deadline(slf.py(), BLOCK)?;
        enter_block(slf)
    }

    fn __exit__(&self, _kind: &Bound<'_, PyAny>, error: &Bound<'_, PyAny>, _trace: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.blocks.leave(error.py())? {
            Some(permit) => permit.bind(error.py()).cast::<PyPermit>()?.get().left(error),
            None => Ok(()),
        }
    }

    fn __aenter__(slf: &Bound<'_, Self>) -> PyResult<Ready> {
        slf.get().check_no_deadline(slf.py(), BLOCK)?;
        Ok(Ready::entering(slf.clone().into_any().unbind(), |breaker| {
            enter_block(breaker.cast::<Self>()?).map(|permit| permit.into_any().unbind())
        }))
    }

    fn __aexit__(
        &self,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        trace: &Bound<'_, PyAny>,
    ) -> PyResult<Ready> {
        self.__exit__(kind, error, trace).map(|()| Ready::left())
    }

    /// Refuses a block if `call_timeout_seconds` is set, because it could not be cut off.
    fn _check_no_deadline(&self, py: Python<'_>) -> PyResult<()> {
        self.check_no_deadline(py, BLOCK)
    }

    /// The circuit's name.
    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<Py<PyString>> {
        Ok(self.initialised(py)?.name.clone_ref(py))
    }

    /// The provider behind the circuit, a label of its metrics.
    #[getter]
    fn provider_id(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.initialised(py)?.watched.provider())
    }

    /// The state's name, now.
    fn _read_state(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.ready(py)?.state().as_str())
    }

    /// How the circuit is operated: `auto`, `forced_open`, `disabled` or `shadow`.
    #[getter]
    fn mode(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.ready(py)?.mode().as_str())
    }

    /// The time of the clock, in seconds.
    fn _read_now(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.ready(py)?.clock().now().as_seconds())
    }

    /// Every number that can be read, by name.
    fn _read_status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, self.ready(py)?.status().entries())
    }

    /// The kept transitions with a sequence number above `after`, oldest first.
    fn _read_events<'py>(&self, py: Python<'py>, after: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let after = count_of(py, "after", after)?;
        self.ready(py)?.events(after).iter().map(|event| dict_of(py, event.entries())).collect()
    }

    /// How many transitions its listeners have missed because they were too slow.
    #[getter]
    fn missed_events(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.ready(py)?.missed_events())
    }

    /// The duration in seconds that this share of the calls with that outcome did not exceed; `None` before the first.
    fn _read_percentile(&self, share: &Bound<'_, PyAny>, outcome: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
        let duration = host::percentile(self.ready(share.py())?, &value_of(share), &value_of(outcome));
        duration.map(|it| it.map(|it| it.as_secs_f64())).map_err(|error| to_python(share.py(), &error))
    }

    /// Whether replacing it with a new one would lose nothing: see `CircuitBreaker::is_idle` of the core.
    fn is_idle(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.ready(py)?.is_idle())
    }

    /// The first field whose value in `config` differs from the one in force.
    fn _difference(&self, py: Python<'_>, config: &PyConfig) -> PyResult<Option<&'static str>> {
        Ok(self.ready(py)?.config().difference(config.config()))
    }

    /// Holds the circuit open for this many seconds, or until it is reset.
    #[pyo3(signature = (duration_seconds = None))]
    fn force_open(&self, py: Python<'_>, duration_seconds: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let seconds = duration_seconds.map_or_else(|| value_of(py.None().bind(py)), value_of);
        host::force_open(self.ready(py)?, &seconds).map_err(|error| to_python(py, &error))
    }

    /// Lets every call pass, without evaluating outcomes.
    fn disable(&self, py: Python<'_>) -> PyResult<()> {
        self.ready(py)?.disable();
        Ok(())
    }

    /// Puts a whole new configuration in force.
    fn _reconfigure(&self, py: Python<'_>, config: &PyConfig) -> PyResult<()> {
        self.ready(py)?.reconfigure(config.config().clone());
        Ok(())
    }

    /// The state and counts to restore later, as a JSON document.
    fn snapshot(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.ready(py)?.snapshot().to_value().to_json())
    }

    /// Continues from a snapshot.
    fn restore(&self, py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = self.ready(py)?;
        let restored = json_of("snapshot", document).and_then(|document| Snapshot::from_value(&document));
        restored.and_then(|snapshot| core.restore(&snapshot)).map_err(|error| to_python(py, &error))
    }

    /// Explains in one sentence why the circuit is in its state and what would change it.
    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.ready(py)?.explain())
    }

    /// Calls `listener` with each further transition and with the clock's time then. Returns its number, for
    /// `_remove_listener`.
    fn _add_listener(&self, py: Python<'_>, listener: Py<PyAny>) -> PyResult<u64> {
        Ok(self.listeners.add(self.ready(py)?, listener))
    }

    /// Removes a listener; false if it was removed before.
    fn _remove_listener(&self, number: u64) -> bool {
        self.listeners.remove(self.core(), number)
    }

    /// Tells `observer` about every call, by its methods `admitted()`, `rejected(retry_after, reason)`, which may
    /// return the error for the caller, and `settled(outcome, seconds)`; false where there is an observer already.
    fn _observe(&self, observer: Py<PyAny>) -> bool {
        self.observer.set(observer)
    }

    /// Leaves the log of this breaker to its observer.
    fn _keep_own_log(&self, py: Python<'_>) -> PyResult<()> {
        self.initialised(py)?.watched.keep_own_log();
        Ok(())
    }

    /// Closes the circuit and returns it to normal operation; the counters stay.
    fn reset(&self, py: Python<'_>) -> PyResult<()> {
        self.ready(py)?.reset();
        Ok(())
    }

    /// Sets the functions that streams ask about their items; only the first call has an effect.
    #[pyo3(signature = (is_content, is_end, /))]
    fn _ask_about_items(&self, is_content: Option<Py<PyAny>>, is_end: Option<Py<PyAny>>) {
        self.stream_items.set(is_content, is_end);
    }

    /// The durations of calls, by outcome.
    fn _read_durations(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, Histogram)>> {
        let by_outcome = self.ready(py)?.durations().by_outcome();
        Ok(by_outcome.into_iter().map(|(outcome, read)| (outcome, histogram_of(&read))).collect())
    }

    /// The times to the first item of streams.
    fn _read_first_items(&self, py: Python<'_>) -> PyResult<Histogram> {
        Ok(histogram_of(&self.ready(py)?.first_items()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.core().clock().traverse(&visit)?;
        self.judging().traverse(&visit)?;
        self.stream_items.traverse(&visit)?;
        self.blocks.traverse(&visit)?;
        self.counted.traverse(&visit)?;
        self.listeners.traverse(&visit)?;
        self.observer.traverse(&visit)
    }

    fn __clear__(&self) {
        self.blocks.clear();
        self.counted.clear();
        self.listeners.clear();
    }
}

/// Enters a block, which is one call.
fn enter_block<'py>(breaker: &Bound<'py, PyBreaker>) -> PyResult<Bound<'py, PyPermit>> {
    let permit = Bound::new(breaker.py(), PyBreaker::acquire(breaker, None)?)?;
    permit.get().enter(breaker.py())?;
    breaker.get().blocks.enter(permit.as_any())?;
    Ok(permit)
}
