"""A naive model of docs/classification.md: from an HTTP response to a verdict.

It is written from the text alone, whose table of codes it reads, with the standard library's dates and fractions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

DAY = 24 * 60 * 60
REFUSED = Fraction(300)
UNITS = {
    "d": Fraction(DAY),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
OFFSET = r"[+-]\d{2}:?\d{2}"
ZONE = rf"(?:GMT|UTC|UT|Z|(?P<zone>{OFFSET}))"
HTTP_DATES = (
    rf"\S*, +(?P<day>\d{{1,2}}) +(?P<month>\w{{3}}) +(?P<year>\d{{4}}) +{CLOCK} +{ZONE}",
    rf"\S*, +(?P<day>\d{{1,2}})-(?P<month>\w{{3}})-(?P<year>\d{{2}}) +{CLOCK} +{ZONE}",
    rf"\S*[^\s,] +(?P<month>\w{{3}}) +(?P<day>\d{{1,2}}) +{CLOCK} +(?P<year>\d{{4}})",
)
RFC_3339 = (
    rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})[Tt ]{CLOCK}"
    rf"(?P<fraction>\.\d+)?(?:[Zz]|(?P<zone>{OFFSET}))"
)

PAGE = Path(__file__).parents[2] / "docs" / "classification.md"
_, _, _after = PAGE.read_text(encoding="utf-8").partition("### Error codes")
STATUS_OF_CODE = {
    code.lower(): int(status)
    for status, codes in re.findall(r"^\| (\d{3})[\w ]* \| (.*) \|$", _after.partition("###")[0], re.MULTILINE)
    for code in re.findall(r"`(\w+)`", codes)
}


@dataclass(frozen=True)
class Response:
    """A response; waits and moments are in seconds."""

    status: int
    now: Fraction
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def header(self, name: str) -> str | None:
        return {known.lower(): value for known, value in self.headers.items()}.get(name)


@dataclass(frozen=True)
class Verdict:
    outcome: str
    scope: str | None = None
    retry_after: Fraction | None = None
    cooldown: Fraction | None = None


def verdict(response: Response) -> Verdict:
    coded = STATUS_OF_CODE.get((response.code or "").lower())
    status = response.status
    if coded is not None and (not 400 <= status <= 599 or coded in {401, 402, 403, 404, 429}):
        status = coded
    retry_after = first(wait_of_milliseconds(response.header("retry-after-ms")), wait_of(response, "retry-after"))
    if 100 <= status <= 399:
        return Verdict("success")
    if status in {401, 402, 403}:
        return Verdict("ignored", "key", cooldown=first(retry_after, REFUSED))
    if status == 404 and coded == 404:
        return Verdict("ignored", "model", cooldown=first(retry_after, REFUSED))
    if status == 429:
        if "false" in {value.strip().lower() for value in (response.header("x-should-retry") or "").split(",")}:
            return Verdict("ignored", "key", cooldown=first(retry_after, REFUSED))
        return Verdict("ignored", "key_and_model", cooldown=first(retry_after, last_reset(response)))
    if (400 <= status <= 499 and status not in {408, 424}) or status in {501, 505, 510}:
        return Verdict("ignored")
    return Verdict("failure", "provider", retry_after=retry_after)


def first(*waits: Fraction | None) -> Fraction | None:
    return next((wait for wait in waits if wait is not None), None)


def limited(wait: Fraction) -> Fraction | None:
    wait = Fraction(int(wait * 10**9), 10**9)
    return min(wait, Fraction(DAY)) if wait > 0 else None


def number(text: str) -> Fraction | None:
    if re.fullmatch(r"[0-9]+\.?[0-9]*|\.[0-9]+", text):
        return Fraction(text.rstrip(".") if text != "." else "0")
    return None


def longest(waits: Iterable[Fraction | None]) -> Fraction | None:
    return max((wait for wait in waits if wait is not None), default=None)


def wait_of_milliseconds(text: str | None) -> Fraction | None:
    amounts = [number(member.strip()) for member in (text or "").split(",")]
    return longest(limited(millis / 1000) for millis in amounts if millis is not None and millis < 10**12)


def wait_of(response: Response, name: str) -> Fraction | None:
    """The longest wait of a list; a member may have a comma inside, as dates have."""
    parts = (response.header(name) or "").split(",")
    members = parts + [f"{part},{following}" for part, following in pairwise(parts)]
    return longest(wait_of_member(member.strip(), response) for member in members)


def wait_of_member(text: str, response: Response) -> Fraction | None:
    amount = number(text)
    if amount is not None:
        if amount < 10**9:
            return limited(amount)
        if amount < 10**11:
            return limited(amount - response.now)
        return limited(amount / 1000 - response.now) if amount < 10**14 else None
    units = "|".join(sorted(UNITS, key=len, reverse=True))
    if re.fullmatch(rf"(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:{units}))+", text):
        parts = re.findall(rf"([0-9.]+)({units})", text)
        return limited(sum(((number(part) or Fraction(0)) * UNITS[unit] for part, unit in parts), Fraction(0)))
    moment = moment_of(text, response.now)
    return None if moment is None else limited(moment - response.now)


def moment_of(text: str, now: Fraction) -> Fraction | None:
    for form in (RFC_3339, *HTTP_DATES):
        if found := re.fullmatch(form, text, re.ASCII):
            return moment(found.groupdict(), now)
    return None


def moment(parts: dict[str, str | None], now: Fraction) -> Fraction | None:
    given = {name: value or "" for name, value in parts.items()}
    name = given["month"]
    if not name.isdigit() and name not in MONTHS:
        return None
    month = int(name) if name.isdigit() else MONTHS.index(name) + 1
    year = int(given["year"])
    if len(given["year"]) == 2:
        this_year = datetime.fromtimestamp(int(now), UTC).year
        [year] = [year for year in range(this_year - 49, this_year + 51) if year % 100 == int(given["year"])]
    second = int(given["second"])
    zone = given.get("zone") or "+0000"
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    if second > 60 or int(zone[-2:]) > 59:
        return None
    try:
        tz = timezone(-offset if zone.startswith("-") else offset)
        date = datetime(year, month, int(given["day"]), int(given["hour"]), int(given["minute"]), tzinfo=tz)
    except ValueError:
        return None
    return int(date.timestamp()) + second + Fraction("0" + (given.get("fraction") or ".0"))


def last_reset(response: Response) -> Fraction | None:
    names = [name for name in map(str.lower, response.headers) if re.search("rate-?limit", name) and "reset" in name]
    return longest(wait_of(response, name) for name in names if is_used_up(response, name))


def is_used_up(response: Response, name: str) -> bool:
    remaining = (response.header(name.replace("reset", "remaining", 1)) or "").split(",")
    return any(number(left.strip()) in {None, 0} for left in remaining)
