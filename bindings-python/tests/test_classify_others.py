"""Errors of botocore, grpc, websockets, asyncio and tenacity, raised by the real libraries."""

import asyncio
import json
import struct
import urllib.request
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import botocore.session
import grpc
import grpc.aio
import pytest
import requests
import tenacity
import trio
from botocore.config import Config
from botocore.eventstream import EventStream
from botocore.exceptions import EventStreamError
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from canned import answering, refusing, response
from halfopen import CircuitBreaker, CircuitBreakerOpenError, ManualClock
from halfopen.classify import Verdict, classify_error
from rpc_server import serving

FAILURE = Verdict("failure", None, "provider")
IGNORED = Verdict("ignored")
CANCELLED = Verdict("cancelled")
KEY = Verdict("ignored", None, "key", 300.0)
MODEL = Verdict("ignored", None, "model", 300.0)
LIMITED = Verdict("ignored", None, "key_and_model")


def check(call: Callable[[], Any], verdict: Verdict) -> BaseException:
    """The call's error has this verdict, and a breaker counts it so."""
    breaker = CircuitBreaker(failure_threshold=1, timeout_seconds=1, clock=ManualClock())
    with pytest.raises(BaseException) as raised:  # noqa: PT011  # the point is which class it is
        breaker.call_sync(call)
    assert classify_error(raised.value) == verdict
    metrics = breaker.metrics
    counted = {
        "failure": metrics.failed_calls,
        "ignored": metrics.ignored_calls,
        "cancelled": metrics.cancelled_calls,
    }
    assert counted == {**dict.fromkeys(counted, 0), verdict.outcome: 1}
    return raised.value


# botocore


def bedrock(url: str, **further: Any) -> Any:
    config = Config(retries={"max_attempts": 0}, read_timeout=0.3, connect_timeout=0.3)
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", **further}
    session: Any = botocore.session.get_session()
    return session.create_client("bedrock-runtime", "us-east-1", endpoint_url=url, config=config, **keys)


def converse(url: str, **further: Any) -> None:
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    bedrock(url, **further).converse(modelId="small", messages=messages)


def aws_error(status: str, code: str, headers: dict[str, str] | None = None) -> bytes:
    kind = {"content-type": "application/json", "x-amzn-errortype": code, **(headers or {})}
    return response(status, json.dumps({"message": "no"}), kind)


AWS_ERRORS = [
    (
        aws_error("429 Too Many Requests", "ThrottlingException", {"retry-after": "5"}),
        Verdict("ignored", None, "key_and_model", 5.0),
    ),
    (aws_error("400 Bad Request", "ThrottlingException"), LIMITED),
    (aws_error("429 Too Many Requests", "ModelNotReadyException"), LIMITED),
    (aws_error("400 Bad Request", "ServiceQuotaExceededException"), KEY),
    (aws_error("403 Forbidden", "AccessDeniedException"), KEY),
    (aws_error("404 Not Found", "ResourceNotFoundException"), MODEL),
    (aws_error("400 Bad Request", "ValidationException"), IGNORED),
    (aws_error("408 Request Timeout", "ModelTimeoutException"), FAILURE),
    (aws_error("424 Failed Dependency", "ModelErrorException"), FAILURE),
    (aws_error("500 Internal Server Error", "InternalServerException"), FAILURE),
    (
        aws_error("503 Service Unavailable", "ServiceUnavailableException", {"retry-after": "5"}),
        Verdict("failure", 5.0, "provider"),
    ),
]


@pytest.mark.parametrize(("answer", "verdict"), AWS_ERRORS)
def test_errors_of_botocore(answer: bytes, verdict: Verdict) -> None:
    with answering(answer) as url:
        check(lambda: converse(url), verdict)


def test_botocore_finds_nobody() -> None:
    check(lambda: converse(refusing()), FAILURE)


def test_the_caller_of_botocore_is_at_fault() -> None:
    client = bedrock(refusing())
    check(lambda: client.converse(modelId="small", messages="no list"), IGNORED)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("throttlingException", LIMITED),
        ("serviceUnavailableException", FAILURE),
        ("modelStreamErrorException", FAILURE),
        ("validationException", IGNORED),
    ],
)
def test_an_error_in_a_stream_of_bedrock(code: str, verdict: Verdict) -> None:
    kind = {"content-type": "application/vnd.amazon.eventstream"}
    with answering(response("200 OK", exception_event(code), kind)) as url:

        def call() -> None:
            messages = [{"role": "user", "content": [{"text": "hello"}]}]
            list(bedrock(url).converse_stream(modelId="small", messages=messages)["stream"])

        check(call, verdict)


