"""The verdicts on exceptions of client libraries, by the names of their classes.

A class that is not listed is judged as its nearest listed base.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from halfopen._core import status_of_close_code
from halfopen._names import names_of
from halfopen._result_rules import (
    SUCCESS,
    pairs_of,
    verdict_of,
    verdict_of_response,
    verdict_of_result,
    verdict_of_rpc,
)
from halfopen.types import Verdict

FAILURE = Verdict("failure", None, "provider")
IGNORED = Verdict("ignored")
CANCELLED = Verdict("cancelled")

Classify: TypeAlias = Callable[[BaseException], Verdict]
Rule: TypeAlias = "Verdict | Callable[[Any, Classify], Verdict]"


def by_status_code(error: Any, _: Classify) -> Verdict:
    """By the attributes that most SDKs have: ``status_code``, ``response.headers`` or ``headers``, and ``body``."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or not 400 <= status <= 599:
        return FAILURE
    response = getattr(error, "response", None)
    headers = getattr(error if response is None else response, "headers", None)
    return verdict_of(status, headers, *codes_in(getattr(error, "body", None)))


def _by_response(error: Any, _: Classify) -> Verdict:
    response = error.response
    if response is None:
        return FAILURE
    return _of_error(verdict_of_response(response, response.status_code))


def _of_error(verdict: Verdict) -> Verdict:
    """An exception is not a success, whatever status it came with."""
    return FAILURE if verdict == SUCCESS else verdict


def _by_cause(error: BaseException, classify: Classify) -> Verdict:
    """A connection failed, unless the transport's error is the caller's fault or the rejection of a circuit."""
    cause = error.__cause__
    verdict = FAILURE if cause is None else classify(cause)
    return verdict if verdict.outcome in {"ignored", "cancelled"} else FAILURE


# aiohttp


def _aiohttp_status(error: Any, _: Classify) -> Verdict:
    # aiohttp gives the status 400 to a response that is not HTTP. The provider did not send it.
    if "aiohttp.http_exceptions.HttpProcessingError" in names_of(type(cast("object", error.__cause__))):
        return FAILURE
    return _of_error(verdict_of(error.status, error.headers))


def _aiohttp_connection(error: Any, _: Classify) -> Verdict:
    # Sending failed, but not by an error of the operating system: the caller's own body raised it.
    cause: object = error.__cause__
    return FAILURE if cause is None or isinstance(cause, OSError) else IGNORED


# The SDKs of OpenAI and Anthropic


def _openai(error: Any, _: Classify) -> Verdict:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None)
    return _of_error(verdict_of(getattr(error, "status_code", 0), headers, error.code, error.type))


def _anthropic(error: Any, _: Classify) -> Verdict:
    return _of_error(verdict_of_response(error.response, error.status_code, *codes_in(error.body)))


def codes_in(body: object) -> list[Any]:
    """Codes of an error in a body as most providers write it, the most precise one first."""
    outer = _mapping(body)
    error = _mapping(outer.get("error", outer))
    precise = _mapping(error.get("details")).get("error_code")
    return [precise, error.get("code"), error.get("type"), error.get("status")]


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


# The SDK of Google


def _google(error: Any, _: Classify) -> Verdict:
    if error.code >= 1000:
        # A session ended; the code is that of a WebSocket.
        return _of_error(verdict_of(status_of_close_code(error.code), None))
    body = _mapping(error.details)
    parts: list[dict[str, Any]] = _mapping(body.get("error", body)).get("details", [])
    delays = [("retry-after", part["retryDelay"]) for part in parts if "retryDelay" in part]
    headers = [*delays, *pairs_of(getattr(error.response, "headers", None))]
    return _of_error(verdict_of(error.code, headers, *(part.get("reason") for part in parts), error.status))


def _google_refresh(error: Any, _: Classify) -> Verdict:
    """Google's server of tokens refused one, as with a wrong key, or it could not be asked."""
    is_unreached = "google.auth.exceptions.TransportError" in names_of(type(cast("object", error.__cause__)))
    return FAILURE if error.retryable or is_unreached else verdict_of(401, None)


# botocore


