"""Compares the verdicts of the core with those of the model, on random responses."""

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import verdict as model
from halfopen.classify import classify_response

NOW = 1_796_019_931
NAMES = (
    "retry-after",
    "Retry-After-Ms",
    "x-should-retry",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-requests",
    "anthropic-ratelimit-tokens-reset",
    "anthropic-ratelimit-tokens-remaining",
    "x-rate-limit-reset",
    "x-reset",
)
VALUES = (
    "Mon, 30 Nov 2026 06:26:01 GMT",
    "Monday, 30-Nov-26 06:26:01 GMT",
    "Mon Nov 30 06:26:01 2026",
    "Thu, 29 Feb 2028 23:59:60 GMT",
    "Mon, 30 Nov 2026 06:26:01 UTC",
    "Mon, 30 Nov 2026 08:26:01 +0200",
    "2026-11-30T06:26:01.25Z",
    "2026-12-01T00:26:01+23:59",
    "1796019941",
    "1796019941500",
    "1h2m3.5s",
    "20ms",
    "0.5",
    "false",
    "0",
)
LETTERS = st.sampled_from("0123456789:-+.,TZhms GMTNov")


@st.composite
def values(draw: st.DrawFn) -> str:
    """A value as providers send them, with a letter replaced, added or removed now and then."""
    text = draw(st.sampled_from(VALUES))
    at = draw(st.integers(0, len(text)))
    match draw(st.integers(0, 5)):
        case 0:
            return text[:at] + draw(LETTERS) + text[at:]
        case 1:
            return text[:at] + draw(LETTERS) + text[at + 1 :]
        case 2:
            return text[:at] + text[at + 1 :]
        case 3:
            return text + draw(st.sampled_from((", ", ","))) + draw(values())
        case _:
            return text


statuses = st.sampled_from([0, 200, 400, 401, 404, 408, 429, 429, 429, 500, 501, 503, 529]) | st.integers(0, 65535)
codes = st.none() | st.sampled_from([*model.STATUS_OF_CODE, "teapot"])
headers = st.dictionaries(st.sampled_from(NAMES), values() | st.text(LETTERS), max_size=4)


@given(statuses, codes, headers, st.just(NOW) | st.integers(0, 4_102_444_800))
@example(429, None, {"x-ratelimit-reset-requests": "6m0s"}, NOW)
@settings(max_examples=3_000, deadline=None)
def test_the_core_judges_as_the_model_does(status: int, code: str | None, given: dict[str, str], now: int) -> None:
    seen = classify_response(status, given, code=code, now=now)
    expected = model.verdict(model.Response(status, Fraction(now), code, given))
    waits = [None if wait is None else float(wait) for wait in (expected.retry_after, expected.cooldown)]
    assert (seen.outcome, seen.scope) == (expected.outcome, expected.scope)
    assert [seen.retry_after, seen.cooldown] == pytest.approx(waits, abs=1e-9)


@pytest.mark.parametrize("code", model.STATUS_OF_CODE)
def test_every_code_of_the_text_is_known(code: str) -> None:
    seen = classify_response(0, code=code)
    expected = model.verdict(model.Response(0, Fraction(0), code))
    assert (seen.outcome, seen.scope) == (expected.outcome, expected.scope)
