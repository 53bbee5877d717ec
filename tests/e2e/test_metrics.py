"""`/breakers` and `/metrics` of the backend report the same values."""

import pytest

from demo_settings import WAIT_SECONDS
from halfopen_demo.clients import PROVIDERS
from halfopen_demo.demo_client import DemoClient

OUTCOMES = {
    "success": "successful_calls",
    "failure": "failed_calls",
    "ignored": "ignored_calls",
    "cancelled": "cancelled_calls",
}
REASONS = ("open", "probes_busy", "forced_open")
STATES = ("closed", "half_open", "open")


def state_of(client: DemoClient, provider: str) -> str:
    samples = client.samples()
    (state,) = [state for state in STATES if samples["halfopen_state", provider, state]]
    return state


@pytest.fixture
def after_traffic(client: DemoClient) -> DemoClient:
    """All kinds of calls: successes, failures, refusals; one circuit is open and one is forced open."""
    client.say()
    client.say("x" * 3000)
    client.set_behaviour("gemini", "fail")
    for _ in range(5):
        client.say()
    client.order("openai", "force_open")
    client.say()
    return client


def test_metrics_agree_with_breakers(after_traffic: DemoClient) -> None:
    samples, breakers = after_traffic.samples(), after_traffic.breakers()
    for provider in PROVIDERS:
        metrics = breakers[provider]["metrics"]
        for outcome, counter in OUTCOMES.items():
            assert samples["halfopen_calls_total", provider, outcome] == metrics[counter], (provider, outcome)
        rejections = sum(samples["halfopen_rejections_total", provider, reason] for reason in REASONS)
        assert rejections == metrics["rejected_calls"]
    assert state_of(after_traffic, "deepgram") == "closed"
    assert state_of(after_traffic, "openai") == "open"


def test_the_gauge_follows_the_state(client: DemoClient) -> None:
    def gauge() -> str:
        return state_of(client, "gemini")

    assert gauge() == "closed"
    client.order("gemini", "force_open", seconds=WAIT_SECONDS)
    assert gauge() == "open"
    client.wait_until(lambda: gauge() == "half_open", "the gauge shows that a probe would be admitted")
    client.say()
    client.say()
    assert gauge() == "closed"


def test_durations_are_counted_for_each_call(after_traffic: DemoClient) -> None:
    samples, breakers = after_traffic.samples(), after_traffic.breakers()
    for provider in PROVIDERS:
        metrics = breakers[provider]["metrics"]
        for status, counter in (("success", "successful_calls"), ("failure", "failed_calls")):
            key = ("halfopen_call_duration_seconds_count", provider, status)
            assert samples.get(key, 0) == metrics[counter], key


def test_breakers_report_their_configuration_and_lose_no_call(after_traffic: DemoClient) -> None:
    breakers = after_traffic.breakers()
    assert list(breakers) == sorted(PROVIDERS)
    for provider, status in breakers.items():
        assert status["name"] == f"provider_{provider}"
        assert status["config"]["timeout_seconds"] == WAIT_SECONDS
        metrics = status["metrics"]
        ended = sum(metrics[f"{end}_calls"] for end in ("successful", "failed", "ignored", "cancelled"))
        assert metrics["total_calls"] == ended


def test_breakers_count_the_calls_that_the_providers_received(after_traffic: DemoClient) -> None:
    for provider, status in after_traffic.breakers().items():
        assert status["metrics"]["total_calls"] == after_traffic.calls_received(provider)
