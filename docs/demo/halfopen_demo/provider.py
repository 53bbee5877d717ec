"""A simulated provider: a real HTTP server with a simplified version of the provider's API, which breaks on demand.

`GET /control` returns its behaviour and the number of received calls; `PUT /control` makes it fail, hang, slow down or
recover, also in the middle of a stream. It knows nothing of circuit breakers.
"""

import argparse
import asyncio
import io
import json
import math
import time
import wave
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from halfopen_demo.http_server import add_options, serve

LONGEST_TEXT = 2000
TOKEN_SECONDS = 0.06
FILLER = "It takes its time to answer, word by word, so that you can break it in the middle of a sentence."


class Mode(StrEnum):
    HEALTHY = "healthy"
    FAIL = "fail"
    HANG = "hang"
    SLOW = "slow"


class Behaviour(BaseModel, extra="forbid"):
    """The provider's behaviour for the next calls."""

    mode: Mode
    status: int = Field(default=503, ge=400, le=599, description="the status while it fails")
    seconds: float = Field(default=0.7, ge=0, le=60, description="the delay while it is slow")
    retry_after: int | None = Field(default=None, ge=0, le=60, description="the Retry-After while it fails")


class ProviderFault(Exception):
    """An error response."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass
class ProviderServer:
    """The state of the simulated provider, shared by its routes."""

    provider: str
    behaviour: Behaviour = field(default_factory=lambda: Behaviour(mode=Mode.HEALTHY))
    calls: int = 0

    async def tokens(self, text: str) -> AsyncGenerator[str]:
        """The words of the answer. Each one looks at the behaviour, so the provider can break in mid-stream."""
        for word in f"The simulated {self.provider} received: {text}. {FILLER}".split():
            await asyncio.sleep(TOKEN_SECONDS)
            match self.behaviour.mode:
                case Mode.FAIL:
                    raise ConnectionAbortedError("failing on demand")
                case Mode.HANG:
                    await asyncio.Event().wait()  # until the server sees that the caller is gone
                case Mode.SLOW:
                    await asyncio.sleep(self.behaviour.seconds / 2)
                case Mode.HEALTHY:
                    pass
            yield f"{word} "

    async def receive(self, request: Request, text: str) -> None:
        """Counts the call, then applies the behaviour: fail, hang, delay, or pass."""
        self.calls += 1
        behaviour = self.behaviour
        match behaviour.mode:
            case Mode.FAIL:
                raise ProviderFault(behaviour.status, "failing on demand", behaviour.retry_after)
            case Mode.HANG:
                # The body has been read, so the next message is the disconnect of the caller.
                while (await request.receive())["type"] != "http.disconnect":
                    pass
            case Mode.SLOW:
                await asyncio.sleep(behaviour.seconds)
            case Mode.HEALTHY:
                pass
        if len(text) > LONGEST_TEXT:
            raise ProviderFault(413 if self.provider == "deepgram" else 400, f"longer than {LONGEST_TEXT} characters")


def _server(request: Request) -> ProviderServer:
    server = request.app.state.server
    assert isinstance(server, ProviderServer)
    return server


ServerDependency = Annotated[ProviderServer, Depends(_server)]
control, gemini, openai, deepgram = APIRouter(), APIRouter(), APIRouter(), APIRouter()


@control.get("/control")
async def read_control(server: ServerDependency) -> dict[str, Any]:
    return {"provider": server.provider, "calls": server.calls, **server.behaviour.model_dump()}


@control.put("/control")
async def set_control(server: ServerDependency, behaviour: Behaviour) -> dict[str, Any]:
    server.behaviour = behaviour
    return await read_control(server)


class Part(BaseModel):
    text: str


class Content(BaseModel):
    parts: list[Part] = Field(min_length=1)


class GenerateContent(BaseModel):
    contents: list[Content] = Field(min_length=1)


@gemini.post("/v1beta/models/{model}:generateContent")
async def generate_content(
    server: ServerDependency, request: Request, model: str, body: GenerateContent
) -> dict[str, Any]:
    text = body.contents[-1].parts[-1].text
    await server.receive(request, text)
    answer = {"role": "model", "parts": [{"text": f"The simulated Gemini received: {text}"}]}
    return {"candidates": [{"index": 0, "content": answer, "finishReason": "STOP"}], "modelVersion": model}


@gemini.post("/v1beta/models/{model}:streamGenerateContent")
async def stream_generate_content(
    server: ServerDependency, request: Request, model: str, body: GenerateContent
) -> StreamingResponse:
    text = body.contents[-1].parts[-1].text
    await server.receive(request, text)

    def chunk(word: str, **more: str) -> dict[str, Any]:
        content = {"role": "model", "parts": [{"text": word}]}
        return {"candidates": [{"index": 0, "content": content, **more}], "modelVersion": model}

    async def chunks() -> AsyncGenerator[dict[str, Any]]:
        async for word in server.tokens(text):
            yield chunk(word)
        yield chunk("", finishReason="STOP")

    return sse(chunks())


class Message(BaseModel):
    role: str
    content: str


class ChatCompletion(BaseModel):
    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False


@openai.post("/v1/chat/completions", response_model=None)
async def chat_completions(
    server: ServerDependency, request: Request, body: ChatCompletion
) -> dict[str, Any] | StreamingResponse:
    text = body.messages[-1].content
    await server.receive(request, text)
    if body.stream:
        return sse(openai_chunks(server, body.model, text), "[DONE]")
    answer = {"role": "assistant", "content": f"The simulated OpenAI received: {text}"}
    return {
        "id": f"chatcmpl-{server.calls}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.model,
        "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
    }


async def openai_chunks(server: ProviderServer, model: str, text: str) -> AsyncGenerator[dict[str, Any]]:
    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {"object": "chat.completion.chunk", "model": model, "choices": [choice]}

    yield chunk({"role": "assistant"})
    async for word in server.tokens(text):
        yield chunk({"content": word})
    yield chunk({}, "stop")


def sse(chunks: AsyncGenerator[dict[str, Any]], last: str | None = None) -> StreamingResponse:
    """The chunks as server-sent events."""

    async def lines() -> AsyncGenerator[str]:
        async for chunk in chunks:
            yield f"data: {json.dumps(chunk)}\n\n"
        if last is not None:
            yield f"data: {last}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


class Speak(BaseModel):
    text: str


@deepgram.post("/v1/speak", response_class=Response)
async def speak(server: ServerDependency, request: Request, body: Speak) -> Response:
    await server.receive(request, body.text)
    return Response(tune(body.text), media_type="audio/wav")


def tune(text: str) -> bytes:
    """A tune instead of speech: one tone for each word, higher for longer words."""
    rate, pentatonic = 8000, (0, 2, 4, 7, 9, 12, 14, 16)
    samples = bytearray()
    for word in text.split()[:40]:
        pitch = 330 * 2 ** (pentatonic[len(word) % len(pentatonic)] / 12)
        length = rate // 6
        for n in range(length):
            fade = 1 - n / length
            samples.append(round(128 + 60 * fade * math.sin(2 * math.pi * pitch * n / rate)))
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(1)
        audio.setframerate(rate)
        audio.writeframes(bytes(samples))
    return file.getvalue()


def fault_body(provider: str, status: int, message: str) -> dict[str, Any]:
    """An error in the format of the provider's API."""
    match provider:
        case "gemini":
            name = "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT"
            return {"error": {"code": status, "message": message, "status": name}}
        case "openai":
            kind = "server_error" if status >= 500 else "invalid_request_error"
            return {"error": {"message": message, "type": kind, "param": None, "code": None}}
        case _:
            return {"err_code": str(status), "err_msg": message}


async def handle_fault(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProviderFault)
    body = fault_body(_server(request).provider, error.status, str(error))
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return JSONResponse(body, error.status, headers)


APIS = {"gemini": gemini, "openai": openai, "deepgram": deepgram}


def create_app(provider: str) -> FastAPI:
    app = FastAPI(title=f"Simulated {provider}")
    app.state.server = ProviderServer(provider)
    app.include_router(control)
    app.include_router(APIS[provider])
    app.add_exception_handler(ProviderFault, handle_fault)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("provider", choices=list(APIS))
    add_options(parser)
    options = parser.parse_args()
    serve(create_app(options.provider), port=options.port, stop_with_parent=options.stop_with_parent)


if __name__ == "__main__":
    main()