def test_a_stream_of_bedrock_that_is_guarded() -> None:
    breaker = CircuitBreaker(failure_threshold=2)
    kind = {"content-type": "application/vnd.amazon.eventstream"}

    def opened(url: str) -> Any:
        messages = [{"role": "user", "content": [{"text": "hello"}]}]
        return breaker.stream(bedrock(url).converse_stream(modelId="small", messages=messages)["stream"])

    with answering(response("200 OK", exception_event("serviceUnavailableException"), kind)) as url:
        stream = opened(url)
        assert isinstance(stream, EventStream)
        assert breaker.metrics.in_flight == 1
        with pytest.raises(EventStreamError):
            list(stream)
        assert (breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0)
        opened(url).close()
        assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)
    with answering(response("200 OK", b"", kind)) as url:
        assert list(opened(url)) == []
    assert breaker.metrics.successful_calls == 1


def exception_event(code: str) -> bytes:
    """An exception in AWS' event stream encoding."""
    fields = {":message-type": "exception", ":exception-type": code, ":content-type": "application/json"}
    headers = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
        for name, value in fields.items()
    )
    body = b'{"message": "no"}'
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


# grpc


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # it has no types
    """Ends each call with the status that the method is named after; UNKNOWN is what an exception becomes."""

    def service(self, handler_call_details: Any) -> Any:
        code = handler_call_details.method.rpartition("/")[2]

        def serve(_: bytes, context: Any) -> bytes:
            context.set_trailing_metadata((("grpc-retry-pushback-ms", "1500"), ("bin-bin", b"\0")))
            if code == "UNKNOWN":
                raise ValueError
            context.abort(grpc.StatusCode[code], "no")
            return b""

        return grpc.unary_unary_rpc_method_handler(serve)


GRPC_ERRORS: dict[str, Verdict] = {
    "UNAVAILABLE": Verdict("failure", 1.5, "provider"),
    "DEADLINE_EXCEEDED": Verdict("failure", 1.5, "provider"),
    "INTERNAL": Verdict("failure", 1.5, "provider"),
    "DATA_LOSS": Verdict("failure", 1.5, "provider"),
    "UNKNOWN": Verdict("failure", 1.5, "provider"),
    "RESOURCE_EXHAUSTED": Verdict("ignored", None, "key_and_model", 1.5),
    "UNAUTHENTICATED": Verdict("ignored", None, "key", 1.5),
    "PERMISSION_DENIED": Verdict("ignored", None, "key", 1.5),
    "NOT_FOUND": Verdict("ignored", None, "model", 1.5),
    "INVALID_ARGUMENT": IGNORED,
    "ABORTED": IGNORED,
    "UNIMPLEMENTED": IGNORED,
    "CANCELLED": IGNORED,
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors_of_grpc(caplog: pytest.LogCaptureFixture) -> None:
    async def call_async(address: str, code: str) -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            await channel.unary_unary(f"/service/{code}")(b"")

    with serving(Handler()) as address, grpc.insecure_channel(address) as channel:
        for code, verdict in GRPC_ERRORS.items():
            check(lambda code=code: channel.unary_unary(f"/service/{code}")(b""), verdict)  # type: ignore[misc]
            check(lambda code=code: asyncio.run(call_async(address, code)), verdict)  # type: ignore[misc]
    caplog.clear()


def test_grpc_finds_nobody() -> None:
    with grpc.insecure_channel(refusing().removeprefix("http://")) as channel:
        check(lambda: channel.unary_unary("/service/method")(b""), FAILURE)


# websockets


def websocket(serve_one: Callable[[ServerConnection], Any], talk: Callable[[Any], Any], **options: Any) -> None:
    async def call() -> None:
        async with serve(serve_one, "127.0.0.1", 0, **options) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
                await talk(client)

    asyncio.run(call())


async def receive(client: Any) -> None:
    await client.recv()


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1000, IGNORED),
        (1001, IGNORED),
        (1002, IGNORED),
        (1008, IGNORED),
        (1009, IGNORED),
        (1011, FAILURE),
        (1012, FAILURE),
        (1013, FAILURE),
        (1014, FAILURE),
        (3000, KEY),
        (3003, KEY),
        (3008, FAILURE),
        (4999, FAILURE),
    ],
)
def test_the_server_closes_a_websocket(code: int, verdict: Verdict) -> None:
    async def closes(connection: ServerConnection) -> None:
        await connection.close(code)

    check(lambda: websocket(closes, receive), verdict)


def test_the_connection_below_a_websocket_ends() -> None:
    async def breaks(connection: ServerConnection) -> None:
        connection.transport.abort()

    check(lambda: websocket(breaks, receive), FAILURE)


def test_the_caller_closes_a_websocket() -> None:
    async def waits(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async def closes_and_receives(client: Any) -> None:
        await client.close()
        await client.recv()

    check(lambda: websocket(waits, closes_and_receives), IGNORED)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (429, Verdict("ignored", None, "key_and_model", 3.0)),
        (401, Verdict("ignored", None, "key", 3.0)),
        (503, Verdict("failure", 3.0, "provider")),
        (200, FAILURE),
    ],
)
def test_the_server_refuses_a_websocket(status: int, verdict: Verdict) -> None:
    def refuses(connection: ServerConnection, _: Request) -> Response:
        answer = connection.respond(status, "no")
        answer.headers["Retry-After"] = "3"
        return answer

    check(lambda: websocket(receive, receive, process_request=refuses), verdict)


