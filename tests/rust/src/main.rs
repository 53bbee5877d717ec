//! Runs the shared vectors on the Rust API: those in `tests/vectors`, and in the folder that `HALFOPEN_VECTORS` names.

mod pool;
mod registry;
mod vector;

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let (passed, failed) = run_all();
    println!("vectors rust: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The numbers of passed and failed vectors; prints the first difference of each failed one.
fn run_all() -> (usize, usize) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let further = std::env::var_os("HALFOPEN_VECTORS").map(PathBuf::from);
    let (mut passed, mut failed) = (0, 0);
    for folder in [own].into_iter().chain(further) {
        let mut ids = HashSet::new();
        for vector in vectors(&folder) {
            let id = vector["id"].as_str().unwrap_or("(no id)").to_owned();
            let unique = ids.insert(id.clone());
            let run = match &vector {
                it if it.get("pool").is_some() => pool::run,
                it if it.get("registry").is_some() => registry::run,
                _ => vector::run,
            };
            let outcome = if unique { run(&vector) } else { Err("the id is not unique in its folder".into()) };
            match outcome {
                Ok(()) => passed += 1,
                Err(difference) => {
                    failed += 1;
                    println!("{id}: {difference}");
                }
            }
        }
    }
    (passed, failed)
}

/// Includes the vectors in `cargo test`, which cargo-mutants uses.
#[test]
fn every_vector_passes() {
    let (passed, failed) = run_all();
    assert!(failed == 0 && passed > 0);
}

/// All vectors below a folder, sorted by file name.
fn vectors(folder: &Path) -> Vec<Value> {
    let mut files = Vec::new();
    walk(folder, &mut files);
    files.sort();
    let read = |file: &PathBuf| -> Result<Vec<Value>, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    };
    files.iter().flat_map(|file| read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
