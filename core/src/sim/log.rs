//! Logs of real calls: lines of JSON, CSV with a header, or an export of OpenTelemetry's spans.

use alloc::collections::BinaryHeap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::Serialize;

use super::nanos;
use super::spans::{Spans, is_export};
use crate::config::document::{Fields, read_fields};
use crate::config::{InvalidValue, Value};
use crate::names::named_enum;

/// The latest time that a log may have, in seconds: a century, so that it may count from 1970.
pub(super) const LATEST_SECONDS: u32 = 3_200_000_000;

/// One call of a log. Its JSON has these names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// When the call began: seconds from any origin that all records share, at least 0.
    pub at_seconds: f64,
    /// The name of the circuit.
    pub circuit: String,
    /// How long the call took; 0 for a rejected one.
    pub duration_seconds: f64,
    /// How it ended.
    pub outcome: RecordedOutcome,
    /// The wait that the provider asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<f64>,
}

named_enum! {
    /// How a recorded call ended.
    RecordedOutcome {
        /// It did what was asked.
        Success = "success",
        /// It failed, and the provider is to blame.
        Failure = "failure",
        /// It failed, and that says nothing about the provider.
        Ignored = "ignored",
        /// It was given up.
        Cancelled = "cancelled",
        /// The circuit rejected it.
        Rejected = "rejected",
    }
}

const FIELDS: &[&str] = &["at_seconds", "circuit", "duration_seconds", "outcome", "retry_after_seconds"];

/// Reads a log, sorted by its times: one [`Record`] in JSON on each line, or CSV whose header names the fields. Empty
/// lines are skipped.
///
/// It also reads an export of OpenTelemetry's spans in JSON, as one document or as one on each line. `circuit` is the
/// attribute that names the circuit of a span; a span without it is not a call. If it is `None`, that attribute is
/// `halfopen.circuit`. In an export without this attribute, spans of kind client are the calls, and their circuit is
/// their `peer.service`, else their `server.address`, else their name.
///
/// # Errors
/// [`InvalidValue`] names the line, from 1: `log[17]`. In an export it names the field:
/// `log[17].resourceSpans[0].scopeSpans[0].spans[3].endTimeUnixNano`.
pub fn read_log(text: &str, circuit: Option<&str>) -> Result<Vec<Record>, InvalidValue> {
    let text = text.trim_start_matches('\u{feff}');
    let (mut spans, mut records) = (Spans::of(text, circuit), Vec::new());
    // A document may have many lines. For any other log, this ends at its second line.
    if let Some(export) = Value::from_json("log", text).ok().filter(is_export) {
        spans.read("log[1]", &export, &mut records)?;
    } else {
        read_lines(text, &mut spans, &mut records)?;
    }
    spans.check(&records)?;
    Ok(in_order(records))
}

