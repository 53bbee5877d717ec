//! How long a response asks its caller to wait.

use core::time::Duration;

use super::{Response, date};

/// The longest wait that is taken from a header; a longer one is cut to it.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// About 31 years, longer than any wait: from here on, a number is a date in seconds since the Unix epoch.
const FIRST_SECONDS: u128 = 1_000_000_000;
/// And from here on, one in milliseconds.
const FIRST_MILLIS: u128 = 100_000_000_000;
/// And from here on, it is neither.
const FIRST_ABSURD: u128 = 100_000_000_000_000;

/// By `retry-after-ms`, otherwise `retry-after`.
pub(super) fn of_retry_after(response: &Response<'_>) -> Option<Duration> {
    let in_millis = response.header_values("retry-after-ms").filter_map(from_millis).max();
    in_millis.or_else(|| response.header_values("retry-after").filter_map(|text| from_text(text, response.now)).max())
}

/// By the same headers, otherwise by the last reset of a limit that is used up.
pub(super) fn of_rate_limit(response: &Response<'_>) -> Option<Duration> {
    of_retry_after(response).or_else(|| {
        let used_up = response.headers.iter().filter(|(name, _)| is_used_up(response, name));
        used_up.filter_map(|(_, value)| from_text(value, response.now)).max()
    })
}

/// Whether a header gives the reset of a limit of which nothing remains, as far as the response says.
fn is_used_up(response: &Response<'_>, name: &str) -> bool {
    let Some(start) = find(name, "reset") else { return false };
    if find(name, "ratelimit").or_else(|| find(name, "rate-limit")).is_none() {
        return false;
    }
    // `…-reset-requests` belongs to `…-remaining-requests`.
    let (before, after) = (&name.as_bytes()[..start], &name.as_bytes()[start + "reset".len()..]);
    let is_counterpart = |other: &[u8]| {
        let parts = other.split_at_checked(before.len());
        parts.is_some_and(|(first, rest)| {
            first.eq_ignore_ascii_case(before)
                && rest.len() == "remaining".len() + after.len()
                && rest[.."remaining".len()].eq_ignore_ascii_case(b"remaining")
                && rest["remaining".len()..].eq_ignore_ascii_case(after)
        })
    };
    let remaining = response.headers.iter().filter(|(other, _)| is_counterpart(other.as_bytes()));
    let mut values = remaining.flat_map(|(_, values)| values.split(',')).peekable();
    let remains = |value: &str| decimal(value.trim()).is_some_and(|left| left > 0);
    values.peek().is_none() || !values.all(remains)
}

