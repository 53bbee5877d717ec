"""What a client of the backend sees while providers fail, hang, slow down and recover."""

import math
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.provider import LONGEST_TEXT
from halfopen_demo.witness import Answer, Witness
from stage import DEADLINE_SECONDS, WAIT_SECONDS

FIRST, SECOND, THIRD = PROVIDERS
FAILURE_THRESHOLD = 3


def say(witness: Witness, times: int) -> list[str]:
    """Who answered each of some requests."""
    return [witness.say().by for _ in range(times)]


def outcomes(answer: Answer) -> list[tuple[str, str]]:
    """What came of each provider that a request was brought to."""
    return [(step["provider"], step["outcome"]) for step in answer.body["steps"]]


def open_all_by_failures(witness: Witness) -> Answer:
    """Lets every provider fail until the backend refuses, and gives that refusal."""
    for provider in PROVIDERS:
        witness.behave(provider, "fail")
    for _ in range(FAILURE_THRESHOLD):
        assert witness.say().status == 502
    return witness.say()


def test_the_first_provider_answers(witness: Witness) -> None:
    answer = witness.say("Hello there")
    assert answer.by == FIRST
    assert "Hello there" in answer.body["answer"]
    assert outcomes(answer) == [(FIRST, "answered")]


def test_each_provider_speaks_its_own_api(witness: Witness) -> None:
    for ahead, provider in enumerate(PROVIDERS):
        for other in list(PROVIDERS)[:ahead]:
            witness.steer(other, "forced_open")
        assert witness.say().by == provider


def test_deepgram_answers_with_sound(witness: Witness) -> None:
    witness.steer(FIRST, "forced_open")
    witness.steer(SECOND, "forced_open")
    answer = witness.say("two words")
    sound = witness.get(answer.body["audio_url"])
    assert sound.headers["Content-Type"] == "audio/wav"
    assert sound.content.startswith(b"RIFF")


@pytest.mark.parametrize("text", ["", "x" * 10_001])
def test_a_text_that_the_backend_does_not_take(witness: Witness, text: str) -> None:
    calls = witness.calls_received(FIRST)
    assert witness.say(text).status == 422
    assert witness.calls_received(FIRST) == calls


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/say", r'{"text": "\ud800"}', "body.text"),
        ("PUT", f"/breakers/{FIRST}", '{"mode": "forced_open", "seconds": 1e9}', "duration_seconds"),
        ("PUT", f"/breakers/{FIRST}", '{"mode": "forced_open", "seconds": 1e999}', "duration_seconds"),
        ("PUT", f"/breakers/{FIRST}", '{"mode": "forced_open", "seconds": NaN}', "body.seconds"),
        ("PUT", f"/providers/{FIRST}", '{"mode": "slow", "seconds": 1e999}', "body.seconds"),
    ],
)
def test_bad_input_is_told_what_was_wrong(witness: Witness, method: str, path: str, body: str, field: str) -> None:
    response = witness.send(method, path, body)
    assert (response.status_code, response.json()["code"]) == (422, "INVALID_VALUE")
    assert [fault["field"] for fault in response.json()["errors"]] == [field]
    assert witness.breakers()[FIRST]["mode"] == "auto"


def test_a_failure_goes_on_to_the_next_and_opens_the_circuit(witness: Witness) -> None:
    failed, calls = witness.counter(FIRST, "failed_calls"), witness.calls_received(FIRST)
    witness.behave(FIRST, "fail")
    for _ in range(FAILURE_THRESHOLD):
        assert witness.state(FIRST) == "closed"
        assert outcomes(witness.say()) == [(FIRST, "failed"), (SECOND, "answered")]
    assert witness.state(FIRST) == "open"
    assert witness.causes(FIRST)[0] == "consecutive_failures"
    assert outcomes(witness.say()) == [(FIRST, "rejected"), (SECOND, "answered")]
    assert witness.counter(FIRST, "failed_calls") == failed + FAILURE_THRESHOLD
    assert witness.calls_received(FIRST) == calls + FAILURE_THRESHOLD
    assert witness.state(SECOND) == "closed"


def test_a_hang_ends_at_the_deadline_and_counts_as_a_failure(witness: Witness) -> None:
    failed, cancelled = witness.counter(FIRST, "failed_calls"), witness.counter(FIRST, "cancelled_calls")
    witness.behave(FIRST, "hang")
    for _ in range(FAILURE_THRESHOLD):
        start = time.monotonic()
        assert witness.say().by == SECOND
        assert time.monotonic() - start >= DEADLINE_SECONDS
    assert witness.counter(FIRST, "failed_calls") == failed + FAILURE_THRESHOLD
    assert witness.counter(FIRST, "cancelled_calls") == cancelled
    assert witness.state(FIRST) == "open"
    assert witness.say().body["milliseconds"] < DEADLINE_SECONDS * 1000


def test_slow_but_in_time_is_no_failure(witness: Witness) -> None:
    witness.behave(FIRST, "slow", seconds=DEADLINE_SECONDS / 2)
    assert say(witness, FAILURE_THRESHOLD) == [FIRST] * FAILURE_THRESHOLD
    assert witness.state(FIRST) == "closed"


def test_too_slow_is_a_failure(witness: Witness) -> None:
    witness.behave(FIRST, "slow", seconds=DEADLINE_SECONDS * 2)
    assert say(witness, FAILURE_THRESHOLD) == [SECOND] * FAILURE_THRESHOLD
    assert witness.state(FIRST) == "open"


