//! Configurations, readings and snapshots through serde, with the feature `serde`.
//!
//! A [`Config`] and a [`Snapshot`] are checked as always and report the same errors. A [`Status`] and an [`Event`] can only
//! be written.

use alloc::string::ToString;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use crate::config::{Config, InvalidValue, Value};
use crate::evidence::{Event, Status};
use crate::host::{Entries, Spelling, config_from};
use crate::snapshot::Snapshot;

/// A map of fields. A field that is none by default and none now is left out, because some formats (TOML) have no null.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let default = Self::default();
        let written = |(name, value): &(&str, Value)| *value != Value::Null || default.field(name) != Some(Value::Null);
        serializer.collect_map(self.fields().filter(written))
    }
}

/// From a map of fields. Absent fields keep their defaults. The format must be self-describing, as JSON, TOML and YAML are.
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config_from(&Value::deserialize(deserializer)?, Spelling::SnakeCase).map_err(refused)
    }
}

/// Every number with its name; waits in seconds, moments in seconds from the clock's origin.
impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

/// Every field with its name; the wait in seconds, the moment in seconds from the clock's origin.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

/// The versioned document.
impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

/// From the document; see [`Snapshot::from_value`] for what is refused.
impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(refused)
    }
}

fn refused<E: Error>(error: InvalidValue) -> E {
    E::custom(error.to_string())
}
