//! The calls in an export of OpenTelemetry's spans: OTLP in JSON, as the file exporter of the collector writes it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::log::{LATEST_SECONDS, Record, RecordedOutcome};
use crate::classify::outcome_of_status;
use crate::config::document::{Fields, Place};
use crate::config::{InvalidValue, Value};
use crate::control::Outcome;
use crate::names::Named;

const CIRCUIT: &str = "halfopen.circuit";
const OUTCOME: &str = "halfopen.outcome";
const START: &str = "startTimeUnixNano";
const END: &str = "endTimeUnixNano";
const LATEST_NANOS: u64 = LATEST_SECONDS as u64 * 1_000_000_000;

/// Which spans are calls.
pub(super) struct Spans<'t> {
    /// The attribute that names the circuit; `None` if spans of kind client are calls.
    circuit: Option<&'t str>,
    are_in_log: bool,
}

/// Whether a document is an export of spans.
pub(super) fn is_export(document: &Value) -> bool {
    document.entry("resourceSpans").is_some()
}

impl<'t> Spans<'t> {
    /// The spans of a log whose circuit is in this attribute, by default in that of halfopen if the log has it.
    pub(super) fn of(log: &str, circuit: Option<&'t str>) -> Self {
        let has_circuits = || log.as_bytes().windows(CIRCUIT.len()).any(|part| part == CIRCUIT.as_bytes());
        Self { circuit: circuit.or_else(|| has_circuits().then_some(CIRCUIT)), are_in_log: false }
    }

    /// Adds the calls of an export.
    pub(super) fn read(&mut self, place: &str, export: &Value, records: &mut Vec<Record>) -> Result<(), InvalidValue> {
        each(&Fields::at(&Place::of(place), export)?, "resourceSpans", &mut |resource| {
            each(resource, "scopeSpans", &mut |scope| {
                each(scope, "spans", &mut |span| {
                    self.are_in_log = true;
                    records.extend(self.call(span)?);
                    Ok(())
                })
            })
        })
    }

    /// Refuses a log that has spans and no call among them.
    pub(super) fn check(&self, records: &[Record]) -> Result<(), InvalidValue> {
        if !self.are_in_log || !records.is_empty() {
            return Ok(());
        }
        let allowed = match self.circuit {
            Some(circuit) => format!("spans with the attribute {circuit}"),
            None => format!("spans of kind client, or with the attribute {CIRCUIT}"),
        };
        Err(InvalidValue::new("log", &Value::Other("spans without a call".into()), &allowed))
    }

    fn call(&self, span: &Fields<'_, '_>) -> Result<Option<Record>, InvalidValue> {
        let circuit = match self.circuit {
            Some(named) => attribute(span, named),
            None if is_named(span.value("kind"), 3, "SPAN_KIND_CLIENT") => {
                let named = attribute(span, "peer.service").or_else(|| attribute(span, "server.address"));
                Some(named.map_or_else(|| span.get("name"), Ok)?)
            }
            None => None,
        };
        let Some(circuit) = circuit else { return Ok(None) };
        let (from, to) = (nanos_of(span, START)?, nanos_of(span, END)?);
        if to < from {
            return Err(span.refused(END, "at least startTimeUnixNano"));
        }
        let outcome = outcome_of(span)?;
        let took = if outcome == RecordedOutcome::Rejected { 0 } else { to - from };
        Ok(Some(Record {
            at_seconds: from as f64 * 1e-9,
            circuit,
            duration_seconds: took as f64 * 1e-9,
            outcome,
            retry_after_seconds: None,
        }))
    }
}

/// Calls `read` with each map of a list.
fn each(
    fields: &Fields<'_, '_>,
    name: &str,
    read: &mut dyn FnMut(&Fields<'_, '_>) -> Result<(), InvalidValue>,
) -> Result<(), InvalidValue> {
    for (index, map) in fields.get::<&[Value]>(name)?.iter().enumerate() {
        read(&Fields::at(&fields.place_of(name).item(index), map)?)?;
    }
    Ok(())
}

fn outcome_of(span: &Fields<'_, '_>) -> Result<RecordedOutcome, InvalidValue> {
    if let Some(named) = attribute(span, OUTCOME) {
        let allowed = || format!("{OUTCOME} as one of: {}", RecordedOutcome::NAMES.join(", "));
        return RecordedOutcome::from_name(&named).ok_or_else(|| span.refused("attributes", &allowed()));
    }
    if attribute(span, "halfopen.rejection.reason").is_some() {
        return Ok(RecordedOutcome::Rejected);
    }
    let error = attribute(span, "error.type");
    let code = span.value("status").entry("code").unwrap_or(&Value::Null);
    let is_error = error.is_some() || is_named(code, 2, "STATUS_CODE_ERROR");
    let status = attribute(span, "http.response.status_code").or_else(|| attribute(span, "http.status_code"));
    // A response with an error status has it as its type of error, too.
    let status = status.or(error).and_then(|status| status.parse().ok());
    Ok(match status.map(outcome_of_status) {
        Some(Outcome::Ignored) => RecordedOutcome::Ignored,
        // The call may fail after its response has begun well.
        None | Some(Outcome::Success) if !is_error => RecordedOutcome::Success,
        _ => RecordedOutcome::Failure,
    })
}

/// OTLP writes enumerations as numbers; other encoders of its messages write their names.
fn is_named(value: &Value, number: u64, name: &str) -> bool {
    *value == Value::Uint(number) || matches!(value, Value::Text(text) if text == name)
}

/// OTLP writes numbers of 64 bits as texts; some write numbers.
fn nanos_of(span: &Fields<'_, '_>, name: &str) -> Result<u64, InvalidValue> {
    let count = match span.value(name) {
        Value::Text(text) => text.parse().ok(),
        value => value.as_whole(),
    };
    let allowed = "nanoseconds since the Unix epoch, at most 3200000000000000000";
    count.filter(|nanos| *nanos <= LATEST_NANOS).ok_or_else(|| span.refused(name, allowed))
}

/// An attribute as a text.
fn attribute(span: &Fields<'_, '_>, key: &str) -> Option<String> {
    let Value::List(attributes) = span.value("attributes") else { return None };
    let is_named = |entry: &&Value| matches!(entry.entry("key"), Some(Value::Text(name)) if name == key);
    attributes.iter().find(is_named)?.entry("value").and_then(text_of)
}

/// A value such as `{"stringValue": "a"}`; of a list the first.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Map(entries) => text_of(&entries.first()?.1),
        Value::List(values) => text_of(values.first()?),
        Value::Text(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
