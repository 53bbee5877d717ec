//! The breaker as JavaScript sees it, declared once for both builds.
//!
//! `#[napi]` exports it to Node and expands to nothing on WebAssembly, where `#[wasm_bindgen]` takes its place. napi
//! turns names into camelCase and wasm-bindgen does not, so all names are single words, which both leave alone.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use halfopen::control::Jitter;
use halfopen::host::{Entries, Spelling, Value};
use halfopen::{CircuitBreaker, Outcome, Snapshot};
use napi_derive::napi;
#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::host::{Host, Plain, Result};
use crate::{Breaker, Calls, JsClock, values};

/// A breaker. Its calls enter and are settled through the `HotPath` of each build.
///
/// `millis` is the host's time; NaN means that it has not read its clock. A method that refuses a value throws an
/// error whose cause has the code `INVALID_VALUE`.
#[napi]
#[cfg_attr(target_family = "wasm", wasm_bindgen)]
pub struct JsBreaker {
    breaker: Arc<Breaker>,
    calls: Rc<RefCell<Calls>>,
    host: Host,
}

#[napi]
#[cfg_attr(target_family = "wasm", wasm_bindgen)]
impl JsBreaker {
    /// A breaker on the host's clock, which reads `millis`, or on the system's if that is NaN. `random` is a number that the
    /// host draws for the jitter of the waits, because WebAssembly has no source of randomness.
    #[napi(factory)]
    pub fn create(config: Plain, millis: f64, random: f64) -> Result<JsBreaker> {
        let host = Host::of(&config);
        let config = host.config(config)?;
        let clock = JsClock::new(millis);
        let jitter = Jitter { seed: random.to_bits() };
        Ok(Self::new(Arc::new(CircuitBreaker::with_jitter(config, clock, jitter)), host))
    }

    /// Settles a permit with a failure whose provider asked for a wait of this many seconds; false if no such permit is
    /// out.
    #[napi]
    pub fn fail(&self, permit: f64, retry_after: Plain, millis: f64) -> Result<bool> {
        let retry_after = self.host.value(retry_after)?;
        let hinted = halfopen::host::outcome_with_hint(Outcome::FAILURE, "retryAfter", &retry_after);
        let outcome = self.host.checked(hinted.map_err(|error| values::named("retryAfter", error)))?;
        Ok(self.calls.borrow_mut().end(permit, outcome, millis) > 0.0)
    }

    /// Stops the duration of a call, or lets it run on.
    #[napi]
    pub fn pause(&self, permit: f64, paused: bool, millis: f64) {
        self.calls.borrow_mut().pause(permit, paused, millis);
    }

    /// How long a call has taken until now, in seconds; 0 if it is not timed.
    #[napi]
    pub fn lasted(&self, permit: f64, millis: f64) -> f64 {
        self.calls.borrow_mut().lasted(permit, millis)
    }

    /// The wait of the last rejection, in seconds; negative if it has no known end.
    #[napi]
    pub fn wait(&self) -> f64 {
        self.calls.borrow().retry_after
    }

    /// Whether every call needs the time.
    #[napi]
    pub fn timed(&self) -> bool {
        halfopen::host::times_calls(&self.breaker)
    }

    /// The state now.
    #[napi]
    pub fn state(&self, millis: f64) -> String {
        self.at(millis).state().as_str().into()
    }

    /// Whether the breaker or an operator decides.
    #[napi]
    pub fn mode(&self, millis: f64) -> String {
        self.at(millis).mode().as_str().into()
    }

    /// A consistent reading of all state and counters.
    #[napi(ts_return_type = "StatusReading")]
    #[cfg_attr(target_family = "wasm", wasm_bindgen(unchecked_return_type = "StatusReading"))]
    pub fn status(&self, millis: f64) -> Result<Plain> {
        self.host.plain(&values::object(self.at(millis).status().entries()))
    }

    /// The configuration in force.
    #[napi(ts_return_type = "EffectiveConfig")]
    #[cfg_attr(target_family = "wasm", wasm_bindgen(unchecked_return_type = "EffectiveConfig"))]
    pub fn config(&self) -> Result<Plain> {
        self.host.plain(&values::object(self.breaker.config().entries()))
    }

