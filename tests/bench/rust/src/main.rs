//! How long a guarded call takes, beside the peers. Writes the readings of all rounds to the file that it is given.

mod contenders;
mod floors;
mod harness;

use std::{env, fs};

use contenders::{Outcome, Policy, contenders};
use harness::Cores;
use serde_json::json;

fn main() {
    let file = env::args().nth(1).expect("usage: time FILE");
    let cores = Cores::available();
    let mut rows = Vec::new();
    for policy in [Policy::Streak, Policy::Window] {
        for outcome in [Outcome::Success, Outcome::Failure, Outcome::Rejection] {
            for (threads, named) in [(1, "one thread"), (2, "two threads")] {
                let path = format!("{policy}, {outcome}, {named}");
                rows.extend(cores.measure(&path, threads, &contenders(policy, outcome, threads)));
            }
        }
    }
    let floors = floors::floors();
    rows.extend(cores.measure("floor, one thread", 1, &floors));
    rows.extend(cores.measure("floor, two threads", 2, &floors));
    fs::write(file, json!({ "rows": rows }).to_string()).expect("the file can be written");
}
