"""A stand-in for one provider: a real HTTP server that speaks a simplified version of its API, and breaks on demand.

`GET /control` tells how it is and how many calls reached it; `PUT /control` makes it fail, hang, slow down or well
again. It knows nothing of circuit breakers.
"""

import argparse
import asyncio
import io
import math
import time
import wave
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from halfopen_demo.serving import add_options, serve

LONGEST_TEXT = 2000


class Mode(StrEnum):
    HEALTHY = "healthy"
    FAIL = "fail"
    HANG = "hang"
    SLOW = "slow"


class Behaviour(BaseModel, extra="forbid"):
    """What the provider does with the next calls."""

    mode: Mode
    status: int = Field(default=503, ge=400, le=599, description="what it answers while it fails")
    seconds: float = Field(default=0.7, ge=0, le=60, description="how long it takes while it is slow")


class Fault(Exception):
    """An answer other than the wanted one."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Desk:
    """Where every call to the provider comes by."""

    provider: str
    behaviour: Behaviour = field(default_factory=lambda: Behaviour(mode=Mode.HEALTHY))
    calls: int = 0

    async def receive(self, request: Request, text: str) -> None:
        """Counts the call, and lets it through, late or never, as the behaviour has it."""
        self.calls += 1
        now = self.behaviour
        match now.mode:
            case Mode.FAIL:
                raise Fault(now.status, "told to fail")
            case Mode.HANG:
                # The body is read, so the only message to come is that the caller hung up.
                while (await request.receive())["type"] != "http.disconnect":
                    pass
            case Mode.SLOW:
                await asyncio.sleep(now.seconds)
            case Mode.HEALTHY:
                pass
        if len(text) > LONGEST_TEXT:
            raise Fault(413 if self.provider == "deepgram" else 400, f"longer than {LONGEST_TEXT} characters")


def _desk(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]
control, gemini, openai, deepgram = APIRouter(), APIRouter(), APIRouter(), APIRouter()


@control.get("/control")
async def look(desk: TheDesk) -> dict[str, Any]:
    return {"provider": desk.provider, "calls": desk.calls, **desk.behaviour.model_dump()}


@control.put("/control")
async def steer(desk: TheDesk, behaviour: Behaviour) -> dict[str, Any]:
    desk.behaviour = behaviour
    return await look(desk)


class Part(BaseModel):
    text: str


class Content(BaseModel):
    parts: list[Part] = Field(min_length=1)


class GenerateContent(BaseModel):
    contents: list[Content] = Field(min_length=1)


@gemini.post("/v1beta/models/{model}:generateContent")
async def generate_content(desk: TheDesk, request: Request, model: str, body: GenerateContent) -> dict[str, Any]:
    text = body.contents[-1].parts[-1].text
    await desk.receive(request, text)
    answer = {"role": "model", "parts": [{"text": f"The stand-in for Gemini heard: {text}"}]}
    return {"candidates": [{"index": 0, "content": answer, "finishReason": "STOP"}], "modelVersion": model}


class Message(BaseModel):
    role: str
    content: str


class ChatCompletion(BaseModel):
    model: str
    messages: list[Message] = Field(min_length=1)


@openai.post("/v1/chat/completions")
async def chat_completions(desk: TheDesk, request: Request, body: ChatCompletion) -> dict[str, Any]:
    text = body.messages[-1].content
    await desk.receive(request, text)
    answer = {"role": "assistant", "content": f"The stand-in for OpenAI heard: {text}"}
    return {
        "id": f"chatcmpl-{desk.calls}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.model,
        "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
    }


class Speak(BaseModel):
    text: str


@deepgram.post("/v1/speak", response_class=Response)
async def speak(desk: TheDesk, request: Request, body: Speak) -> Response:
    await desk.receive(request, body.text)
    return Response(tune(body.text), media_type="audio/wav")


def tune(text: str) -> bytes:
    """A small tune instead of speech: one tone a word, higher for longer words."""
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
    """An error in the words of the provider."""
    match provider:
        case "gemini":
            name = "UNAVAILABLE" if status >= 500 else "INVALID_ARGUMENT"
            return {"error": {"code": status, "message": message, "status": name}}
        case "openai":
            kind = "server_error" if status >= 500 else "invalid_request_error"
            return {"error": {"message": message, "type": kind, "param": None, "code": None}}
        case _:
            return {"err_code": str(status), "err_msg": message}


async def on_fault(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Fault)
    body = fault_body(_desk(request).provider, error.status, str(error))
    return JSONResponse(body, status_code=error.status)


APIS = {"gemini": gemini, "openai": openai, "deepgram": deepgram}


def create_app(provider: str) -> FastAPI:
    app = FastAPI(title=f"A stand-in for {provider}")
    app.state.desk = Desk(provider)
    app.include_router(control)
    app.include_router(APIS[provider])
    app.add_exception_handler(Fault, on_fault)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("provider", choices=list(APIS))
    add_options(parser)
    options = parser.parse_args()
    serve(create_app(options.provider), port=options.port, leash=options.leash)


if __name__ == "__main__":
    main()
