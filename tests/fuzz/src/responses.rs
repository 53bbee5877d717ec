//! Any response has a verdict, and its waits are above zero and at most a day.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use halfopen::classify::{LONGEST_WAIT, Response, Scope};

const NAMES: [&str; 8] = [
    "retry-after",
    "Retry-After-Ms",
    "x-should-retry",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-requests",
    "anthropic-ratelimit-tokens-reset",
    "x-rate-limit-reset",
    "reset",
];
const VALUES: [&str; 10] = [
    "1796019931",
    "6m0s",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 06 Nov 1994 10:49:37 +0200",
    "5, Sun, 06 Nov 1994 08:49:37 UTC, 10",
    "2026-11-30T06:25:31.5+02:00",
    "false",
    "0",
];
const CODES: [&str; 4] = ["model_not_found", "overloaded_error", "insufficient_quota", "invalid_request_error"];

/// A text that is usually a known one with a character replaced.
struct Text(String);

impl Text {
    fn arbitrary(bytes: &mut Unstructured<'_>, known: &[&str]) -> arbitrary::Result<Self> {
        if bytes.ratio(1, 4)? {
            return bytes.arbitrary().map(Self);
        }
        let mut characters: Vec<char> = bytes.choose(known)?.chars().collect();
        if bytes.ratio(1, 2)? {
            let index = bytes.choose_index(characters.len())?;
            characters[index] = bytes.arbitrary()?;
        }
        Ok(Self(characters.into_iter().collect()))
    }
}

/// Builds a response from the bytes.
pub fn check(bytes: &[u8]) {
    let _ = check_response(&mut Unstructured::new(bytes));
}

fn check_response(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let status = if bytes.ratio(1, 4)? { u16::arbitrary(bytes)? } else { bytes.int_in_range(400..=530)? };
    let code = if bytes.ratio(1, 4)? { Some(Text::arbitrary(bytes, &CODES)?.0) } else { None };
    let mut headers = Vec::new();
    for _ in 0..bytes.int_in_range(0..=4)? {
        headers.push((Text::arbitrary(bytes, &NAMES)?.0, Text::arbitrary(bytes, &VALUES)?.0));
    }
    let now = if bytes.ratio(1, 4)? { bytes.arbitrary()? } else { Duration::from_secs(784_111_700) };
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let verdict = Response { status, code: code.as_deref(), headers: &headers, now }.verdict();
    for wait in verdict.retry_after().into_iter().chain(verdict.cooldown()) {
        assert!(!wait.is_zero() && wait <= LONGEST_WAIT, "{wait:?}");
    }
    let is_failure = verdict.outcome().is_failure();
    assert_eq!(
        verdict.scope() == Some(Scope::Provider),
        is_failure,
        "a failure is the provider's, and nothing else is"
    );
    assert!(verdict.retry_after().is_none() || verdict.cooldown().is_none());
    Ok(())
}
