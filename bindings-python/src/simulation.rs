//! Simulation and replay. Scenarios and results cross as JSON, because they are documents.

use halfopen::Outcome;
use halfopen::sim::{Scenario, Setup, read_log, replay, simulate};
use pyo3::prelude::*;

use crate::config::PyConfig;
use crate::convert::Boolean;
use crate::error::to_python;

/// Runs a scenario and returns the report, both as JSON.
#[pyfunction]
#[pyo3(signature = (scenario, config, *, failover, count_rate_limits))]
pub fn run_scenario(
    py: Python<'_>,
    scenario: &str,
    config: Option<&PyConfig>,
    failover: Option<&str>,
    count_rate_limits: Boolean,
) -> PyResult<String> {
    let scenario = Scenario::from_json(scenario).map_err(|error| to_python(py, &error))?;
    let failover = failover.map(Setup::strategy).transpose().map_err(|error| to_python(py, &error))?;
    let setup =
        Setup { breaker: config.map(|it| it.config().clone()), failover, count_rate_limits: count_rate_limits.0 };
    Ok(py.detach(|| simulate(&scenario, &setup).to_json()))
}

/// Replays a log, and returns the result as JSON: first as if calls of unknown outcome had succeeded, then failed.
#[pyfunction]
#[pyo3(signature = (log, config, circuit, /))]
pub fn replay_log(py: Python<'_>, log: &str, config: &PyConfig, circuit: Option<&str>) -> PyResult<(String, String)> {
    let records = read_log(log, circuit).map_err(|error| to_python(py, &error))?;
    let config = config.config();
    Ok(py.detach(|| {
        let [best, worst] = [Outcome::Success, Outcome::FAILURE].map(|unknown| replay(&records, config, unknown));
        (best.to_json(), worst.to_json())
    }))
}
