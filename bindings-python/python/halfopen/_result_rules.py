"""The default rules for results: which of them are responses, and what a response says about the provider."""

from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Any, cast

# The functions and not their modules, which are empty at the end of interpreter exit.
from halfopen._core import classify_response, status_of_code
from halfopen._names import names_of
from halfopen.types import Outcome, Verdict

SUCCESS = Verdict("success")

# The attribute that holds the status; of an error of grpc, the method that returns it.
_RESPONSES = {
    "httpx.Response": "status_code",
    "httpx2.Response": "status_code",
    "requests.models.Response": "status_code",
    "aiohttp.client_reqrep.ClientResponse": "status",
    "urllib3.response.BaseHTTPResponse": "status",
    # An interceptor of grpc gets the error of a call returned.
    "grpc.RpcError": "code",
    # The status is 200, and the answer may hold an error. In chat completions, servers with OpenAI's protocol do so.
    "openai.types.chat.chat_completion.ChatCompletion": "error",
    "openai.types.responses.response.Response": "error",
    "openai.types.beta.beta_response.BetaResponse": "error",
}

# More classes of responses than a program has.
_CLASSES_KEPT = 64

_attributes: dict[type, str] = {}


def as_verdict(answer: Outcome | Verdict | None) -> Verdict:
    """The verdict of a classifier's answer; ``None`` is a success."""
    return answer if isinstance(answer, Verdict) else Verdict(answer or "success")


def classify_result(result: object) -> Verdict:
    """Classifies the result of a call.

    A success, unless it is a response of httpx, httpx2, aiohttp, requests or urllib3 with an error status, an error of
    grpc, as interceptors get them, or an answer of OpenAI's APIs that holds an error.
    """
    return verdict_of_result(result) or SUCCESS


def verdict_of_result(result: object) -> Verdict | None:
    """The verdict on a response; ``None`` for an object of a class that is not a response."""
    attribute = _attribute_of(type(result))
    if attribute is None:
        return None
    if attribute == "error":
        return _verdict_of_answer(result)
    return verdict_of_rpc(result) if attribute == "code" else verdict_of_response(result, getattr(result, attribute))


def is_response(result: object) -> bool:
    """Whether it is a response of one of the clients that are known."""
    return _attribute_of(type(result)) is not None


def _attribute_of(kind: type) -> str | None:
    """The attribute with the status of such a response."""
    attribute = _attributes.get(kind)
    if attribute is None:
        attribute = next((_RESPONSES[name] for name in names_of(kind) if name in _RESPONSES), None)
        if attribute is None:
            return None
        if len(_attributes) >= _CLASSES_KEPT:
            _attributes.clear()
        _attributes[kind] = attribute
    return attribute


def verdict_of_response(response: Any, status: object, *codes: object) -> Verdict:
    """The verdict on a response with this status, which gives the first of these error codes that is known."""
    if not codes and isinstance(status, int) and 100 <= status <= 399:
        return SUCCESS
    return verdict_of(status, getattr(response, "headers", None), *codes)


def _verdict_of_answer(answer: object) -> Verdict:
    error, choices = get(answer, "error"), get(answer, "choices")
    if error is None and isinstance(choices, list | tuple):
        error = error_in_choices(cast("Sequence[Any]", choices))
    if error is None and get(answer, "status") != "failed":
        return SUCCESS
    return verdict_of_item(answer if error is None else error)


def error_in_choices(choices: Iterable[Any]) -> Any:
    """The error for which a choice of a chat completion ended; the choice itself if it gives none."""
    for choice in choices:
        error = get(choice, "error")
        if is_error(error):
            return error
        if get(choice, "finish_reason") == "error":
            return choice
    return None


def is_error(error: Any) -> bool:
    """Whether a member of an item is an error, as OpenAI and Google send it in the middle of a stream."""
    return any(isinstance(get(error, name), str | int) for name in ("code", "type", "status", "message"))


def verdict_of_item(error: object) -> Verdict:
    """The verdict on an error that came inside a stream or an answer."""
    codes = [get(error, name) for name in ("code", "type", "status")]
    status = next((code for code in codes if isinstance(code, int) and 400 <= code <= 599), 0)
    return verdict_of(status, None, *codes)


def get(item: Any, name: str) -> Any:
    """A member of an answer, which may be an object of an SDK or parsed JSON; ``None`` if there is none."""
    if isinstance(item, Mapping):
        return cast("Mapping[str, Any]", item).get(name)
    return getattr(item, name, None)


def verdict_of_rpc(error: Any) -> Verdict:
    """The verdict on an error of grpc, raised or returned. Not every one has a status."""
    code = getattr(error, "code", None)
    if code is None:
        return verdict_of(0, None)
    metadata = [(name, value) for name, value in error.trailing_metadata() or () if isinstance(value, str)]
    renamed = [("retry-after-ms" if name == "grpc-retry-pushback-ms" else name, value) for name, value in metadata]
    return verdict_of(0, renamed, code().name)


def verdict_of(status: object, headers: Any, *codes: object) -> Verdict:
    """The verdict on this status and these headers of any kind."""
    number = status if isinstance(status, int) and 0 <= status <= 65535 else 0
    code = next((code for code in codes if isinstance(code, str) and status_of_code(code) is not None), None)
    return Verdict(*classify_response(number, code, pairs_of(headers), max(time(), 0.0)))


def pairs_of(headers: Any) -> list[tuple[str, str]]:
    """Names and values of headers; libraries differ in how they give a name that occurs twice."""
    methods = (getattr(headers, name, None) for name in ("multi_items", "raw_items", "items"))
    method = next((method for method in methods if method is not None), None)
    items: Any = (headers or ()) if method is None else method()
    return [(name, value) for name, value in items if isinstance(name, str) and isinstance(value, str)]
