//! Runs the configurations that the simulator's page copies as Rust, and reads those that it copies as TOML: a JSON list of
//! documents on the standard input. Prints both as lists of configurations.

use std::error::Error;
use std::io;

use halfopen::Config;

#[rustfmt::skip]
mod copied;

fn main() -> Result<(), Box<dyn Error>> {
    let documents: Vec<String> = serde_json::from_reader(io::stdin())?;
    let read = documents.iter().map(|document| toml::from_str(document)).collect::<Result<Vec<Config>, _>>()?;
    println!("{}", serde_json::to_string(&[copied::all()?, read])?);
    Ok(())
}
