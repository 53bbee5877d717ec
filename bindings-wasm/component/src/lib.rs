//! The breaker as a WebAssembly component: the package `halfopen:breaker` in `wit/`, implemented with the core.
//!
//! It imports one function from its host, the clock. This crate converts values, and nothing
//! that decides.

mod breaker;
mod clock;
mod config;
mod enums;
mod permit;
mod records;
mod registry;

use halfopen::host::Value;

/// Generated from `wit/`; the other modules import its types from here.
mod wit {
    wit_bindgen::generate!({ path: "wit" });

    pub(crate) use self::exports::halfopen::breaker::circuit::{
        Breaker, Guest, GuestBreaker, GuestPermit, GuestRegistry, Permit, Registry,
    };
    pub(crate) use self::exports::halfopen::breaker::types::*;
    pub(crate) use self::halfopen::breaker::clock::now;
}

struct Component;

impl wit::Guest for Component {
    type Breaker = breaker::Breaker;
    type Permit = permit::Permit;
    type Registry = registry::Registry;

    fn parse_config(document: String) -> Result<wit::Config, wit::InvalidValue> {
        Ok(config::parse(&document)?)
    }

    fn replay_pool(log: String) -> Result<String, wit::InvalidValue> {
        Ok(halfopen::pool::replay(&Value::from_json("log", &log)?)?.to_json())
    }
}

wit::export!(Component with_types_in wit);