def test_a_refused_text_is_the_callers_fault(witness: Witness) -> None:
    before = witness.breakers()[FIRST]["metrics"]
    for _ in range(FAILURE_THRESHOLD + 1):
        answer = witness.say("x" * (LONGEST_TEXT + 1))
        assert answer.status == 400
        assert answer.content_type == "application/problem+json"
        assert answer.body["code"] == "TEXT_REFUSED"
        assert outcomes(answer) == [(FIRST, "refused")]
    after = witness.breakers()[FIRST]["metrics"]
    assert witness.state(FIRST) == "closed"
    assert after["failed_calls"] == before["failed_calls"]
    assert after["consecutive_failures"] == 0
    assert after["ignored_calls"] == before["ignored_calls"] + FAILURE_THRESHOLD + 1


@pytest.mark.parametrize("status", [401, 429])
def test_a_refused_key_is_no_vote_against_the_provider_but_the_next_one_is_asked(witness: Witness, status: int) -> None:
    failed = witness.counter(FIRST, "failed_calls")
    witness.behave(FIRST, "fail", status=status)
    for _ in range(FAILURE_THRESHOLD + 1):
        assert outcomes(witness.say()) == [(FIRST, "refused"), (SECOND, "answered")]
    assert witness.state(FIRST) == "closed"
    assert witness.counter(FIRST, "failed_calls") == failed


def test_when_all_fail_the_client_is_told_so(witness: Witness) -> None:
    for provider in PROVIDERS:
        witness.behave(provider, "fail", status=500)
    answer = witness.say()
    assert answer.status == 502
    assert answer.content_type == "application/problem+json"
    assert answer.body["code"] == "NO_PROVIDER_ANSWERED"
    assert answer.retry_after is None
    assert outcomes(answer) == [(provider, "failed") for provider in PROVIDERS]


def test_when_all_circuits_are_open_the_client_is_told_when_to_come_again(witness: Witness) -> None:
    answer = open_all_by_failures(witness)
    assert answer.status == 503
    assert answer.content_type == "application/problem+json"
    assert answer.body["status"] == 503
    assert answer.body["code"] == "ALL_CIRCUITS_OPEN"
    assert outcomes(answer) == [(provider, "rejected") for provider in PROVIDERS]
    soonest = min(step["retry_after"] for step in answer.body["steps"])
    assert 0 < soonest <= WAIT_SECONDS
    assert answer.retry_after == str(math.ceil(soonest))


def test_the_soonest_circuit_decides_and_part_of_a_second_is_a_whole_one(witness: Witness) -> None:
    for seconds, provider in zip((40.0, 6.5, 20.0), PROVIDERS, strict=True):
        witness.steer(provider, "forced_open", seconds=seconds)
    assert witness.say().retry_after == "7"


def test_what_is_unknown_is_left_out(witness: Witness) -> None:
    for provider in PROVIDERS:
        witness.steer(provider, "forced_open")
    answer = witness.say()
    assert (answer.status, answer.retry_after) == (503, None)
    witness.steer(THIRD, "forced_open", seconds=9.5)
    assert witness.say().retry_after == "10"


def test_healed_probed_closed(witness: Witness) -> None:
    witness.behave(FIRST, "fail")
    say(witness, FAILURE_THRESHOLD)
    assert witness.state(FIRST) == "open"
    witness.behave(FIRST, "healthy")
    witness.until(lambda: witness.state(FIRST) == "half_open", "the first circuit admits a probe")
    assert say(witness, 1) == [FIRST]
    assert witness.state(FIRST) == "half_open"
    assert say(witness, 1) == [FIRST]
    assert witness.state(FIRST) == "closed"
    assert witness.causes(FIRST)[:3] == ["probes_succeeded", "timeout_elapsed", "consecutive_failures"]


def test_a_probe_that_fails_opens_again_and_its_client_is_answered_by_the_next(witness: Witness) -> None:
    witness.behave(FIRST, "fail")
    say(witness, FAILURE_THRESHOLD)
    witness.until(lambda: witness.state(FIRST) == "half_open", "the first circuit admits a probe")
    assert outcomes(witness.say()) == [(FIRST, "failed"), (SECOND, "answered")]
    assert witness.state(FIRST) == "open"
    assert witness.causes(FIRST)[0] == "probe_failed"


def test_one_probe_at_a_time(witness: Witness) -> None:
    witness.behave(FIRST, "fail")
    say(witness, FAILURE_THRESHOLD)
    witness.until(lambda: witness.state(FIRST) == "half_open", "the first circuit admits a probe")
    calls = witness.calls_received(FIRST)
    witness.behave(FIRST, "hang")
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(witness.say) for _ in range(8)]
    assert [answer.result().by for answer in answers] == [SECOND] * 8
    assert witness.calls_received(FIRST) == calls + 1


def test_a_forced_circuit_does_not_close_by_itself(witness: Witness) -> None:
    witness.steer(FIRST, "forced_open")
    assert say(witness, 2) == [SECOND] * 2
    assert witness.breakers()[FIRST]["mode"] == "forced_open"
    assert witness.breakers()[FIRST]["retry_after_seconds"] is None
    witness.steer(FIRST, "auto")
    assert say(witness, 2) == [FIRST] * 2
