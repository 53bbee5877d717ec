"""`/breakers` and `/metrics` of the backend report the same values."""

import pytest

from demo_settings import WAIT_SECONDS
from halfopen_demo.clients import PROVIDERS
from halfopen_demo.demo_client import DemoClient

STATES = {"closed": 0, "half_open": 1, "open": 2}
STATUSES = {
    "attempted": "total_calls",
    "success": "successful_calls",
    "failure": "failed_calls",
    "rejected": "rejected_calls",
}


@pytest.fixture
def after_traffic(client: DemoClient) -> DemoClient:
    """All kinds of calls: successes, failures, refusals, rejections; one circuit is open and one is forced open."""
    client.say()
    client.say("x" * 3000)
    client.set_behaviour("gemini", "fail")
    for _ in range(5):
        client.say()
    client.set_mode("openai", "forced_open")
    client.say()
    return client


def test_metrics_agree_with_breakers(after_traffic: DemoClient) -> None:
    samples, breakers = after_traffic.samples(), after_traffic.breakers()
    for provider in PROVIDERS:
        for status, counter in STATUSES.items():
            exposed = samples["circuit_breaker_calls_total", provider, status]
            assert exposed == breakers[provider]["metrics"][counter], (provider, status)
    assert samples["circuit_breaker_state", "deepgram", ""] == STATES["closed"]
    assert samples["circuit_breaker_state", "openai", ""] == STATES["open"]


def test_the_gauge_follows_the_state(client: DemoClient) -> None:
    def gauge() -> float:
        return client.samples()["circuit_breaker_state", "gemini", ""]

    assert gauge() == STATES["closed"]
    client.set_mode("gemini", "forced_open", seconds=WAIT_SECONDS)
    assert gauge() == STATES["open"]
    client.wait_until(lambda: gauge() == STATES["half_open"], "the gauge shows that a probe would be admitted")
    client.say()
    client.say()
    assert gauge() == STATES["closed"]


def test_durations_are_counted_for_each_call(after_traffic: DemoClient) -> None:
    samples, breakers = after_traffic.samples(), after_traffic.breakers()
    for provider in PROVIDERS:
        metrics = breakers[provider]["metrics"]
        for status, counter in (("success", "successful_calls"), ("failure", "failed_calls")):
            key = ("circuit_breaker_call_duration_seconds_count", provider, status)
            assert samples.get(key, 0) == metrics[counter], key


def test_breakers_report_their_configuration_and_lose_no_call(after_traffic: DemoClient) -> None:
    breakers = after_traffic.breakers()
    assert list(breakers) == list(PROVIDERS)
    for provider, status in breakers.items():
        assert status["name"] == f"provider_{provider}"
        assert status["config"]["timeout_seconds"] == WAIT_SECONDS
        metrics = status["metrics"]
        ended = sum(metrics[f"{end}_calls"] for end in ("successful", "failed", "ignored", "cancelled"))
        assert metrics["total_calls"] == ended


def test_breakers_count_the_calls_that_the_providers_received(after_traffic: DemoClient) -> None:
    for provider, status in after_traffic.breakers().items():
        assert status["metrics"]["total_calls"] == after_traffic.calls_received(provider)
