//! Spans as the exporters write them, and those that are refused.

use super::super::read_log;
use super::*;

/// An export on one line. Its spans begin one second apart, and each lasts half a second.
fn export(spans: &[&str]) -> String {
    let spans = spans.iter().enumerate().map(|(second, span)| {
        let second = 1_796_019_931 + second;
        format!(r#"{{"startTimeUnixNano": "{second}000000000", "endTimeUnixNano": "{second}500000000", {span}}}"#)
    });
    let spans = spans.collect::<Vec<_>>().join(", ");
    format!(r#"{{"resourceSpans": [{{"resource": {{}}, "scopeSpans": [{{"scope": {{}}, "spans": [{spans}]}}]}}]}}"#)
}

/// The attributes of a span of kind client, each a key and its value.
fn client(attributes: &[(&str, &str)]) -> String {
    let attributes = attributes.iter().map(|(key, value)| format!(r#"{{"key": "{key}", "value": {{{value}}}}}"#));
    format!(r#""name": "POST", "kind": 3, "attributes": [{}]"#, attributes.collect::<Vec<_>>().join(", "))
}

fn circuits(log: &str, circuit: Option<&str>) -> Vec<String> {
    read_log(log, circuit).unwrap().into_iter().map(|record| record.circuit).collect()
}

#[test]
fn a_call_has_the_times_of_its_span() {
    let lines = export(&[&client(&[])]) + "\n\n" + &export(&[&client(&[]), &client(&[])]);
    let records = read_log(&lines, None).unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!((records[0].at_seconds, records[0].duration_seconds), (1_796_019_931.0, 0.5));
    assert_eq!((records[0].circuit.as_str(), records[0].outcome), ("POST", RecordedOutcome::Success));
    assert_eq!(records[2].at_seconds, 1_796_019_932.0);
    let of_many_lines = export(&[&client(&[])]).replace(", ", ",\n");
    assert_eq!(read_log(&of_many_lines, None).unwrap(), records[..1]);
    let numbers = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [
        {"name": "a", "kind": "SPAN_KIND_CLIENT", "startTimeUnixNano": 1, "endTimeUnixNano": 1000000001}
    ]}]}]}"#;
    assert_eq!(read_log(numbers, None).unwrap()[0].duration_seconds, 1.0);
}

#[test]
fn the_circuit_is_an_attribute() {
    let (server, peer) =
        (("server.address", r#""stringValue": "api.example.com""#), ("peer.service", r#""stringValue": "gemini""#));
    let local = r#""name": "local", "kind": 1"#;
    let plain = [client(&[]), client(&[server]), client(&[server, peer])];
    let log = export(&[&plain[0], &plain[1], &plain[2], local]);
    assert_eq!(circuits(&log, None), ["POST", "api.example.com", "gemini"]);
    assert_eq!(circuits(&log, Some("server.address")), ["api.example.com", "api.example.com"]);
    let own =
        r#""name": "work", "kind": 2, "attributes": [{"key": "halfopen.circuit", "value": {"stringValue": "a"}}]"#;
    assert_eq!(circuits(&export(&[&plain[1], own]), None), ["a"], "its client spans are the same calls");
}

#[test]
fn an_export_without_calls_is_refused() {
    let told = |log: &str, circuit| read_log(log, circuit).unwrap_err().to_string();
    let local = export(&[r#""name": "local", "kind": 1"#]);
    let allowed = "spans of kind client, or with the attribute halfopen.circuit";
    assert_eq!(told(&local, None), format!("log = spans without a call is refused: allowed is {allowed}"));
    assert!(told(&local, Some("db")).ends_with("allowed is spans with the attribute db"));
    assert_eq!(read_log(r#"{"resourceSpans": []}"#, None).unwrap(), []);
}

#[test]
fn the_outcome_is_judged_as_a_live_call_is() {
    let text = |key: &'static str, value: &str| (key, format!(r#""stringValue": "{value}""#));
    let status = |status: &str| ("http.response.status_code", format!(r#""intValue": "{status}""#));
    for (attributes, outcome) in [
        (vec![status("200")], "success"),
        (vec![status("503")], "failure"),
        (vec![status("404"), text("error.type", "404")], "ignored"),
        (vec![text("error.type", "429")], "ignored"),
        (vec![("http.status_code", r#""intValue": 500"#.to_string())], "failure"),
        (vec![status("200"), text("error.type", "ReadTimeout")], "failure"),
        (vec![text("error.type", "ConnectError")], "failure"),
        (vec![text("halfopen.outcome", "cancelled"), status("500")], "cancelled"),
        (vec![text("halfopen.rejection.reason", "open")], "rejected"),
    ] {
        let attributes: Vec<_> = attributes.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let log = export(&[&client(&attributes)]);
        let record = &read_log(&log, None).unwrap()[0];
        assert_eq!(record.outcome.as_str(), outcome, "{attributes:?}");
        assert_eq!(record.duration_seconds, if outcome == "rejected" { 0.0 } else { 0.5 });
    }
    for code in ["2", r#""STATUS_CODE_ERROR""#] {
        let failed = format!(r#"{}, "status": {{"code": {code}, "message": "no"}}"#, client(&[]));
        assert_eq!(read_log(&export(&[&failed]), None).unwrap()[0].outcome, RecordedOutcome::Failure);
    }
    let fine = format!(r#"{}, "status": {{"code": 1}}"#, client(&[]));
    assert_eq!(read_log(&export(&[&fine]), None).unwrap()[0].outcome, RecordedOutcome::Success);
}

#[test]
fn a_wrong_span_is_named_with_its_line_and_field() {
    let span =
        |fields: &str| format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{"kind": 3, {fields}}}]}}]}}]}}"#);
    let first = export(&[&client(&[])]);
    let nanos = "nanoseconds since the Unix epoch, at most 3200000000000000000";
    for (fields, field, allowed) in [
        (r#""name": "a", "endTimeUnixNano": "1""#, "startTimeUnixNano", nanos),
        (r#""name": "a", "startTimeUnixNano": "1""#, "endTimeUnixNano", nanos),
        (r#""name": "a", "startTimeUnixNano": "-1", "endTimeUnixNano": "1""#, "startTimeUnixNano", nanos),
        (
            r#""name": "a", "startTimeUnixNano": "3200000000000000001", "endTimeUnixNano": "1""#,
            "startTimeUnixNano",
            nanos,
        ),
        (
            r#""name": "a", "startTimeUnixNano": "2", "endTimeUnixNano": "1""#,
            "endTimeUnixNano",
            "at least startTimeUnixNano",
        ),
        (r#""name": 7, "startTimeUnixNano": "1", "endTimeUnixNano": "2""#, "name", "a text"),
        (
            r#""name": "a", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
                "attributes": [{"key": "halfopen.outcome", "value": {"stringValue": "fine"}}]"#,
            "attributes",
            "halfopen.outcome as one of: success, failure, ignored, cancelled, rejected",
        ),
    ] {
        let error = read_log(&format!("{first}\n{}", span(fields).replace('\n', "")), None).unwrap_err();
        assert_eq!(error.field(), format!("log[2].resourceSpans[0].scopeSpans[0].spans[0].{field}"));
        assert_eq!(error.allowed(), allowed, "{fields}");
    }
    let error = read_log(&format!("{first}\n{{\"resourceSpans\": 7}}"), None).unwrap_err();
    assert_eq!((error.field(), error.allowed()), ("log[2].resourceSpans", "a list"));
}
