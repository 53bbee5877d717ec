"""Errors of the libraries below the clients (google-auth, urllib3, anyio, trio), raised by the real ones."""

import json
from collections.abc import Callable
from typing import Any

import anyio
import google.auth.transport.requests
import pytest
import trio
import urllib3
from google.genai.errors import ClientError, ContinuationInterruptedError, ServerError
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials

from canned import answering, refusing, response
from halfopen import CircuitBreakerOpenError
from halfopen.classify import Verdict, classify_error
from judged import FAILURE

IGNORED = Verdict("ignored")
KEY = Verdict("ignored", None, "key", 300.0)


def verdict_on(call: Callable[[], object]) -> Verdict:
    with pytest.raises(BaseException) as raised:  # noqa: PT011  # the point is which class it is
        call()
    return classify_error(raised.value)


def refresh(url: str) -> None:
    """Asks for a token, once."""
    kind: Any = Credentials
    session = google.auth.transport.requests.Request()
    credentials = kind(None, "token", token_uri=url, client_id="id", client_secret="secret")
    credentials.refresh(session)


def test_a_token_that_google_refuses_concerns_the_key() -> None:
    refusal = json.dumps({"error": "invalid_grant"}).encode()
    with answering(response("400 Bad Request", refusal, {"content-type": "application/json"})) as url:
        assert verdict_on(lambda: refresh(url)) == KEY


def test_a_server_of_tokens_that_fails_or_is_not_there_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    failing = json.dumps({"error": "server_error"}).encode()
    with answering(response("503 Service Unavailable", failing, {"content-type": "application/json"})) as url:
        assert verdict_on(lambda: refresh(url)) == FAILURE
    assert verdict_on(lambda: refresh(refusing())) == FAILURE


def test_incomplete_credentials_are_the_callers_mistake() -> None:
    kind: Any = service_account.Credentials
    assert verdict_on(lambda: kind.from_service_account_info({})) == IGNORED


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (ServerError(503, {}), FAILURE),
        (ClientError(400, {}), IGNORED),
        (CircuitBreakerOpenError("gemini", 1.0), IGNORED),
        (None, FAILURE),
    ],
)
def test_an_interrupted_continuation_counts_as_its_cause(cause: Exception | None, verdict: Verdict) -> None:
    def continue_() -> None:
        raise ContinuationInterruptedError("interrupted") from cause

    assert verdict_on(continue_) == verdict


def closed_pool() -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1")
    pool.close()
    pool.urlopen("GET", "/")


def too_small_a_pool() -> None:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", maxsize=1, block=True)
    pool.pool.get()  # type: ignore[union-attr]
    pool.urlopen("GET", "/", pool_timeout=0)


URLLIB3: list[Callable[[], Any]] = [
    closed_pool,
    too_small_a_pool,
    lambda: urllib3.PoolManager().request("GET", "http://["),
    lambda: urllib3.PoolManager().request("GET", "none://provider"),
]


@pytest.mark.parametrize("mistake", URLLIB3)
def test_mistakes_in_the_use_of_urllib3(mistake: Callable[[], Any]) -> None:
    assert verdict_on(mistake) == IGNORED


def test_urllib3_finds_nobody() -> None:
    assert verdict_on(lambda: urllib3.PoolManager().request("GET", refusing(), retries=0)) == FAILURE


async def use_a_closed_stream() -> None:
    send, receive = anyio.create_memory_object_stream[int]()
    send.close()
    receive.close()
    await send.send(1)


async def use_a_full_stream() -> None:
    send, receive = anyio.create_memory_object_stream[int]()
    with send, receive:
        send.send_nowait(1)


async def use_a_closed_channel_of_trio() -> None:
    channel = trio.open_memory_channel[int](1)[0]
    channel.close()
    channel.send_nowait(1)


async def use_an_empty_channel_of_trio() -> None:
    trio.open_memory_channel[int](1)[1].receive_nowait()


STREAMS: list[tuple[Any, str]] = [
    *((mistake, backend) for mistake in (use_a_closed_stream, use_a_full_stream) for backend in ("asyncio", "trio")),
    (use_a_closed_channel_of_trio, "trio"),
    (use_an_empty_channel_of_trio, "trio"),
]


@pytest.mark.parametrize(("mistake", "backend"), STREAMS)
def test_streams_that_this_side_has_closed_or_filled(mistake: Any, backend: str) -> None:
    assert verdict_on(lambda: anyio.run(mistake, backend=backend)) == IGNORED
