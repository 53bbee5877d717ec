//! Checks the configurations that the simulator's page offers as code. Those in Rust are compiled in; those in TOML come as
//! a JSON list of documents on the standard input. Prints both as lists of configurations.

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
