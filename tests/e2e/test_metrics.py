"""What the backend tells of itself: `/breakers`, `/metrics`, and that both say the same."""

import pytest

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.witness import Witness
from stage import WAIT_SECONDS

STATES = {"closed": 0, "half_open": 1, "open": 2}
STATUSES = {
    "attempted": "total_calls",
    "success": "successful_calls",
    "failure": "failed_calls",
    "rejected": "rejected_calls",
}


@pytest.fixture
def after_traffic(witness: Witness) -> Witness:
    """Some of everything: successes, failures, refusals, rejections, one circuit open and one forced."""
    witness.say()
    witness.say("x" * 3000)
    witness.behave("gemini", "fail")
    for _ in range(5):
        witness.say()
    witness.steer("openai", "forced_open")
    witness.say()
    return witness


def test_metrics_agree_with_breakers(after_traffic: Witness) -> None:
    samples, breakers = after_traffic.samples(), after_traffic.breakers()
    for provider in PROVIDERS:
        for status, counter in STATUSES.items():
            exposed = samples["circuit_breaker_calls_total", provider, status]
            assert exposed == breakers[provider]["metrics"][counter], (provider, status)
    assert samples["circuit_breaker_state", "deepgram", ""] == STATES["closed"]
    assert samples["circuit_breaker_state", "openai", ""] == STATES["open"]


def test_the_gauge_follows_the_state(witness: Witness) -> None:
    def gauge() -> float:
        return witness.samples()["circuit_breaker_state", "gemini", ""]

    assert gauge() == STATES["closed"]
    witness.steer("gemini", "forced_open", seconds=WAIT_SECONDS)
    assert gauge() == STATES["open"]
    witness.until(lambda: gauge() == STATES["half_open"], "the gauge shows that a probe would be admitted")
    witness.say()
    witness.say()
    assert gauge() == STATES["closed"]


def test_durations_are_counted_for_each_call(after_traffic: Witness) -> None:
    samples, breakers = after_traffic.samples(), after_traffic.breakers()
    for provider in PROVIDERS:
        metrics = breakers[provider]["metrics"]
        for status, counter in (("success", "successful_calls"), ("failure", "failed_calls")):
            key = ("circuit_breaker_call_duration_seconds_count", provider, status)
            assert samples.get(key, 0) == metrics[counter], key


def test_breakers_tell_their_configuration_and_never_lose_a_call(after_traffic: Witness) -> None:
    breakers = after_traffic.breakers()
    assert list(breakers) == list(PROVIDERS)
    for provider, status in breakers.items():
        assert status["name"] == f"provider_{provider}"
        assert status["config"]["timeout_seconds"] == WAIT_SECONDS
        metrics = status["metrics"]
        ended = sum(metrics[f"{end}_calls"] for end in ("successful", "failed", "ignored", "cancelled"))
        assert metrics["total_calls"] == ended


def test_breakers_received_what_the_providers_received(after_traffic: Witness) -> None:
    for provider, status in after_traffic.breakers().items():
        assert status["metrics"]["total_calls"] == after_traffic.calls_received(provider)
