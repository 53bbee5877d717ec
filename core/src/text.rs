//! Texts put together without `core::fmt`, whose machinery would be a tenth of the WebAssembly module.

use alloc::string::String;
use core::time::Duration;

/// The parts in a row.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// The items with a comma between each two.
pub(crate) fn listed(items: &[&str]) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(item);
    }
    text
}

/// A whole number.
pub(crate) fn whole(number: u64) -> String {
    let mut digits = if number < 10 { String::new() } else { whole(number / 10) };
    digits.push(char::from(b'0' + (number % 10) as u8));
    digits
}

/// Seconds with one decimal, rounded.
pub(crate) fn tenths(duration: Duration) -> String {
    let tenths = (u64::from(duration.subsec_millis()) + 50) / 100;
    joined(&[&whole(duration.as_secs() + tenths / 10), ".", &whole(tenths % 10)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_in_full() {
        assert_eq!([0, 9, 10, 65_535, u64::MAX].map(whole), ["0", "9", "10", "65535", "18446744073709551615"]);
    }

    #[test]
    fn tenths_are_rounded_from_the_millisecond() {
        let shown = |millis| tenths(Duration::from_millis(millis));
        assert_eq!([0, 49, 50, 949, 950, 8_500, 59_999].map(shown), ["0.0", "0.0", "0.1", "0.9", "1.0", "8.5", "60.0"]);
    }
}