fn find(name: &str, word: &str) -> Option<usize> {
    name.as_bytes().windows(word.len()).position(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// The longest wait of a list of milliseconds.
fn from_millis(list: &str) -> Option<Duration> {
    let wait = |text: &str| {
        let nanos = decimal(text.trim())? / 1000;
        limited(nanos).filter(|_| nanos < FIRST_SECONDS * NANOS_PER_SECOND)
    };
    list.split(',').filter_map(wait).max()
}

/// The longest wait of a list. Clients join the values of a repeated header into one.
fn from_text(list: &str, now: Duration) -> Option<Duration> {
    let starts = [0].into_iter().chain(list.match_indices(',').map(|(comma, _)| comma + 1));
    let members = starts.flat_map(|start| {
        let rest = &list[start..];
        let ends = rest.match_indices(',').map(|(comma, _)| comma).chain([rest.len()]);
        // A member ends at the next comma, or at the second one: a date has one inside.
        ends.take(2).map(move |end| &rest[..end])
    });
    members.filter_map(|member| from_member(member, now)).max()
}

/// Seconds from now, seconds or milliseconds since the Unix epoch, a duration with units, or a date.
fn from_member(text: &str, now: Duration) -> Option<Duration> {
    let text = text.trim();
    let until = |moment: u128| limited(moment.checked_sub(now.as_nanos())?);
    if let Some(nanos) = decimal(text) {
        return match nanos / NANOS_PER_SECOND {
            FIRST_ABSURD.. => None,
            FIRST_MILLIS.. => until(nanos / 1000),
            FIRST_SECONDS.. => until(nanos),
            _ => limited(nanos),
        };
    }
    units(text).and_then(limited).or_else(|| date::parse(text, now.as_secs()).and_then(until))
}

/// A wait above zero, cut to the longest one.
fn limited(nanos: u128) -> Option<Duration> {
    let longest = LONGEST_WAIT.as_nanos();
    // A day in nanoseconds fits in 64 bits.
    (nanos > 0).then(|| Duration::from_nanos(nanos.min(longest) as u64))
}

/// A decimal number without a sign, in billionths.
fn decimal(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let value = |digits: &str| {
        digits.bytes().fold(0_u128, |sum, digit| sum.saturating_mul(10).saturating_add((digit - b'0').into()))
    };
    let kept = &fraction[..fraction.len().min(9)];
    let billionths = value(kept) * 10_u128.pow(9 - kept.len() as u32);
    Some(value(whole).saturating_mul(NANOS_PER_SECOND).saturating_add(billionths))
}

/// A duration such as `6m0s` or `20ms`, in nanoseconds.
fn units(text: &str) -> Option<u128> {
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let (mut rest, mut sum) = (text, 0_u128);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.bytes().take_while(|byte| is_number(*byte)).count());
        let (unit, next) = after.split_at(after.bytes().take_while(|byte| !is_number(*byte)).count());
        let nanos: u128 = match unit {
            "d" => 86_400_000_000_000,
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => NANOS_PER_SECOND,
            "ms" => 1_000_000,
            "us" | "µs" | "μs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        sum = sum.saturating_add(decimal(number)?.saturating_mul(nanos) / NANOS_PER_SECOND);
        rest = next;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_796_019_931);

    fn seconds(text: &str) -> Option<f64> {
        from_text(text, NOW).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn a_number_is_a_wait_or_a_date() {
        assert_eq!((seconds("20"), seconds(" 0.25 "), seconds(".5")), (Some(20.0), Some(0.25), Some(0.5)));
        assert_eq!((seconds("1796019941"), seconds("1796019941500")), (Some(10.0), Some(10.5)));
        assert_eq!((seconds("999999999"), seconds("1000000000")), (Some(86_400.0), None));
        assert_eq!((seconds("86399"), seconds("86401")), (Some(86_399.0), Some(86_400.0)));
    }

    #[test]
    fn other_text_is_no_wait() {
        let digits = "9".repeat(400);
        for text in ["", " ", ".", "0", "0.0", "-1", "+1", "1e3", "1;5", "1.2.3", "NaN", "inf", "soon", "５", &digits]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
        // A fraction is cut after nanoseconds.
        assert_eq!(from_text("0.0000000019", NOW), Some(Duration::from_nanos(1)));
        assert_eq!(from_text("0.0000000009", NOW), None);
    }

    #[test]
    fn the_longest_wait_of_a_list_counts() {
        assert_eq!((seconds("5, 10"), seconds("10,5"), seconds("soon, 5,, -7,")), (Some(10.0), Some(10.0), Some(5.0)));
        assert_eq!((seconds("1m, 20ms"), seconds(","), seconds("0, soon")), (Some(60.0), None, None));
        let (near, far) = ("Mon, 30 Nov 2026 06:25:41 GMT", "Mon Nov 30 06:26:31 2026");
        for list in [&format!("{near}, {far}"), &format!("{far},{near}"), &format!("7, {near}, 60")] {
            assert_eq!(seconds(list), Some(60.0), "{list}");
        }
        assert_eq!((seconds(&format!("7, {near}")), seconds(&format!("{near}, 7"))), (Some(10.0), Some(10.0)));
        assert_eq!((from_millis("5, 10"), from_millis("soon,")), (Some(Duration::from_millis(10)), None));
    }

    #[test]
    fn units_add_up() {
        assert_eq!((seconds("6m0s"), seconds("1s"), seconds("20ms")), (Some(360.0), Some(1.0), Some(0.02)));
        assert_eq!((seconds("1h2m3.5s"), seconds("2m59.56s")), (Some(3723.5), Some(179.56)));
        assert_eq!(
            (seconds("1500us"), seconds("1500µs"), seconds("1500μs")),
            (Some(0.0015), Some(0.0015), Some(0.0015))
        );
        assert_eq!((seconds("1d"), seconds("2d"), seconds("3h")), (Some(86_400.0), Some(86_400.0), Some(10_800.0)));
        assert_eq!((from_text("7ns", NOW), seconds("0s")), (Some(Duration::from_nanos(7)), None));
        for text in ["s", "1x", "1s2", "1 s", "1S", "m1", "1.2.3s", "1µ"] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(seconds(&("9".repeat(300) + "d")), Some(86_400.0));
    }
}