fn read_lines(text: &str, spans: &mut Spans<'_>, records: &mut Vec<Record>) -> Result<(), InvalidValue> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let is_json = lines.peek().is_none_or(|(_, line)| line.trim_start().starts_with(['{', '[']));
    let header = if is_json { None } else { lines.next().map(|(index, line)| (index, cells(line))) };
    if let Some((index, unknown)) = header.as_ref().and_then(|(index, names)| {
        let is_unknown = |name: &&String| !FIELDS.contains(&name.as_str());
        names.iter().find(is_unknown).map(|name| (index, name))
    }) {
        let allowed = format!("lines of JSON, or CSV with a header of these names: {}", FIELDS.join(", "));
        return Err(InvalidValue::new(&format!("log[{}]", index + 1), &Value::from(unknown.as_str()), &allowed));
    }
    for (index, line) in lines {
        let place = format!("log[{}]", index + 1);
        let document = match &header {
            None => Value::from_json(&place, line)?,
            Some((_, names)) => row(names, &cells(line)),
        };
        if is_export(&document) {
            spans.read(&place, &document, records)?;
        } else {
            records.push(read_line(&place, line, &document)?);
        }
    }
    Ok(())
}

/// Sorted by their times; calls of one moment stay in the order of the log. By a heap, whose code the replay contains
/// anyway: a sort would add 3 KB to the simulator's page.
fn in_order(records: Vec<Record>) -> Vec<Record> {
    let times = records.iter().enumerate().map(|(index, record)| Reverse((nanos(record.at_seconds), index)));
    let mut times: BinaryHeap<_> = times.collect();
    let mut records: Vec<_> = records.into_iter().map(Some).collect();
    let mut sorted = Vec::with_capacity(records.len());
    while let Some(Reverse((_, index))) = times.pop() {
        sorted.extend(records[index].take());
    }
    sorted
}

fn read_line(place: &str, line: &str, document: &Value) -> Result<Record, InvalidValue> {
    let refuse = |allowed: &str| InvalidValue::new(place, &Value::from(line), allowed);
    let record = read_record(document).map_err(|error| refuse(&format!("{} as {}", error.field(), error.allowed())))?;
    let seconds = 0.0..=f64::from(LATEST_SECONDS);
    let times = [record.at_seconds, record.duration_seconds, record.retry_after_seconds.unwrap_or(0.0)];
    if times.iter().any(|time| !seconds.contains(time)) {
        return Err(refuse(&format!("times from 0 to {LATEST_SECONDS} seconds")));
    }
    Ok(record)
}

fn read_record(document: &Value) -> Result<Record, InvalidValue> {
    read_fields!(
        Fields::of("a record", document)?,
        Record { at_seconds, circuit, duration_seconds = 0.0, outcome, retry_after_seconds }
    )
}

/// A row as an object. A number is a number only in a field of seconds, because circuits may be called `1`.
fn row(names: &[String], cells: &[String]) -> Value {
    let entry = |(name, cell): (&String, &String)| {
        let number = Value::from_json(name, cell).ok().filter(|_| name.ends_with("_seconds"));
        (name.clone(), number.unwrap_or_else(|| Value::from(cell.as_str())))
    };
    Value::Map(names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()).map(entry).collect())
}

/// The cells of a line. One in quotes may hold commas, and quotes that are doubled.
fn cells(line: &str) -> Vec<String> {
    let mut cells = Vec::from([String::new()]);
    let mut is_quoted = false;
    let mut letters = line.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.next_if_eq(&'"').is_some() => push(&mut cells, '"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            _ => push(&mut cells, letter),
        }
    }
    cells.iter().map(|cell| cell.trim().to_string()).collect()
}

fn push(cells: &mut [String], letter: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_lines_of_json() {
        let text = r#"
            {"at_seconds": 2, "circuit": "a", "duration_seconds": 1, "outcome": "failure", "retry_after_seconds": 5}

            {"at_seconds": 1, "circuit": "a", "outcome": "rejected"}
        "#;
        let records = read_log(text, None).unwrap();
        assert_eq!(records[0].outcome, RecordedOutcome::Rejected);
        assert_eq!(records[1].retry_after_seconds, Some(5.0));
        for (line, field) in [("{}", "log[1]"), ("\n\n{x", "log[3]"), ("\nnonsense", "log[2]")] {
            assert_eq!(read_log(line, None).unwrap_err().field(), field);
        }
        let negative = r#"{"at_seconds": -1, "circuit": "a", "outcome": "success"}"#;
        assert_eq!(read_log(negative, None).unwrap_err().allowed(), "times from 0 to 3200000000 seconds");
        let typed = r#"{"at_seconds": 1, "circuit": "a", "outcome": "fine"}"#;
        let allowed = "outcome as one of: success, failure, ignored, cancelled, rejected";
        assert_eq!(read_log(typed, None).unwrap_err().allowed(), allowed);
    }

    #[test]
    fn a_log_may_be_csv() {
        let csv = "\u{feff}at_seconds,circuit,duration_seconds,outcome,retry_after_seconds\r\n\
            2,\"say \"\"hi\"\", twice\",0.5,failure,\r\n\r\n1, 7 ,0,rejected,\r\n";
        let records = read_log(csv, None).unwrap();
        assert_eq!((records[0].circuit.as_str(), records[1].circuit.as_str()), ("7", "say \"hi\", twice"));
        assert_eq!((records[0].duration_seconds, records[1].duration_seconds), (0.0, 0.5));
        assert_eq!(records[0].retry_after_seconds, None);
        let error = read_log("at_seconds,circuit,outcome\nlater,a,success\n", None).unwrap_err();
        assert_eq!((error.field(), error.allowed()), ("log[2]", "at_seconds as a number"));
        assert_eq!(read_log("", None).unwrap(), []);
    }
}
