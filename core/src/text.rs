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

/// Seconds with one decimal, rounded; what is shorter is said to be so.
pub(crate) fn seconds(duration: Duration) -> String {
    let tenths = (u64::from(duration.subsec_millis()) + 50) / 100;
    if !duration.is_zero() && duration.as_secs() == 0 && tenths == 0 {
        return "less than 0.1 s".into();
    }
    joined(&[&whole(duration.as_secs().saturating_add(tenths / 10)), ".", &whole(tenths % 10), " s"])
}

/// A share above 0 in percent, rounded to a hundredth, which is one call in the largest window; what is less is said to be
/// so.
pub(crate) fn percent(share: f64) -> String {
    let hundredths = nearest(share * 10_000.0);
    if hundredths == 0 {
        return "less than 0.01 %".into();
    }
    let (percent, rest) = (whole(hundredths / 100), hundredths % 100);
    let decimals = match (rest / 10, rest % 10) {
        (0, 0) => String::new(),
        (tenth, 0) => joined(&[".", &whole(tenth)]),
        (tenth, hundredth) => joined(&[".", &whole(tenth), &whole(hundredth)]),
    };
    joined(&[&percent, &decimals, " %"])
}

/// So many things, each of them a `noun`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    joined(&[&whole(count), " ", noun, plural])
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
        assert_eq!([0, 50, 949, 950, 1_049].map(shown), ["0.0 s", "0.1 s", "0.9 s", "1.0 s", "1.0 s"]);
        assert_eq!([1, 49].map(shown), ["less than 0.1 s"; 2]);
        assert_eq!([8_500, 59_999].map(shown), ["8.5 s", "60.0 s"]);
        assert_eq!(seconds(Duration::MAX), "18446744073709551615.0 s");
    }

    #[test]
    fn shares_are_told_to_a_hundredth_of_a_percent() {
        assert_eq!([0.5, 1.0, 0.625, 1.0 / 3.0].map(percent), ["50 %", "100 %", "62.5 %", "33.33 %"]);
        assert_eq!(
            [0.0001, 0.9999, 0.00005, 0.00004].map(percent),
            ["0.01 %", "99.99 %", "0.01 %", "less than 0.01 %"]
        );
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "call")), ["0 calls", "1 call", "2 calls"]);
        assert_eq!([1, 2].map(|count| counted(count, "success")), ["1 success", "2 successes"]);
    }
}
