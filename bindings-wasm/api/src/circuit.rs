//! A circuit whose permits are numbers.

use std::sync::Arc;

use halfopen::{CircuitBreaker, Clock, Ending, InvalidValue, Outcome, Snapshot, Spelling, Stamp, Ticket, Value};

use crate::permits::Permits;
use crate::{JsClock, values};

/// A breaker of the core.
pub type Breaker = CircuitBreaker<JsClock>;

const NEEDS_TIME: f64 = -1.0;
const NO_PERMIT: f64 = 0.0;
const SETTLED: f64 = 1.0;

/// A handle on a breaker, with the permits that were handed out through it.
///
/// Only [`enter`](Self::enter) and [`settle`](Self::settle) are inlined into the WebAssembly build, whose own crate
/// alone is optimised for speed; everything else is small there.
///
/// It lives on one thread and never calls its host. `millis` is the time, for clocks that the host pushes
/// ([`JsClock`]). Dropping a handle settles its permits as cancelled, so a thread that ends holds no slot.
#[derive(Debug)]
pub struct Circuit {
    breaker: Arc<Breaker>,
    permits: Permits,
    retry_after: f64,
}

impl Circuit {
    /// A handle on `breaker`.
    pub fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker, permits: Permits::default(), retry_after: 0.0 }
    }

    /// The breaker behind this handle.
    pub fn breaker(&self) -> &Arc<Breaker> {
        &self.breaker
    }

    /// Asks for a permit and returns its number: from 2⁵² on for a probe, and from 1.5 × 2⁵² on for a call that shares
    /// the permit of an outer probe. −1 means that the host has to repeat the call with the time, and nothing has
    /// changed. −2, −3 and so on are the reasons of a rejection, in the order of [`halfopen::Reason::ALL`].
    #[inline]
    pub fn enter(&mut self, millis: f64) -> f64 {
        self.permits.reserve();
        if self.breaker.clock().push(millis) {
            return self.admit(None);
        }
        self.breaker.admit_untimed().map_or(NEEDS_TIME, |ticket| self.keep(ticket))
    }

    /// As [`enter`](Self::enter), for a call nested in the one with the permit `outer`.
    pub fn enter_inside(&mut self, outer: f64, millis: f64) -> f64 {
        self.permits.reserve();
        self.breaker.clock().push(millis);
        let outer = self.permits.stamp(outer);
        self.admit(outer)
    }

    #[inline]
    fn admit(&mut self, outer: Option<Stamp>) -> f64 {
        match self.breaker.admit_inside(|| outer) {
            Ok(ticket) => self.keep(ticket),
            Err(rejected) => {
                self.retry_after = rejected.retry_after.map_or(-1.0, |wait| wait.as_secs_f64());
                -2.0 - f64::from(rejected.reason as u8)
            }
        }
    }

    #[inline]
    fn keep(&mut self, ticket: Ticket) -> f64 {
        self.permits.insert(ticket)
    }

    /// The wait of the last rejection, in seconds; negative if it has no known end.
    pub fn retry_after(&self) -> f64 {
        self.retry_after
    }

    /// Whether every call needs the time.
    pub fn is_timed(&self) -> bool {
        self.breaker.times_calls()
    }

    /// Settles a permit with an outcome, by its index in [`Outcome::ALL`]. Returns 1; 0 if no such permit is out; or −1
    /// if the host has to repeat the call with the time, and then nothing has changed.
    #[inline]
    pub fn settle(&mut self, permit: f64, outcome: usize, millis: f64) -> f64 {
        let Some(outcome) = Outcome::ALL.get(outcome) else { return NO_PERMIT };
        let breaker = &self.breaker;
        let settled = if breaker.clock().push(millis) {
            self.permits.settle(permit, |ticket| {
                breaker.settle(ticket, *outcome);
                Ok(())
            })
        } else {
            self.permits.settle(permit, |ticket| breaker.settle_untimed(ticket, (*outcome).into()))
        };
        match settled {
            Some(true) => SETTLED,
            Some(false) => NEEDS_TIME,
            None => NO_PERMIT,
        }
    }

    /// Settles a permit with a failure whose provider asked for a wait of so many seconds; false if no such permit is
    /// out.
    ///
    /// # Errors
    /// [`InvalidValue`] unless `retry_after` is a number of seconds; then the permit is still out.
    #[inline(never)]
    pub fn fail(&mut self, permit: f64, retry_after: &Value, millis: f64) -> Result<bool, InvalidValue> {
        let hinted = Ending::with_hint(Outcome::Failure, retry_after);
        let ending = hinted.map_err(|error| values::named("retryAfterSeconds", error))?;
        self.breaker.clock().push(millis);
        let settled = self.permits.settle(permit, |ticket| {
            self.breaker.settle(ticket, ending);
            Ok(())
        });
        Ok(settled.is_some())
    }

    /// Stops the duration of a call.
    #[inline(never)]
    pub fn pause(&mut self, permit: f64, millis: f64) {
        let now = self.at(millis).clock().now();
        self.permits.pause(permit, now);
    }

    /// Lets the duration run on.
    #[inline(never)]
    pub fn resume(&mut self, permit: f64, millis: f64) {
        let now = self.at(millis).clock().now();
        self.permits.resume(permit, now);
    }

    /// The state now.
    #[inline(never)]
    pub fn state(&self, millis: f64) -> &'static str {
        self.at(millis).state().as_str()
    }

    /// Whether the breaker or an operator decides.
    #[inline(never)]
    pub fn mode(&self, millis: f64) -> &'static str {
        self.at(millis).mode().as_str()
    }

    /// A consistent reading of all state and counters.
    #[inline(never)]
    pub fn status(&self, millis: f64) -> Value {
        values::object(self.at(millis).status().entries())
    }

    /// The configuration in force.
    #[inline(never)]
    pub fn config(&self) -> Value {
        values::object(self.breaker.config().entries())
    }

    /// The kept transitions with a sequence number above `after`, oldest first.
    #[inline(never)]
    pub fn events(&self, after: f64) -> Value {
        let events = self.breaker.events(after as u64);
        Value::List(events.iter().map(|event| values::object(event.entries())).collect())
    }

    /// How long the calls took, by outcome.
    #[inline(never)]
    pub fn durations(&self) -> Value {
        values::durations(&self.breaker.durations())
    }

    /// The seconds that this share of the calls with this outcome did not exceed.
    ///
    /// # Errors
    /// [`InvalidValue`] for another share or outcome.
    #[inline(never)]
    pub fn percentile(&self, share: &Value, outcome: &Value) -> Result<Option<f64>, InvalidValue> {
        Ok(self.breaker.percentile(share, outcome)?.map(|longest| longest.as_secs_f64()))
    }

    /// One sentence for an operator.
    #[inline(never)]
    pub fn explain(&self, millis: f64) -> String {
        self.at(millis).explain()
    }

    /// Whether replacing the breaker with a new one would lose nothing.
    #[inline(never)]
    pub fn is_idle(&self, millis: f64) -> bool {
        self.at(millis).is_idle()
    }

    /// Holds the circuit open for so many seconds, or without end.
    ///
    /// # Errors
    /// [`InvalidValue`] for another duration.
    #[inline(never)]
    pub fn force_open(&self, duration_seconds: &Value, millis: f64) -> Result<(), InvalidValue> {
        let forced = self.at(millis).force_open_seconds(duration_seconds);
        forced.map_err(|error| values::named("durationSeconds", error))
    }

    /// Lets every call pass.
    #[inline(never)]
    pub fn disable(&self, millis: f64) {
        self.at(millis).disable();
    }

    /// Closes the circuit.
    #[inline(never)]
    pub fn reset(&self, millis: f64) {
        self.at(millis).reset();
    }

    /// Puts a whole new configuration in force.
    ///
    /// # Errors
    /// [`InvalidValue`] for a bad one; then nothing has changed.
    #[inline(never)]
    pub fn reconfigure(&self, config: &Value, millis: f64) -> Result<(), InvalidValue> {
        let config = values::config(config)?;
        self.at(millis).reconfigure(config);
        Ok(())
    }

    /// The first field whose value in `config` differs from the one in force here.
    ///
    /// # Errors
    /// [`InvalidValue`] for a bad one.
    #[inline(never)]
    pub fn difference(&self, config: &Value) -> Result<Option<String>, InvalidValue> {
        let difference = self.breaker.config().difference(&values::config(config)?);
        Ok(difference.map(|field| Spelling::CamelCase.name(field)))
    }

    /// The state of the breaker, for a JSON document.
    #[inline(never)]
    pub fn snapshot(&self, millis: f64) -> Value {
        values::number(self.at(millis).snapshot().to_value())
    }

    /// Continues from a snapshot.
    ///
    /// # Errors
    /// [`InvalidValue`] for a document that is damaged, of another version, or in contradiction with itself.
    #[inline(never)]
    pub fn restore(&self, document: &str, millis: f64) -> Result<(), InvalidValue> {
        let snapshot = Snapshot::from_value(&Value::from_json("snapshot", document)?)?;
        self.at(millis).restore(&snapshot)
    }

    /// The breaker, after its clock was set.
    fn at(&self, millis: f64) -> &Breaker {
        self.breaker.clock().push(millis);
        &self.breaker
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        for ticket in self.permits.drain() {
            self.breaker.settle(ticket, Outcome::Cancelled);
        }
    }
}
