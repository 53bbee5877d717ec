//! Measures a guarded call of halfopen and its peers, and writes the readings of all rounds to the given file.

mod contenders;
mod floors;
mod harness;
mod pool;

use std::{env, fs};

use contenders::{Outcome, Policy, contenders};
use harness::{Cores, Threads};
use serde_json::json;

fn main() {
    let file = env::args().nth(1).expect("usage: time FILE");
    let cores = Cores::available();
    let mut rows = Vec::new();
    for policy in [Policy::Streak, Policy::Window] {
        for outcome in [Outcome::Success, Outcome::Failure, Outcome::Rejection] {
            for (threads, named) in [(Threads::One, "one thread"), (Threads::Two, "two threads")] {
                let path = format!("{policy}, {outcome}, {named}");
                rows.extend(cores.measure(&path, threads, &contenders(policy, outcome, threads)));
            }
        }
    }
    let crowded = contenders(Policy::Streak, Outcome::Success, Threads::FirstAndFifth);
    rows.extend(cores.measure("streak, success, the first and the fifth thread", Threads::FirstAndFifth, &crowded));
    rows.extend(cores.measure("choose among 5 providers", Threads::One, &pool::strategies()));
    let floors = floors::floors();
    rows.extend(cores.measure("floor, one thread", Threads::One, &floors));
    rows.extend(cores.measure("floor, two threads", Threads::Two, &floors));
    fs::write(file, json!({ "rows": rows }).to_string()).expect("the file can be written");
}
