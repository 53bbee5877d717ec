//! Runs the scenarios of the simulator's page, and compares the reports with `docs/simulator/expected.json`, with which the
//! tests of Python and of the page compare theirs. With the argument `write` it writes that file.

use std::error::Error;
use std::fs;

use halfopen::Config;
use halfopen::sim::{Scenario, Setup, simulate};
use serde_json::{Map, Value, json};

const SCENARIOS: &str = "docs/simulator/scenarios.json";
const EXPECTED: &str = "docs/simulator/expected.json";

fn main() -> Result<(), Box<dyn Error>> {
    let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(SCENARIOS)?)?;
    let mut reports = Map::new();
    for case in &cases {
        let scenario = Scenario::from_json(&case["scenario"].to_string())?;
        let failover = case["failover"].as_str().map(Setup::strategy).transpose()?;
        let count_rate_limits = case["count_rate_limits"].as_bool().ok_or("count_rate_limits is no boolean")?;
        let mut runs = Map::new();
        for name in ["none", "a", "b"] {
            let breaker: Option<Config> = serde_json::from_value(case.get(name).cloned().unwrap_or_default())?;
            if breaker.is_some() || name == "none" {
                let report = simulate(&scenario, &Setup { breaker, failover, count_rate_limits });
                runs.insert(name.into(), digest(&serde_json::from_str(&report.to_json())?));
            }
        }
        reports.insert(case["id"].as_str().ok_or("a scenario without an id")?.into(), runs.into());
    }
    if std::env::args().nth(1).as_deref() == Some("write") {
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
