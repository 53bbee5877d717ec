//! Runs the scenarios of the simulator's page, and compares the reports with `docs/simulator/expected.json`, with which the
//! tests of Python and of the page compare theirs. With the argument `write` it writes that file; with `measure FILE` it
//! writes the simulated calls in a second, with each scenario's configuration A.

use std::error::Error;
use std::time::{Duration, Instant};
use std::{env, fs};

use halfopen::Config;
use halfopen::pool::Strategy;
use halfopen::sim::{Scenario, Setup, simulate};
use serde_json::{Map, Value, json};

const SCENARIOS: &str = "docs/simulator/scenarios.json";
const EXPECTED: &str = "docs/simulator/expected.json";

/// How long each scenario is repeated to measure it.
const MEASURED: Duration = Duration::from_millis(500);

/// A scenario of the page with its configuration A.
struct Case {
    id: String,
    document: Value,
    scenario: Scenario,
    failover: Option<Strategy>,
    count_rate_limits: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let documents: Vec<Value> = serde_json::from_str(&fs::read_to_string(SCENARIOS)?)?;
    let cases = documents.into_iter().map(Case::new).collect::<Result<Vec<_>, _>>()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [measure, file] = arguments.as_slice()
        && measure == "measure"
    {
        let rates = cases.iter().map(|case| Ok((case.id.clone(), case.calls_per_second()?.into())));
        let rates = rates.collect::<Result<Map<String, Value>, Box<dyn Error>>>()?;
        return Ok(fs::write(file, Value::from(rates).to_string())?);
    }
    let mut reports = Map::new();
    for case in &cases {
        let mut runs = Map::new();
        for name in ["none", "a", "b"] {
            let setup = case.setup(name)?;
            if setup.breaker.is_some() || name == "none" {
                let report = simulate(&case.scenario, &setup);
                runs.insert(name.into(), digest(&serde_json::from_str(&report.to_json())?));
            }
        }
        reports.insert(case.id.clone(), runs.into());
    }
    if arguments == ["write"] {
        return Ok(fs::write(EXPECTED, lines(&reports))?);
    }
    let expected: Map<String, Value> = serde_json::from_str(&fs::read_to_string(EXPECTED)?)?;
    let different: Vec<&String> = reports.keys().filter(|id| expected.get(*id) != reports.get(*id)).collect();
    if !different.is_empty() || expected.len() != reports.len() {
        return Err(format!("these scenarios differ from {EXPECTED}: {different:?}").into());
    }
    println!("{} scenarios of the simulator's page: as expected", reports.len());
    Ok(())
}

impl Case {
    fn new(document: Value) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            id: document["id"].as_str().ok_or("a scenario without an id")?.into(),
            scenario: Scenario::from_json(&document["scenario"].to_string())?,
            failover: document["failover"].as_str().map(Setup::strategy).transpose()?,
            count_rate_limits: document["count_rate_limits"].as_bool().ok_or("count_rate_limits is not a boolean")?,
            document,
        })
    }

    /// With the configuration of this name; without breakers if there is none.
    fn setup(&self, name: &str) -> Result<Setup, Box<dyn Error>> {
        let breaker: Option<Config> = serde_json::from_value(self.document.get(name).cloned().unwrap_or_default())?;
        Ok(Setup { breaker, failover: self.failover, count_rate_limits: self.count_rate_limits })
    }

    fn calls_per_second(&self) -> Result<f64, Box<dyn Error>> {
        let setup = self.setup("a")?;
        let (begin, mut calls) = (Instant::now(), 0.0);
        while begin.elapsed() < MEASURED {
            let report = simulate(&self.scenario, &setup);
            calls += report.requests as f64 * report.score.calls_per_request;
        }
        Ok(calls / begin.elapsed().as_secs_f64())
    }
}

/// The report with its series as sums, weighted so that a request in another step gives another sum.
fn digest(report: &Value) -> Value {
    let weighed = |end: &str| {
        let points = report["series"].as_array().into_iter().flatten().enumerate();
        points.map(|(index, point)| (index as u64 + 1) * point[end].as_u64().unwrap_or_default()).sum::<u64>()
    };
    let series = ["answered", "failed", "refused", "not_closed"].map(weighed);
    let points = report["series"].as_array().into_iter().flatten();
    let latencies =
        points.filter_map(|point| point["latency_seconds"].as_f64()).fold(0.0, |sum, seconds| sum + seconds);
    let mut digest = report.clone();
    digest["series"] = json!(series);
    digest["latencies"] = json!(latencies);
    digest
}

/// A run on each line, for the differences between versions.
fn lines(reports: &Map<String, Value>) -> String {
    let run = |(name, run): (&String, &Value)| format!("    \"{name}\": {run}");
    let runs = |runs: &Value| runs.as_object().into_iter().flatten().map(run).collect::<Vec<_>>().join(",\n");
    let cases: Vec<_> = reports.iter().map(|(id, of)| format!("  \"{id}\": {{\n{}\n  }}", runs(of))).collect();
    format!("{{\n{}\n}}\n", cases.join(",\n"))
}
