//! Snapshots of any history, damaged anywhere, are either restored completely or refused with the name of a field.

use arbitrary::Unstructured;
use halfopen::clock::ManualClock;
use halfopen::host::Value;
use halfopen::{CircuitBreaker, Snapshot};

use crate::ArbitraryValue;
use crate::histories::{Operation, Session};

/// Builds a history from the bytes and damages its snapshot.
pub fn check(bytes: &[u8]) {
    let _ = check_damaged(&mut Unstructured::new(bytes));
}

fn check_damaged(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let mut session = Session::arbitrary(bytes)?;
    for _ in 0..bytes.int_in_range(0..=20)? {
        session.apply(bytes.arbitrary::<Operation>()?);
    }
    let mut document = session.breaker.snapshot().to_value();
    for _ in 0..bytes.int_in_range(1..=3)? {
        damage(&mut document, bytes)?;
    }
    let next = CircuitBreaker::with_clock(session.breaker.config(), ManualClock::new());
    let before = next.status();
    match Snapshot::from_value(&document).and_then(|snapshot| next.restore(&snapshot)) {
        Err(error) => {
            assert!(!error.field().is_empty() && !error.allowed().is_empty());
            assert_eq!(next.status(), before, "a refused snapshot changes nothing");
        }
        Ok(()) => {
            next.acquire().map(|permit| permit.failure()).unwrap_or_default();
            let own = Snapshot::from_value(&next.snapshot().to_value());
            assert!(own.is_ok(), "its own snapshot is valid: {own:?}");
            Session::of(next).assert_invariants();
        }
    }
    Ok(())
}

/// Replaces or removes one value of the document.
fn damage(document: &mut Value, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    match document {
        Value::Map(entries) if !entries.is_empty() && bytes.ratio(9, 10)? => {
            let index = bytes.choose_index(entries.len())?;
            if bytes.ratio(1, 8)? {
                entries.remove(index);
                return Ok(());
            }
            damage(&mut entries[index].1, bytes)
        }
        Value::List(values) if !values.is_empty() && bytes.ratio(9, 10)? => {
            let index = bytes.choose_index(values.len())?;
            damage(&mut values[index], bytes)
        }
        _ => {
            *document = bytes.arbitrary::<ArbitraryValue>()?.0;
            Ok(())
        }
    }
}