def _botocore(error: Any, _: Classify) -> Verdict:
    metadata = error.response.get("ResponseMetadata", {})
    code = error.response.get("Error", {}).get("Code")
    return _of_error(verdict_of(metadata.get("HTTPStatusCode", 0), metadata.get("HTTPHeaders"), code))


# gRPC


def _grpc(error: Any, _: Classify) -> Verdict:
    # The error of a stream is the call itself, which says whether its user has cancelled it.
    cancelled = getattr(error, "cancelled", None)
    if cancelled is not None and cancelled():
        return CANCELLED
    return _of_error(verdict_of_rpc(error))


# websockets


def _websocket_closed(error: Any, _: Classify) -> Verdict:
    received, sent = error.rcvd, error.sent
    if received is not None and error.rcvd_then_sent is not False:
        status = status_of_close_code(received.code)
        if status is None:
            return IGNORED if received.code in _ORDINARY_ENDS else FAILURE
        return _of_error(verdict_of(status, None))
    # This side closed the connection: the caller, or the library because the other side did not keep to the protocol.
    return IGNORED if sent is not None and sent.code in _ORDINARY_ENDS else FAILURE


_ORDINARY_ENDS = frozenset((1000, 1001))


# Starlette and FastAPI: their errors concern the clients of this server


def _socket_refused(error: Any, _: Classify) -> Verdict:
    """By the code with which the application closes a socket, as an ``HTTPException`` is judged by its status."""
    status = status_of_close_code(error.code)
    return IGNORED if status is None else _of_error(verdict_of(status, None))


# Others


def _as_cause(error: BaseException, classify: Classify) -> Verdict:
    return FAILURE if error.__cause__ is None else classify(error.__cause__)


def _last_attempt(error: Any, classify: Classify) -> Verdict:
    cause = error.last_attempt.exception()
    if cause is not None:
        return classify(cause)
    verdict = verdict_of_result(error.last_attempt.result())
    return FAILURE if verdict is None else _of_error(verdict)


def _urllib(error: Any, _: Classify) -> Verdict:
    return _of_error(verdict_of(error.code, error.headers))


def _table(verdict: Rule, module: str, names: str) -> dict[str, Rule]:
    return {f"{module}.{name}": verdict for name in names.split()}


def _httpx(module: str) -> dict[str, Rule]:
    return {
        **_table(FAILURE, module, "HTTPError"),
        **_table(_by_response, module, "HTTPStatusError"),
        # In a `PoolTimeout`, it is the caller's own pool of connections that is too small.
        **_table(IGNORED, module, "PoolTimeout LocalProtocolError UnsupportedProtocol"),
        **_table(IGNORED, module, "InvalidURL CookieConflict StreamError"),
    }


def _closed(module: str) -> dict[str, Rule]:
    """The caller closed the stream, used it in two tasks at once or did not want to wait for its channel."""
    return _table(IGNORED, module, "ClosedResourceError BusyResourceError WouldBlock")


