//! Runs the shared vectors through the Rust API: `tests/vectors`, and the folder in `HALFOPEN_VECTORS`.

mod vector;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let further = std::env::var_os("HALFOPEN_VECTORS").map(PathBuf::from);
    let mut files = Vec::new();
    for folder in [own].into_iter().chain(further) {
        walk(&folder, &mut files);
    }
    files.sort();

    let (mut passed, mut failed, mut ids) = (0, 0, HashSet::new());
    for file in &files {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let vectors: Vec<Value> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for vector in &vectors {
            let id = vector["id"].as_str().unwrap_or("(no id)");
            let outcome =
                if ids.insert(id.to_owned()) { vector::run(vector) } else { Err("the id is not unique".into()) };
            match outcome {
                Ok(()) => passed += 1,
                Err(difference) => {
                    failed += 1;
                    println!("{id}: {difference}");
                }
            }
        }
    }
    println!("vectors rust: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
