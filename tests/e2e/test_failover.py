"""The responses to a client of the backend while providers fail, hang, slow down and recover."""

import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo_settings import DEADLINE_SECONDS, WAIT_SECONDS
from halfopen_demo.clients import PROVIDERS
from halfopen_demo.demo_client import Answer, DemoClient
from halfopen_demo.provider import LONGEST_TEXT

FIRST, SECOND, THIRD = PROVIDERS
FAILURE_THRESHOLD = 3
ORDER = f"/breakers/provider_{FIRST}/order"


def say(client: DemoClient, times: int) -> list[str]:
    """The provider that answered each request."""
    return [client.say().by for _ in range(times)]


def outcomes(answer: Answer) -> list[tuple[str, str]]:
    """The outcome with each provider that a request tried."""
    return [(step["provider"], step["outcome"]) for step in answer.body["steps"]]


def open_all_by_failures(client: DemoClient) -> Answer:
    """Lets every provider fail until all circuits are open, and returns the rejection."""
    for provider in PROVIDERS:
        client.set_behaviour(provider, "fail")
    for _ in range(FAILURE_THRESHOLD):
        assert client.say().status == 503
    return client.say()


def test_the_first_provider_answers(client: DemoClient) -> None:
    answer = client.say("Hello there")
    assert answer.by == FIRST
    assert "Hello there" in answer.body["answer"]
    assert outcomes(answer) == [(FIRST, "answered")]


def test_each_provider_is_called_by_its_own_api(client: DemoClient) -> None:
    for position, provider in enumerate(PROVIDERS):
        for other in list(PROVIDERS)[:position]:
            client.order(other, "force_open")
        assert client.say().by == provider


def test_deepgram_answers_with_audio(client: DemoClient) -> None:
    client.order(FIRST, "force_open")
    client.order(SECOND, "force_open")
    answer = client.say("two words")
    audio = client.get(answer.body["audio_url"])
    assert audio.headers["Content-Type"] == "audio/wav"
    assert audio.content.startswith(b"RIFF")


@pytest.mark.parametrize("text", ["", "x" * 10_001])
def test_a_text_of_invalid_length_is_refused_by_the_backend(client: DemoClient, text: str) -> None:
    calls = client.calls_received(FIRST)
    assert client.say(text).status == 422
    assert client.calls_received(FIRST) == calls


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/say", r'{"text": "\ud800"}', "body.text"),
        ("PUT", ORDER, '{"order": "force_open", "reason": "test", "seconds": 1e9}', "seconds"),
        ("PUT", ORDER, '{"order": "force_open", "reason": "test", "seconds": 1e999}', "seconds"),
        ("PUT", ORDER, '{"order": "force_open", "reason": ""}', "body.reason"),
        ("PUT", f"/simulated/{FIRST}", '{"mode": "slow", "seconds": 1e999}', "body.seconds"),
    ],
)
def test_the_error_for_invalid_input_names_the_field(
    client: DemoClient, method: str, path: str, body: str, field: str
) -> None:
    response = client.send(method, path, body)
    assert (response.status_code, response.json()["code"]) == (422, "INVALID_VALUE")
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert client.breakers()[FIRST]["mode"] == "auto"


def test_a_failure_goes_on_to_the_next_and_opens_the_circuit(client: DemoClient) -> None:
    failed, calls = client.counter(FIRST, "failed_calls"), client.calls_received(FIRST)
    client.set_behaviour(FIRST, "fail")
    for _ in range(FAILURE_THRESHOLD):
        assert client.state(FIRST) == "closed"
        assert outcomes(client.say()) == [(FIRST, "failed"), (SECOND, "answered")]
    assert client.state(FIRST) == "open"
    assert client.causes(FIRST)[0] == "consecutive_failures"
    assert outcomes(client.say()) == [(FIRST, "passed_over"), (SECOND, "answered")]
    assert client.counter(FIRST, "failed_calls") == failed + FAILURE_THRESHOLD
    assert client.calls_received(FIRST) == calls + FAILURE_THRESHOLD
    assert client.state(SECOND) == "closed"


def test_a_hang_ends_at_the_deadline_and_counts_as_a_failure(client: DemoClient) -> None:
    failed, cancelled = client.counter(FIRST, "failed_calls"), client.counter(FIRST, "cancelled_calls")
    client.set_behaviour(FIRST, "hang")
    for _ in range(FAILURE_THRESHOLD):
        start = time.monotonic()
        assert client.say().by == SECOND
        assert time.monotonic() - start >= DEADLINE_SECONDS
    assert client.counter(FIRST, "failed_calls") == failed + FAILURE_THRESHOLD
    assert client.counter(FIRST, "cancelled_calls") == cancelled
    assert client.state(FIRST) == "open"
    assert client.say().body["milliseconds"] < DEADLINE_SECONDS * 1000


