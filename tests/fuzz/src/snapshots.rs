//! Snapshots: taken from any history, then damaged at any place; read whole, or refused by name.

use arbitrary::Unstructured;
use halfopen::{CircuitBreaker, ManualClock, Snapshot, Value};

use crate::Hostile;
use crate::histories::{Act, Session};

/// Makes a history of the bytes, and damage to its snapshot.
pub fn check(bytes: &[u8]) {
    let _ = damaged(&mut Unstructured::new(bytes));
}

fn damaged(bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let mut session = Session::arbitrary(bytes)?;
    for _ in 0..bytes.int_in_range(0..=20)? {
        session.act(bytes.arbitrary::<Act>()?);
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
            assert_eq!(next.status(), before, "what is refused changes nothing");
        }
        Ok(()) => {
            next.acquire().map(|permit| permit.failure()).unwrap_or_default();
            let own = Snapshot::from_value(&next.snapshot().to_value());
            assert!(own.is_ok(), "what it writes itself is whole: {own:?}");
            Session::of(next).is_sound();
        }
    }
    Ok(())
}

/// Puts something else in one place of the document, or takes it away.
fn damage(document: &mut Value, bytes: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    match document {
        Value::Map(entries) if !entries.is_empty() && bytes.ratio(9, 10)? => {
            let place = bytes.choose_index(entries.len())?;
            if bytes.ratio(1, 8)? {
                entries.remove(place);
                return Ok(());
            }
            damage(&mut entries[place].1, bytes)
        }
        Value::List(values) if !values.is_empty() && bytes.ratio(9, 10)? => {
            let place = bytes.choose_index(values.len())?;
            damage(&mut values[place], bytes)
        }
        _ => {
            *document = bytes.arbitrary::<Hostile>()?.0;
            Ok(())
        }
    }
}
