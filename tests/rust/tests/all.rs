//! The vectors as a test, so that `cargo test` alone, and whatever drives it, sees them.

use std::process::Command;

#[test]
fn every_vector_passes() {
    let run = Command::new(env!("CARGO_BIN_EXE_vectors")).output().expect("the runner was built beside this test");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