def test_slow_within_the_deadline_is_no_failure(client: DemoClient) -> None:
    client.set_behaviour(FIRST, "slow", seconds=DEADLINE_SECONDS / 2)
    assert say(client, FAILURE_THRESHOLD) == [FIRST] * FAILURE_THRESHOLD
    assert client.state(FIRST) == "closed"


def test_slower_than_the_deadline_is_a_failure(client: DemoClient) -> None:
    client.set_behaviour(FIRST, "slow", seconds=DEADLINE_SECONDS * 2)
    assert say(client, FAILURE_THRESHOLD) == [SECOND] * FAILURE_THRESHOLD
    assert client.state(FIRST) == "open"


def test_a_refused_text_is_a_client_error(client: DemoClient) -> None:
    before = client.breakers()[FIRST]["metrics"]
    for _ in range(FAILURE_THRESHOLD + 1):
        answer = client.say("x" * (LONGEST_TEXT + 1))
        assert answer.status == 400
        assert answer.content_type == "application/problem+json"
        assert answer.body["code"] == "TEXT_REFUSED"
        assert outcomes(answer) == [(FIRST, "refused")]
    after = client.breakers()[FIRST]["metrics"]
    assert client.state(FIRST) == "closed"
    assert after["failed_calls"] == before["failed_calls"]
    assert after["consecutive_failures"] == 0
    assert after["ignored_calls"] == before["ignored_calls"] + FAILURE_THRESHOLD + 1


def test_a_rate_limited_provider_cools_down_and_its_circuit_stays_closed(client: DemoClient) -> None:
    failed = client.counter(FIRST, "failed_calls")
    client.set_behaviour(FIRST, "fail", status=429, retry_after=1)
    assert outcomes(client.say()) == [(FIRST, "refused"), (SECOND, "answered")]
    resting = client.say()
    assert outcomes(resting) == [(FIRST, "passed_over"), (SECOND, "answered")]
    assert resting.body["steps"][0]["detail"] == "cooling_down"
    client.set_behaviour(FIRST, "healthy")
    client.wait_until(lambda: client.say().by == FIRST, "the provider is asked again")
    assert client.state(FIRST) == "closed"
    assert client.counter(FIRST, "failed_calls") == failed


def test_when_all_fail_the_client_gets_503(client: DemoClient) -> None:
    for provider in PROVIDERS:
        client.set_behaviour(provider, "fail", status=500)
    answer = client.say()
    assert answer.status == 503
    assert answer.content_type == "application/problem+json"
    assert answer.body["code"] == "ALL_PROVIDERS_FAILED"
    assert answer.retry_after is None
    assert outcomes(answer) == [(provider, "failed") for provider in PROVIDERS]


def test_when_all_circuits_are_open_the_client_gets_503_with_retry_after(client: DemoClient) -> None:
    answer = open_all_by_failures(client)
    assert answer.status == 503
    assert answer.content_type == "application/problem+json"
    assert answer.body["status"] == 503
    assert answer.body["code"] == "ALL_PROVIDERS_FAILED"
    assert outcomes(answer) == [(provider, "passed_over") for provider in PROVIDERS]
    soonest = min(step["retry_after"] for step in answer.body["steps"])
    assert 0 < soonest <= WAIT_SECONDS
    assert answer.retry_after == str(math.ceil(soonest))


def test_retry_after_is_of_the_first_circuit_and_rounded_up(client: DemoClient) -> None:
    for seconds, provider in zip((40.0, 6.5, 20.0), PROVIDERS, strict=True):
        client.order(provider, "force_open", seconds=seconds)
    assert client.say().retry_after == "7"


def test_circuits_without_a_retry_after_are_left_out_of_it(client: DemoClient) -> None:
    for provider in PROVIDERS:
        client.order(provider, "force_open")
    answer = client.say()
    assert (answer.status, answer.retry_after) == (503, None)
    client.order(THIRD, "force_open", seconds=9.5)
    assert client.say().retry_after == "10"