def test_a_websocket_without_a_server() -> None:
    async def call(url: str) -> None:
        async with connect(url, proxy=None):
            pass

    check(lambda: asyncio.run(call(refusing().replace("http", "ws"))), FAILURE)
    check(lambda: asyncio.run(call("nowhere://127.0.0.1:1")), IGNORED)


# asyncio and others


async def times_out() -> None:
    async with asyncio.timeout(0):
        await asyncio.sleep(60)


async def reads_too_little() -> None:
    reader = asyncio.StreamReader()
    reader.feed_eof()
    await reader.readexactly(1)


async def is_cancelled() -> None:
    asyncio.current_task().cancel()  # type: ignore[union-attr]  # it runs in one
    await asyncio.sleep(0)


async def fills_its_queue() -> None:
    queue = asyncio.Queue[int](1)
    queue.put_nowait(1)
    queue.put_nowait(2)


@pytest.mark.parametrize(
    ("call", "verdict"),
    [(times_out, FAILURE), (reads_too_little, FAILURE), (is_cancelled, CANCELLED), (fills_its_queue, IGNORED)],
)
def test_errors_of_asyncio(call: Callable[[], Any], verdict: Verdict) -> None:
    check(lambda: asyncio.run(call()), verdict)


def test_a_cancelled_future() -> None:
    future: Future[None] = Future()
    future.cancel()
    check(future.result, CANCELLED)


def test_errors_of_urllib() -> None:
    with answering(response("503 Service Unavailable", headers={"Retry-After": "4"})) as url:
        error = check(lambda: urllib.request.urlopen(url), Verdict("failure", 4.0, "provider"))
        error.close()  # type: ignore[attr-defined]  # it is a response, too
    with answering(response("404 Not Found")) as url:
        check(lambda: urllib.request.urlopen(url), IGNORED).close()  # type: ignore[attr-defined]


def test_retries_that_are_used_up_count_as_their_last_error() -> None:
    def call(url: str) -> None:
        requests.get(url, timeout=5).raise_for_status()

    retrying = tenacity.retry(stop=tenacity.stop_after_attempt(2))(call)
    with answering(response("503 Service Unavailable", headers={"Retry-After": "4"})) as url:
        check(lambda: retrying(url), Verdict("failure", 4.0, "provider"))
    with answering(response("400 Bad Request")) as url:
        check(lambda: retrying(url), IGNORED)


def test_retries_that_are_used_up_count_as_their_last_result() -> None:
    def is_error(answer: requests.Response) -> bool:
        return answer.status_code >= 400

    def call(url: str) -> requests.Response:
        return requests.get(url, timeout=5)

    stop, breaker = tenacity.stop_after_attempt(2), CircuitBreaker()
    retrying = tenacity.retry(retry=tenacity.retry_if_result(is_error), stop=stop)(call)
    with answering(response("503 Service Unavailable", headers={"Retry-After": "4"})) as url:
        check(lambda: retrying(url), Verdict("failure", 4.0, "provider"))
    with answering(response("429 Too Many Requests", headers={"Retry-After": "4"})) as url:
        check(lambda: retrying(url), Verdict("ignored", None, "key_and_model", 4.0))
    # A function that returns nothing usable has failed, although its result is no response.
    check(tenacity.retry(retry=tenacity.retry_if_result(lambda it: it is None), stop=stop)(lambda: None), FAILURE)

    with answering(response("503 Service Unavailable")) as url, pytest.raises(tenacity.RetryError):
        breaker.call_sync(tenacity.retry(retry=tenacity.retry_if_result(is_error), stop=stop)(breaker(call)), url)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (2, 1)


def status_error(status: int) -> requests.HTTPError:
    answer = requests.Response()
    answer.status_code = status
    return requests.HTTPError(response=answer)


async def test_the_groups_of_a_task_group() -> None:
    async def fails(error: Exception) -> None:
        raise error

    async def call(*errors: Exception) -> None:
        async with asyncio.TaskGroup() as group:
            for error in errors:
                group.create_task(fails(error))

    rejection = CircuitBreakerOpenError("inner", 1.0)
    bad_request = status_error(400)
    cases: list[tuple[list[Exception], Verdict]] = [
        ([rejection], IGNORED),
        ([rejection, OSError()], FAILURE),
        ([bad_request, rejection], IGNORED),
        ([bad_request, TimeoutError()], FAILURE),
    ]
    for errors, verdict in cases:
        breaker = CircuitBreaker(failure_threshold=1)
        with pytest.raises(ExceptionGroup) as raised:
            await breaker.call(call, *errors)
        assert classify_error(raised.value) == verdict
        assert breaker.metrics.failed_calls == (verdict == FAILURE)
        assert breaker.metrics.ignored_calls == (verdict == IGNORED)


def test_a_nursery_that_is_cancelled_is_neutral() -> None:
    async def main() -> None:
        with trio.CancelScope() as scope:
            async with breaker, trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                scope.cancel()

    breaker = CircuitBreaker()
    trio.run(main)
    assert breaker.metrics.cancelled_calls == 1