    /// The kept transitions with a sequence number above `after`, oldest first.
    #[napi(ts_return_type = "EventReading[]")]
    #[cfg_attr(target_family = "wasm", wasm_bindgen(unchecked_return_type = "EventReading[]"))]
    pub fn events(&self, after: f64) -> Result<Plain> {
        let events = self.breaker.events(after as u64);
        self.host.plain(&Value::List(events.iter().map(|event| values::object(event.entries())).collect()))
    }

    /// How long the calls took, by outcome.
    #[napi(ts_return_type = "DurationsByOutcome")]
    #[cfg_attr(target_family = "wasm", wasm_bindgen(unchecked_return_type = "DurationsByOutcome"))]
    pub fn durations(&self) -> Result<Plain> {
        self.host.plain(&values::object(self.breaker.durations().entries()))
    }

    /// The seconds that this share of the calls with this outcome did not exceed; NaN before the first.
    #[napi]
    pub fn percentile(&self, share: Plain, outcome: Plain) -> Result<f64> {
        let longest = halfopen::host::percentile(&self.breaker, &self.host.value(share)?, &self.host.value(outcome)?);
        Ok(self.host.checked(longest)?.map_or(f64::NAN, |longest| longest.as_secs_f64()))
    }

    /// One sentence for an operator.
    #[napi]
    pub fn explain(&self, millis: f64) -> String {
        self.at(millis).explain()
    }

    /// Whether replacing the breaker with a new one would lose nothing.
    #[napi]
    pub fn idle(&self, millis: f64) -> bool {
        self.at(millis).is_idle()
    }

    /// Holds the circuit open for this many seconds, or without end.
    #[napi]
    pub fn open(&self, seconds: Plain, millis: f64) -> Result<()> {
        let forced = halfopen::host::force_open(self.at(millis), &self.host.value(seconds)?);
        self.host.checked(forced.map_err(|error| values::named("durationSeconds", error)))
    }

    /// Lets every call pass.
    #[napi]
    pub fn disable(&self, millis: f64) {
        self.at(millis).disable();
    }

    /// Closes the circuit.
    #[napi]
    pub fn reset(&self, millis: f64) {
        self.at(millis).reset();
    }

    /// Puts a whole new configuration in force.
    #[napi]
    pub fn reconfigure(&self, config: Plain, millis: f64) -> Result<()> {
        self.at(millis).reconfigure(self.host.config(config)?);
        Ok(())
    }

    /// The first field whose value in `config` differs from the one in force here; empty if none does.
    #[napi]
    pub fn difference(&self, config: Plain) -> Result<String> {
        let difference = self.breaker.config().difference(&self.host.config(config)?);
        Ok(difference.map(|field| Spelling::CamelCase.name(field)).unwrap_or_default())
    }

    /// The state of the breaker, for a JSON document.
    #[napi]
    pub fn snapshot(&self, millis: f64) -> Result<Plain> {
        self.host.plain(&values::converted(self.at(millis).snapshot().to_value(), Spelling::SnakeCase))
    }

    /// Continues from a snapshot.
    #[napi]
    pub fn restore(&self, document: Plain, millis: f64) -> Result<()> {
        let snapshot = Snapshot::from_value(&self.host.value(document)?);
        self.host.checked(snapshot.and_then(|snapshot| self.at(millis).restore(&snapshot)))
    }
}

impl JsBreaker {
    /// A breaker of this thread around one of the core.
    pub fn new(breaker: Arc<Breaker>, host: Host) -> Self {
        Self { calls: Rc::new(RefCell::new(Calls::new(Arc::clone(&breaker)))), breaker, host }
    }

    /// The core's breaker behind it.
    pub fn core(&self) -> &Arc<Breaker> {
        &self.breaker
    }

    /// Its calls, for the hot path. No call runs JavaScript, so none is ever borrowed twice.
    pub fn calls(&self) -> Rc<RefCell<Calls>> {
        Rc::clone(&self.calls)
    }

    /// The breaker, after its clock was set.
    fn at(&self, millis: f64) -> &Breaker {
        self.breaker.clock().push(millis);
        &self.breaker
    }
}
