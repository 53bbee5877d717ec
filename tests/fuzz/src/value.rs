//! Values and field names from a host.

use arbitrary::{Arbitrary, Unstructured};
use halfopen::Config;
use halfopen::host::{Entries, Value};

/// Any value; boundary values are more frequent than in a uniform choice.
#[derive(Clone, Debug)]
pub struct ArbitraryValue(pub Value);

const NUMBERS: [f64; 12] =
    [0.0, -0.0, 1.0, 0.5, -1.0, 1e-9, 10.0, 3600.0, 31_536_000.0, 1e300, f64::NAN, f64::INFINITY];

impl<'a> Arbitrary<'a> for ArbitraryValue {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        nested(bytes, 3).map(Self)
    }
}

fn nested(bytes: &mut Unstructured<'_>, depth: u8) -> arbitrary::Result<Value> {
    Ok(match bytes.int_in_range(0..=if depth == 0 { 7 } else { 9 })? {
        0 => Value::Null,
        1 => Value::Bool(bytes.arbitrary()?),
        2 => Value::Uint(bytes.arbitrary()?),
        3 => Value::Uint(bytes.int_in_range(0..=20)?),
        4 => Value::Number(bytes.arbitrary()?),
        5 => Value::Number(*bytes.choose(&NUMBERS)?),
        6 => Value::Text(bytes.arbitrary()?),
        7 => Value::Other(bytes.arbitrary()?),
        8 => {
            let length = bytes.int_in_range(0..=3)?;
            Value::List((0..length).map(|_| nested(bytes, depth - 1)).collect::<Result<_, _>>()?)
        }
        _ => {
            let length = bytes.int_in_range(0..=3)?;
            let entry = |_| Ok((name(bytes)?, nested(bytes, depth - 1)?));
            Value::Map((0..length).map(entry).collect::<Result<_, arbitrary::Error>>()?)
        }
    })
}

/// A configuration field; its name is usually a known one.
#[derive(Clone, Debug)]
pub struct Field(pub String, pub Value);

impl<'a> Arbitrary<'a> for Field {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self(name(bytes)?, ArbitraryValue::arbitrary(bytes)?.0))
    }
}

fn name(bytes: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    if bytes.ratio(1, 10)? {
        return bytes.arbitrary();
    }
    let mut known: Vec<&str> = Config::default().entries().map(|(name, _)| name).collect();
    known.extend(["calls", "seconds"]);
    Ok((*bytes.choose(&known)?).to_owned())
}
