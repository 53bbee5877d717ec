//! Texts put together without `core::fmt`, whose machinery would be a tenth of the WebAssembly module.

use alloc::string::String;
use core::time::Duration;

use crate::clock::nearest;

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
pub(crate) fn seconds(duration: Duration) -> String {
    let tenths = (u64::from(duration.subsec_millis()) + 50) / 100;
    joined(&[&whole(duration.as_secs().saturating_add(tenths / 10)), ".", &whole(tenths % 10), " s"])
}

/// A share in percent with one decimal, rounded.
pub(crate) fn percent(share: f64) -> String {
    let tenths = nearest(share * 1000.0);
    joined(&[&whole(tenths / 10), ".", &whole(tenths % 10), " %"])
}

/// So many things, each of them a `noun`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    joined(&[&whole(count), " ", noun, if count == 1 { "" } else { "s" }])
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
        let shown = |millis| seconds(Duration::from_millis(millis));
        assert_eq!([0, 49, 50, 949, 950].map(shown), ["0.0 s", "0.0 s", "0.1 s", "0.9 s", "1.0 s"]);
        assert_eq!([8_500, 59_999].map(shown), ["8.5 s", "60.0 s"]);
        assert_eq!(seconds(Duration::MAX), "18446744073709551615.0 s");
    }

    #[test]
    fn shares_are_told_in_tenths_of_a_percent() {
        assert_eq!([0.5, 1.0, 1.0 / 3.0, 0.0005].map(percent), ["50.0 %", "100.0 %", "33.3 %", "0.1 %"]);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "call")), ["0 calls", "1 call", "2 calls"]);
    }
}