def test_healed_probed_closed(client: DemoClient) -> None:
    client.set_behaviour(FIRST, "fail")
    say(client, FAILURE_THRESHOLD)
    assert client.state(FIRST) == "open"
    client.set_behaviour(FIRST, "healthy")
    client.wait_until(lambda: client.state(FIRST) == "half_open", "the first circuit admits a probe")
    assert say(client, 1) == [FIRST]
    assert client.state(FIRST) == "half_open"
    assert say(client, 1) == [FIRST]
    assert client.state(FIRST) == "closed"
    assert client.causes(FIRST)[:3] == ["probes_succeeded", "timeout_elapsed", "consecutive_failures"]


def test_a_failed_probe_reopens_the_circuit_and_the_next_provider_answers_its_client(client: DemoClient) -> None:
    client.set_behaviour(FIRST, "fail")
    say(client, FAILURE_THRESHOLD)
    client.wait_until(lambda: client.state(FIRST) == "half_open", "the first circuit admits a probe")
    assert outcomes(client.say()) == [(FIRST, "failed"), (SECOND, "answered")]
    assert client.state(FIRST) == "open"
    assert client.causes(FIRST)[0] == "probe_failed"


def test_one_probe_at_a_time(client: DemoClient) -> None:
    client.set_behaviour(FIRST, "fail")
    say(client, FAILURE_THRESHOLD)
    client.wait_until(lambda: client.state(FIRST) == "half_open", "the first circuit admits a probe")
    calls = client.calls_received(FIRST)
    client.set_behaviour(FIRST, "hang")
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(client.say) for _ in range(8)]
    assert [answer.result().by for answer in answers] == [SECOND] * 8
    assert client.calls_received(FIRST) == calls + 1


def test_a_forced_circuit_does_not_close_by_itself(client: DemoClient) -> None:
    client.order(FIRST, "force_open")
    assert say(client, 2) == [SECOND] * 2
    assert client.breakers()[FIRST]["mode"] == "forced_open"
    assert client.breakers()[FIRST]["retry_after_seconds"] is None
    client.order(FIRST, "reset")
    assert say(client, 2) == [FIRST] * 2


def test_a_stream_moves_to_the_next_provider_in_the_middle_of_a_sentence(client: DemoClient) -> None:
    tokens: list[str] = []
    moved: list[tuple[str, str, int]] = []
    end: dict[str, object] = {}
    for kind, event in client.tell("Hello", session="a conversation"):
        match kind:
            case "token":
                tokens.append(event["text"])
                if len(tokens) == 3 and not moved:
                    client.set_behaviour(FIRST, "hang")
            case "restart":
                moved.append((event["old"], event["new"], event["dropped"]))
                tokens.clear()
            case _:
                assert kind == "end"
                end = event
    [(old, new, dropped)] = moved
    assert (old, new) == (FIRST, SECOND)
    assert dropped >= 3
    assert end == {"provider": SECOND, "model": "gpt-mini"}
    assert "".join(tokens).startswith("The simulated openai received: Hello")
    exchange = client.get("/live").json()["exchanges"][0]
    assert [(step["provider"], step["outcome"]) for step in exchange["steps"]] == [
        (FIRST, "failed"),
        (SECOND, "answered"),
    ]
    # The conversation stays where it is, although the first provider works again.
    client.set_behaviour(FIRST, "healthy")
    assert {event["provider"] for kind, event in client.tell(session="a conversation") if kind == "token"} == {SECOND}
    assert {event["provider"] for kind, event in client.tell() if kind == "token"} == {FIRST}


def test_a_stream_that_nobody_continues_says_so(client: DemoClient) -> None:
    client.order(SECOND, "force_open")
    kinds: list[str] = []
    for kind, event in client.tell():
        kinds.append(kind)
        if len(kinds) == 3:
            client.set_behaviour(FIRST, "fail")
        if kind == "broken":
            assert event["code"] == "STREAM_BROKEN"
    assert kinds[-1] == "broken"
    assert client.get("/live").json()["exchanges"][0]["status"] == 502


def test_a_client_that_leaves_in_the_middle_of_a_stream_is_no_failure(client: DemoClient) -> None:
    failed, cancelled = client.counter(FIRST, "failed_calls"), client.counter(FIRST, "cancelled_calls")
    stream = client.tell()
    next(stream)
    stream.close()
    client.wait_until(lambda: client.counter(FIRST, "in_flight") == 0, "the call ends")
    assert client.counter(FIRST, "failed_calls") == failed
    assert client.counter(FIRST, "cancelled_calls") == cancelled + 1
