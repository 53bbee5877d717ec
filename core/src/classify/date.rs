//! Dates in headers: the three forms of RFC 9110 (section 5.6.7), and RFC 3339.

/// HTTP dates are in GMT. Programs that format them as dates of e-mail (RFC 5322) write its other names or an offset.
const NAMES_OF_UTC: [&str; 4] = ["GMT", "UTC", "UT", "Z"];
const NANOS_PER_SECOND: u128 = 1_000_000_000;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date as nanoseconds since the Unix epoch; `None` for anything else, and for a date before it.
///
/// `now`, in seconds, decides the century of a year of two digits.
pub(super) fn parse(text: &str, now: u64) -> Option<u128> {
    rfc_3339(text).or_else(|| http_date(text, now))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
fn http_date(text: &str, now: u64) -> Option<u128> {
    let mut words = text.split_ascii_whitespace();
    let mut word = || words.next();
    let weekday = word()?;
    let (day, month, year, time) = match (weekday.strip_suffix(','), word()?) {
        (Some(_), day) if day.contains('-') => {
            let mut parts = day.splitn(3, '-');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            (day, month, full_year(number(year, 2)?, now), word()?)
        }
        (Some(_), day) => (day, word()?, number(word()?, 4)?, word()?),
        (None, month) => {
            let (day, time) = (word()?, word()?);
            (day, month, number(word()?, 4)?, time)
        }
    };
    let zone = if weekday.ends_with(',') { word()? } else { "GMT" };
    if word().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? as u32 + 1;
    let day = number(day, day.len().clamp(1, 2))?;
    let local = seconds(year, month, day, time)?;
    let seconds = if NAMES_OF_UTC.contains(&zone) { local } else { to_utc(local, zone)? };
    Some(u128::from(seconds) * NANOS_PER_SECOND)
}

/// `1994-11-06T08:49:37Z`, with a fraction of a second and an offset if there is one.
fn rfc_3339(text: &str) -> Option<u128> {
    let (date, time) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes().get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let local = seconds(year, month, day, time.get(..8)?)?;
    let (nanos, zone) = fraction(time.get(8..)?)?;
    let seconds = if zone.eq_ignore_ascii_case("z") { local } else { to_utc(local, zone)? };
    Some(u128::from(seconds) * NANOS_PER_SECOND + u128::from(nanos))
}

/// The nanoseconds of `.5Z`, and what follows them.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let kept = &digits[..length.min(9)];
    let value: u32 = kept.parse().ok()?;
    Some((value * 10_u32.pow(9 - kept.len() as u32), &digits[length..]))
}

/// A local time with an offset such as `+02:00` or `-0330`, in UTC.
fn to_utc(local: u64, offset: &str) -> Option<u64> {
    let seconds = offset_seconds(offset.get(1..)?)?;
    match offset.as_bytes()[0] {
        b'+' => local.checked_sub(seconds),
        b'-' => Some(local + seconds),
        _ => None,
    }
}

/// The seconds of `02:00` or `0200`.
fn offset_seconds(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':').or_else(|| text.split_at_checked(2))?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then(|| u64::from(hours * 3600 + minutes * 60))
}

/// A number of exactly this many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let valid = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

/// The last year with these two digits that is at most 50 years after this one, as RFC 9110 says.
fn full_year(digits: u32, now: u64) -> u32 {
    // An average year; half a day more or less does not matter in 50 years.
    let latest = (1970 + now.min(250_000_000_000) / 31_556_952) as u32 + 50;
    latest - (latest - digits) % 100
}

