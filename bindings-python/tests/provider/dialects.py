"""The protocols: how a good answer looks, in one piece and as a stream, and how an error does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from provider.faults import Status


@dataclass(frozen=True)
class Answer:
    """The text of the model and its cost; a token is a word."""

    model: str
    words: tuple[str, ...]
    prompt_tokens: int

    @property
    def text(self) -> str:
        return "".join(self.words)


class Dialect(Protocol):
    """One provider's protocol. A stream is a list of events, with the number of those after the complete answer."""

    def whole(self, answer: Answer) -> dict[str, Any]: ...
    def stream(self, answer: Answer, asked: dict[str, Any]) -> tuple[list[bytes], int]: ...
    def error(self, status: Status) -> dict[str, Any]: ...
    def error_event(self, status: Status) -> bytes: ...


def event(data: object, name: str | None = None) -> bytes:
    """A server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def words_in(value: object) -> Iterator[str]:
    """The words of all texts in a request's messages, whatever the protocol calls them."""
    if isinstance(value, str):
        yield from value.split()
    elif isinstance(value, dict):
        for key, member in value.items():
            if key in ("content", "text", "parts", "input"):
                yield from words_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from words_in(member)


class OpenAIChat:
    """``/v1/chat/completions``."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return self._head("chat.completion", answer) | {"choices": [choice], "usage": self._usage(answer)}

    def stream(self, answer: Answer, asked: dict[str, Any]) -> tuple[list[bytes], int]:
        head = self._head("chat.completion.chunk", answer)

        def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
            return event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

        events = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in answer.words)]
        events.append(chunk({}, "stop"))
        if (asked.get("stream_options") or {}).get("include_usage"):
            events.append(event(head | {"choices": [], "usage": self._usage(answer)}))
        return [*events, event("[DONE]")], 1

    def error(self, status: Status) -> dict[str, Any]:
        return {"error": {"message": status.message, "type": status.kind, "code": status.reason, "param": None}}

    def error_event(self, status: Status) -> bytes:
        return event(self.error(status))

    def _head(self, kind: str, answer: Answer) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": answer.model}

    def _usage(self, answer: Answer) -> dict[str, int]:
        completed = len(answer.words)
        return {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": completed,
            "total_tokens": answer.prompt_tokens + completed,
        }


class OpenAIResponses:
    """``/v1/responses``."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        content = [{"type": "output_text", "text": answer.text, "annotations": list[object]()}]
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
        return self._head(answer, "completed") | {"output": [message], "usage": self._usage(answer)}

    def stream(self, answer: Answer, asked: dict[str, Any]) -> tuple[list[bytes], int]:  # noqa: ARG002
        parts: list[dict[str, Any]] = [
            {"type": "response.created", "response": self._head(answer, "in_progress") | {"output": list[object]()}},
            *(
                {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
                | {"delta": word, "logprobs": list[object]()}
                for word in answer.words
            ),
            {"type": "response.completed", "response": self.whole(answer)},
        ]
        return [event(part | {"sequence_number": i}, part["type"]) for i, part in enumerate(parts)], 0

    def error(self, status: Status) -> dict[str, Any]:
        return OpenAIChat().error(status)

    def error_event(self, status: Status) -> bytes:
        error = {"type": "error", "code": status.reason or status.kind, "message": status.message, "param": None}
        return event(error | {"sequence_number": 9}, "error")

    def _head(self, answer: Answer, status: str) -> dict[str, Any]:
        fixed: dict[str, Any] = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": list[object]()}
        return fixed | {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": answer.model,
            "status": status,
        }

    def _usage(self, answer: Answer) -> dict[str, Any]:
        completed = len(answer.words)
        return {
            "input_tokens": answer.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": completed,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.prompt_tokens + completed,
        }


class Anthropic:
    """``/v1/messages``."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        content = [{"type": "text", "text": answer.text}]
        ends = {"stop_reason": "end_turn", "stop_sequence": None}
        usage = {"input_tokens": answer.prompt_tokens, "output_tokens": len(answer.words)}
        return self._head(answer) | ends | {"content": content, "usage": usage}

    def stream(self, answer: Answer, asked: dict[str, Any]) -> tuple[list[bytes], int]:  # noqa: ARG002
        started = {"input_tokens": answer.prompt_tokens, "output_tokens": 1}
        ends: dict[str, Any] = {"stop_reason": None, "stop_sequence": None, "content": list[object]()}
        parts: list[dict[str, Any]] = [
            {"type": "message_start", "message": self._head(answer) | ends | {"usage": started}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            *(
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
                for word in answer.words
            ),
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": len(answer.words)},
            },
            {"type": "message_stop"},
        ]
        return [event(part, part["type"]) for part in parts], 1

    def error(self, status: Status) -> dict[str, Any]:
        return {"type": "error", "error": {"type": status.kind, "message": status.message}}

    def error_event(self, status: Status) -> bytes:
        return event(self.error(status), "error")

    def _head(self, answer: Answer) -> dict[str, Any]:
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": answer.model}


GOOGLE_WORDS = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Google:
    """``/v1beta/models/NAME:generateContent`` and ``:streamGenerateContent``."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        return self._part(answer, answer.text, "STOP")

    def stream(self, answer: Answer, asked: dict[str, Any]) -> tuple[list[bytes], int]:  # noqa: ARG002
        *words, last = answer.words
        return [*(event(self._part(answer, word)) for word in words), event(self._part(answer, last, "STOP"))], 0

    def error(self, status: Status) -> dict[str, Any]:
        word = GOOGLE_WORDS.get(status.code, "INTERNAL" if status.code >= 500 else "INVALID_ARGUMENT")
        return {"error": {"code": status.code, "message": status.message, "status": word}}

    def error_event(self, status: Status) -> bytes:
        return event(self.error(status))

    def _part(self, answer: Answer, text: str, finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}}
        if finish:
            candidate["finishReason"] = finish
        counts = {"promptTokenCount": answer.prompt_tokens, "candidatesTokenCount": len(answer.words)}
        counts["totalTokenCount"] = sum(counts.values())
        return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": answer.model}