RULES: dict[str, Rule] = {
    "asyncio.exceptions.CancelledError": CANCELLED,
    "concurrent.futures._base.CancelledError": CANCELLED,
    "grpc.FutureCancelledError": CANCELLED,
    # Some of these are not an `Exception`, but each is a deadline. Beside an SDK, the first also has the base class of
    # that SDK's errors.
    "halfopen.errors.CallTimeoutError": FAILURE,
    "gevent.timeout.Timeout": FAILURE,
    "eventlet.timeout.Timeout": FAILURE,
    # The regular end of an iterator that is called with `next` or `anext`.
    **_table(SUCCESS, "builtins", "StopIteration StopAsyncIteration"),
    # A provider that an orchestrator did not ask.
    "halfopen.orchestration._errors.ProviderUnavailableError": IGNORED,
    # The caller's own queue or barrier.
    "_queue.Empty": IGNORED,
    "queue.Full": IGNORED,
    **_table(IGNORED, "asyncio.queues", "QueueEmpty QueueFull QueueShutDown"),
    **_table(IGNORED, "asyncio.exceptions", "InvalidStateError BrokenBarrierError SendfileNotAvailableError"),
    **_closed("trio"),
    **_closed("anyio"),
    # Until somebody takes them from the package.
    **_closed("anyio._core._exceptions"),
    "urllib.error.HTTPError": _urllib,
    "tenacity.RetryError": _last_attempt,
    **_httpx("httpx"),
    **_httpx("httpx2"),
    "aiohttp.client_exceptions.ClientError": FAILURE,
    "aiohttp.client_exceptions.ClientConnectionError": _aiohttp_connection,
    "aiohttp.client_exceptions.ClientResponseError": _aiohttp_status,
    **_table(FAILURE, "aiohttp.client_exceptions", "InvalidUrlRedirectClientError NonHttpUrlRedirectClientError"),
    **_table(IGNORED, "aiohttp.client_exceptions", "InvalidURL NonHttpUrlClientError WSMessageTypeError"),
    "requests.exceptions.RequestException": FAILURE,
    "requests.exceptions.HTTPError": _by_response,
    "requests.exceptions.JSONDecodeError": FAILURE,
    **_table(IGNORED, "requests.exceptions", "InvalidURL MissingSchema InvalidSchema InvalidHeader URLRequired"),
    **_table(IGNORED, "requests.exceptions", "InvalidJSONError StreamConsumedError UnrewindableBodyError"),
    "openai.APIError": _openai,
    "openai.APIConnectionError": _by_cause,
    "openai.APIResponseValidationError": FAILURE,
    "openai.WebSocketConnectionClosedError": _by_cause,
    # A mistake in the configuration, or an answer that the caller cannot use.
    "openai.OpenAIError": IGNORED,
    "anthropic.APIError": FAILURE,
    "anthropic.APIStatusError": _anthropic,
    "anthropic.APIConnectionError": _by_cause,
    "anthropic.APIWebhookValidationError": IGNORED,
    "anthropic.AnthropicError": IGNORED,
    "google.genai.errors.APIError": _google,
    **_table(IGNORED, "google.genai.errors", "FunctionInvocationError UnsupportedFunctionError"),
    "google.genai.errors.UnknownFunctionCallArgumentError": IGNORED,
    "google.genai.errors.ContinuationInterruptedError": _as_cause,
    "google.auth.exceptions.GoogleAuthError": IGNORED,
    "google.auth.exceptions.RefreshError": _google_refresh,
    **_table(FAILURE, "google.auth.exceptions", "TransportError TimeoutError ResponseError OAuthError"),
    "botocore.exceptions.ClientError": _botocore,
    # Most of the others concern configuration and credentials on this side.
    "botocore.exceptions.BotoCoreError": IGNORED,
    **_table(FAILURE, "botocore.exceptions", "ConnectionError HTTPClientError IncompleteReadError"),
    **_table(FAILURE, "botocore.exceptions", "ChecksumError FlexibleChecksumError"),
    "grpc.RpcError": _grpc,
    "grpc._cython.cygrpc.UsageError": IGNORED,
    # requests raises its own errors with these inside.
    **_table(IGNORED, "urllib3.exceptions", "EmptyPoolError FullPoolError ClosedPoolError HostChangedError"),
    **_table(IGNORED, "urllib3.exceptions", "LocationValueError InvalidHeader UnrewindableBodyError"),
    **_table(IGNORED, "urllib3.exceptions", "ProxySchemeUnknown ProxySchemeUnsupported TimeoutStateError"),
    "websockets.exceptions.WebSocketException": FAILURE,
    "websockets.exceptions.InvalidStatus": _by_response,
    "websockets.legacy.exceptions.InvalidStatusCode": by_status_code,
    "websockets.exceptions.ConnectionClosed": _websocket_closed,
    **_table(IGNORED, "websockets.exceptions", "InvalidURI InvalidProxy ConcurrencyError"),
    "starlette.exceptions.WebSocketException": _socket_refused,
    "starlette.websockets.WebSocketDisconnect": IGNORED,
    "starlette.requests.ClientDisconnect": IGNORED,
    **_table(IGNORED, "fastapi.exceptions", "RequestValidationError WebSocketRequestValidationError"),
}
