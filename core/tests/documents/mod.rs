//! Documents, to be changed.

use halfopen::host::Value;

/// The entries of a map.
pub fn fields(document: &mut Value) -> &mut Vec<(String, Value)> {
    let Value::Map(fields) = document else { panic!("a document is a map") };
    fields
}

/// The part at a path of names.
pub fn part<'v>(document: &'v mut Value, path: &str) -> &'v mut Value {
    path.split('.')
        .fold(document, |value, name| &mut fields(value).iter_mut().find(|(known, _)| known == name).unwrap().1)
}
