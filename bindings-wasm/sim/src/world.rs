//! A scenario, ready to be run with any configuration.

use halfopen::sim::{Scenario, Setup, Simulation, simulate};
use wasm_bindgen::prelude::*;

use crate::config_of;
use crate::json::json_of;
use crate::refusal::{Result, refused};
use crate::run::{Recording, Run};

/// A scenario with the clients' way of calling, ready to be run with any configuration.
#[wasm_bindgen]
pub struct World {
    scenario: Scenario,
    /// Without breakers.
    setup: Setup,
}

#[wasm_bindgen]
impl World {
    /// Reads a scenario. `failover` names a strategy; without one only the first provider is called.
    pub fn read(scenario: &str, failover: Option<String>, count_rate_limits: bool) -> Result<World> {
        let failover = failover.as_deref().map(Setup::strategy).transpose().map_err(refused)?;
        let scenario = Scenario::from_json(scenario).map_err(refused)?;
        Ok(Self { scenario, setup: Setup { breaker: None, failover, count_rate_limits } })
    }

    /// Runs it; returns the report as JSON. Without a configuration there are no breakers.
    pub fn report(&self, config: Option<String>) -> Result<String> {
        Ok(json_of(&simulate(&self.scenario, &self.with(config)?)))
    }

    /// The same, but only the score.
    pub fn score(&self, config: Option<String>) -> Result<String> {
        let report = simulate(&self.scenario, &self.with(config)?);
        Ok(json_of(&report.score))
    }

    /// Runs it, and keeps the calls and readings of the circuits over time.
    pub fn record(&self, config: Option<String>) -> Result<Recording> {
        Ok(Recording::of(&self.scenario, &self.with(config)?))
    }

    /// Begins a run that stops at any time.
    pub fn start(&self, config: Option<String>) -> Result<Run> {
        Ok(Run::new(Simulation::new(&self.scenario, &self.with(config)?)))
    }

    fn with(&self, config: Option<String>) -> Result<Setup> {
        let breaker = config.as_deref().map(config_of).transpose()?;
        Ok(Setup { breaker, ..self.setup.clone() })
    }
}