/// Seconds since the Unix epoch of a date and a `08:49:37` in UTC.
fn seconds(year: u32, month: u32, day: u32, time: &str) -> Option<u64> {
    let mut parts = time.splitn(3, ':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    // A leap second is the first second of the next minute.
    let valid =
        year >= 1970 && (1..=days_of(year, month)?).contains(&day) && hour <= 23 && minute <= 59 && second <= 60;
    let of_day = u64::from(hour * 3600 + minute * 60 + second);
    valid.then(|| (days_before(year, month) + u64::from(day) - 1) * 86_400 + of_day)
}

fn days_of(year: u32, month: u32) -> Option<u32> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap(year)),
        _ => return None,
    })
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The days from the Unix epoch to the first of a month.
fn days_before(year: u32, month: u32) -> u64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400;
    // 477 leap days lie before 1970.
    let of_years = (year - 1970) * 365 + leap_days - 477;
    let of_months: u32 = (1..month).filter_map(|month| days_of(year, month)).sum();
    u64::from(of_years + of_months)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In 2026.
    const NOW: u64 = 1_796_019_931;

    fn seconds_of(text: &str) -> Option<f64> {
        parse(text, NOW).map(|nanos| (nanos / 1_000_000) as f64 / 1e3)
    }

    #[test]
    fn every_form_names_the_same_moment() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 UT",
            "Sun, 06 Nov 1994 08:49:37 Z",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 -0000",
            "Sun, 06 Nov 1994 10:49:37 +0200",
            "Sunday, 06-Nov-94 05:19:37 -03:30",
            "1994-11-06T08:49:37Z",
            "1994-11-06T10:49:37+0200",
            "1994-11-06t08:49:37z",
            "1994-11-06 10:49:37+02:00",
            "1994-11-06T05:19:37.000-03:30",
        ] {
            assert_eq!(seconds_of(text), Some(784_111_777.0), "{text}");
        }
        assert_eq!(seconds_of("2026-11-30T06:25:31.25Z"), Some(1_796_019_931.25));
        assert_eq!(parse("1970-01-01T00:00:00.1234567899Z", NOW), Some(123_456_789));
    }

    #[test]
    fn a_year_of_two_digits_is_at_most_fifty_years_away() {
        let year = |digits| full_year(digits, NOW);
        assert_eq!((year(26), year(94), year(76), year(77), year(0)), (2026, 1994, 2076, 1977, 2000));
        assert_eq!(full_year(77, u64::MAX), full_year(77, 250_000_000_000));
    }

    #[test]
    fn leap_years_and_the_ends_of_months() {
        assert_eq!(seconds_of("2000-02-29T00:00:00Z"), Some(951_782_400.0));
        assert_eq!(seconds_of("2024-12-31T23:59:60Z"), Some(1_735_689_600.0));
        assert_eq!(seconds_of("1970-01-01T00:00:00Z"), Some(0.0));
        assert_eq!(seconds_of("9999-12-31T23:59:59Z"), Some(253_402_300_799.0));
        for text in ["2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "2024-00-01T00:00:00Z"] {
            assert_eq!(seconds_of(text), None, "{text}");
        }
    }

    #[test]
    fn other_text_is_no_date() {
        for text in [
            "",
            "Sun,",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49:37 gmt",
            "Sun, 06 Nov 1994 08:49:37 0000",
            "Sun, 06 Nov 1994 08:49:37 +",
            "Sun, 06 Nov 1994 08:49:37 +000",
            "Sun, 06 Nov 1994 08:49:37 +00000",
            "Sun, 06 Nov 1994 08:49:37 +2400",
            "Sun, 06 Nov 1994 08:49:37 +é00",
            "Sun, 06 Nov 1994 08:49:37 GMT GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 006 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 06-Nov 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "1994-11-06T08:49:37",
            "1994-11-06T08:49:37.Z",
            "1994-11-06_08:49:37Z",
            "1994-11-06T08:49:37+24:00",
            "1994-11-06T08:49:37+02:60",
            "1994-11-06T08:49:37*02:00",
            "1994-11-06T08:49:37Zulu",
            "1970-01-01T00:00:00+01:00",
            "1994-13-06T08:49:37Z",
            "1994-1é-06T08:49:37Z",
            "19é4-11-06T08:49:37Z",
        ] {
            assert_eq!(seconds_of(text), None, "{text}");
        }
    }
}
