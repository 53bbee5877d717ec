//! `Backend`: one circuit, its tickets, and the time it was told.

use std::cell::{Cell, RefCell};

use halfopen::{
    CircuitBreaker, Config, Ending, InvalidValue, Jitter, ManualClock, Outcome, Rejected, Snapshot, Tick, Tickets,
};
use wasm_bindgen::prelude::*;

use crate::convert::{Array, flat, histogram, list, object_of, refusal, refused, rejection, value_of};

/// A circuit on the core, in numbers, names and flat lists.
#[wasm_bindgen]
pub struct Backend {
    core: CircuitBreaker<ManualClock>,
    // Borrowed for single statements that run no host code, so never twice.
    tickets: RefCell<Tickets>,
    rejected: Cell<Option<Rejected>>,
}

#[wasm_bindgen]
impl Backend {
    /// A closed circuit, or the refusal of a bad value. `fields` holds names and values in turn; the seed, a number that
    /// nobody can foresee, spreads the waits.
    pub fn create(fields: &Array, seed: f64) -> JsValue {
        match config_of(fields) {
            Ok(config) => JsValue::from(Self {
                core: CircuitBreaker::with_jitter(config, ManualClock::new(), Jitter { seed: seed.to_bits() }),
                tickets: RefCell::default(),
                rejected: Cell::default(),
            }),
            Err(error) => refusal(&error).into(),
        }
    }

    /// Tells what time it is, in milliseconds; false, and no time has passed, where no clock can mean that.
    pub fn tell(&self, millis: f64) -> bool {
        Tick::from_millis(millis).map(|now| self.core.clock().set(now)).is_some()
    }

    /// Asks for a permit: the number of its ticket, or a negative number where it is rejected.
    pub fn enter(&self) -> f64 {
        match self.core.admit() {
            Ok(ticket) => self.tickets.borrow_mut().insert(ticket) as f64,
            Err(rejected) => {
                self.rejected.set(Some(rejected));
                -1.0
            }
        }
    }

    /// The last rejection: reason, seconds to wait or null; null before the first.
    pub fn rejection(&self) -> JsValue {
        self.rejected.get().map_or(JsValue::NULL, |rejected| rejection(&rejected).into())
    }

    /// Settles a ticket with the outcome of that number; false where there is no such ticket (any more).
    pub fn settle(&self, ticket: f64, outcome: u8) -> bool {
        let Some(outcome) = Outcome::ALL.get(usize::from(outcome)) else { return false };
        let taken = self.tickets.borrow_mut().take(ticket as u64);
        taken.map(|ticket| self.core.settle(ticket, *outcome)).is_some()
    }

    /// The name of the state, now.
    pub fn state(&self) -> JsValue {
        self.core.state().as_str().into()
    }

    /// The name of the mode, now.
    pub fn mode(&self) -> JsValue {
        self.core.mode().as_str().into()
    }

    /// Everything that can be read.
    pub fn status(&self) -> Array {
        flat(self.core.status().entries())
    }

    /// The configuration in force.
    pub fn config(&self) -> Array {
        flat(self.core.config().entries())
    }

    /// The kept events with a sequence number above `after`.
    pub fn events(&self, after: f64) -> Array {
        list(self.core.events(after as u64).iter().map(|event| flat(event.entries()).into()))
    }

    /// The histograms of durations.
    pub fn durations(&self) -> Array {
        list(self.core.durations().by_outcome().iter().map(|(outcome, durations)| histogram(outcome, durations).into()))
    }

    /// The seconds that this share of the calls did not exceed which ended so, or null; or the refusal of a bad value.
    pub fn percentile(&self, share: &JsValue, outcome: &JsValue) -> JsValue {
        match self.core.percentile(&value_of(share), &value_of(outcome)) {
            Ok(longest) => object_of(&longest.map(|longest| longest.as_secs_f64()).into()),
            Err(error) => refusal(&error).into(),
        }
    }

    /// Whether it holds nothing against the next calls; the host's listeners are not known here.
    #[wasm_bindgen(js_name = isIdle)]
    pub fn is_idle(&self) -> bool {
        self.core.is_idle()
    }

    /// Holds the circuit open for so many seconds, or without end; the refusal of a bad value, or null.
    #[wasm_bindgen(js_name = forceOpen)]
    pub fn force_open(&self, seconds: &JsValue) -> JsValue {
        refused(self.core.force_open_seconds(&value_of(seconds)))
    }

    /// Settles a ticket as a failure that asked to be left alone for so many seconds: whether there was such a ticket,
    /// or the refusal of a bad value.
    pub fn fail(&self, ticket: f64, retry_after: &JsValue) -> JsValue {
        match Ending::with_hint(Outcome::Failure, &value_of(retry_after)) {
            Ok(ending) => {
                let taken = self.tickets.borrow_mut().take(ticket as u64);
                taken.map(|ticket| self.core.settle(ticket, ending)).is_some().into()
            }
            Err(error) => refusal(&error).into(),
        }
    }

    /// Puts a whole new configuration in force; the refusal of a bad value, or null.
    pub fn reconfigure(&self, fields: &Array) -> JsValue {
        refused(config_of(fields).map(|config| self.core.reconfigure(config)))
    }

    /// Whether a circuit of these fields would have the configuration in force; or the refusal of a bad value.
    pub fn matches(&self, fields: &Array) -> JsValue {
        config_of(fields).map_or_else(|error| refusal(&error).into(), |config| (config == self.core.config()).into())
    }

    /// What outlives this breaker.
    pub fn snapshot(&self) -> JsValue {
        object_of(&self.core.snapshot().to_value())
    }

    /// Goes on where a snapshot was taken; the refusal of a bad one, or null.
    pub fn restore(&self, document: &JsValue) -> JsValue {
        refused(Snapshot::from_value(&value_of(document)).and_then(|snapshot| self.core.restore(&snapshot)))
    }

    /// Why the circuit is as it is and what would change it.
    pub fn explain(&self) -> String {
        self.core.explain()
    }

    /// Lets every call pass and judges none.
    pub fn disable(&self) {
        self.core.disable();
    }

    /// Closes the circuit and hands it back to the machine.
    pub fn reset(&self) {
        self.core.reset();
    }
}

/// `fields` holds names and values in turn.
fn config_of(fields: &Array) -> Result<Config, InvalidValue> {
    let mut builder = Config::builder();
    for field in (0..fields.length()).step_by(2) {
        let name = fields.item(field).as_string().unwrap_or_default();
        builder = builder.set(&name, value_of(&fields.item(field + 1)));
    }
    builder.build()
}
