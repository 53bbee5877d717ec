//! Runs: recorded as a whole, or stopped at any time.

use halfopen::sim::{CircuitView, POINTS, Scenario, Setup, Simulation, TracedCall};
use wasm_bindgen::prelude::*;

use crate::json::json_of;

/// A run that stops at any time. Stopping changes nothing.
#[wasm_bindgen]
pub struct Run(Simulation);

impl Run {
    pub(crate) fn new(simulation: Simulation) -> Self {
        Self(simulation)
    }
}

#[wasm_bindgen]
impl Run {
    /// Runs until this time. A time that has passed changes nothing.
    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, seconds: f64) {
        self.0.advance_to(seconds);
    }

    /// A circuit as JSON; nothing without breakers.
    pub fn circuit(&self, worker: u32, provider: u32) -> Option<String> {
        self.0.circuit(worker, provider).map(|view| json_of(&view))
    }
}

/// The numbers of a call in [`Recording::calls`].
const CALL_NUMBERS: usize = 8;
/// The numbers of a reading in [`Recording::readings`].
const READING_NUMBERS: usize = 5;

/// A run with its calls, and readings of its circuits over time.
#[wasm_bindgen]
pub struct Recording {
    report: String,
    calls: Vec<f64>,
    readings: Vec<f64>,
}

impl Recording {
    pub(crate) fn of(scenario: &Scenario, setup: &Setup) -> Self {
        let mut run = Simulation::new(scenario, setup).traced();
        let circuits: Vec<_> = (0..scenario.workers)
            .flat_map(|worker| (0..scenario.providers.len() as u32).map(move |provider| (worker, provider)))
            .collect();
        let mut readings = Vec::with_capacity(POINTS * circuits.len() * READING_NUMBERS);
        for point in 0..POINTS {
            run.advance_to(scenario.seconds * (point + 1) as f64 / POINTS as f64);
            let views = circuits.iter().filter_map(|(worker, provider)| run.circuit(*worker, *provider));
            readings.extend(views.flat_map(|view| reading(&view)));
        }
        // Every call ends within two hours after the last request: a timeout for each of up to eleven calls and waits.
        run.advance_to(1e9);
        let calls = run.calls().iter().flat_map(call).collect();
        Self { report: json_of(&run.finish()), calls, readings }
    }
}

#[wasm_bindgen]
impl Recording {
    /// The report as JSON.
    #[wasm_bindgen(getter)]
    pub fn report(&self) -> String {
        self.report.clone()
    }

    /// For each call: when it began and ended, request, attempt, worker, provider, the number of its fate, and 1 for a
    /// probe.
    #[wasm_bindgen(getter)]
    pub fn calls(&self) -> Vec<f64> {
        self.calls.clone()
    }

    /// For each point of the report's series, worker and provider: severity of the state, failures in a row, and calls,
    /// failed and slow ones in the window. Empty without breakers.
    #[wasm_bindgen(getter)]
    pub fn readings(&self) -> Vec<f64> {
        self.readings.clone()
    }
}

fn call(call: &TracedCall) -> [f64; CALL_NUMBERS] {
    let TracedCall { from_seconds, to_seconds, request, attempt, worker, provider, fate, is_probe } = *call;
    let numbers = [attempt, worker, provider, fate as u32, is_probe.into()].map(f64::from);
    let [attempt, worker, provider, fate, is_probe] = numbers;
    [from_seconds, to_seconds, request as f64, attempt, worker, provider, fate, is_probe]
}

fn reading(view: &CircuitView) -> [f64; READING_NUMBERS] {
    let counts = [view.consecutive_failures, view.window.calls, view.window.failed, view.window.slow];
    let [failures, calls, failed, slow] = counts.map(|count| count as f64);
    [view.state.severity().into(), failures, calls, failed, slow]
}
