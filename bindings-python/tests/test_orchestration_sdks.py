"""The orchestrator with the SDKs of openai, anthropic and google-genai: too large requests, and their own retries."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai.types import HttpOptions, HttpRetryOptions

import provider as loopback
from canned import answering, response
from halfopen import CircuitBreakerConfig
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider
from orchestrated import HttpError, counts, in_flight, pair
from provider import NoAnswer, Status

# The SDK of Google derives a class from aiohttp's session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

ASKED: list[Any] = [{"role": "user", "content": "two words"}]
Ask = Callable[[], Awaitable[object]]


def openai_sdk(url: str, stack: AsyncExitStack, retries: int | None) -> Ask:
    more: Any = {} if retries is None else {"max_retries": retries}
    client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", **more)
    stack.push_async_callback(client.close)
    return lambda: client.chat.completions.create(model="small", messages=ASKED)


def anthropic_sdk(url: str, stack: AsyncExitStack, retries: int | None) -> Ask:
    more: Any = {} if retries is None else {"max_retries": retries}
    client = anthropic.AsyncAnthropic(base_url=url, api_key="none", **more)
    stack.push_async_callback(client.close)
    return lambda: client.messages.create(model="small", max_tokens=9, messages=ASKED)


def google_sdk(url: str, stack: AsyncExitStack, retries: int | None) -> Ask:
    more: Any = {} if not retries else {"retry_options": HttpRetryOptions(attempts=retries + 1, initial_delay=0.01)}
    client = genai.Client(api_key="none", http_options=HttpOptions(base_url=url, **more))
    stack.push_async_callback(client.aio.aclose)
    return lambda: client.aio.models.generate_content(model="small", contents="two words")


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


# ---- requests that are too large

TOO_LARGE: dict[str, tuple[Any, str, dict[str, Any], bool]] = {
    "OpenAI": (
        openai_sdk,
        "400 Bad Request",
        {
            "error": {
                "message": "This model's maximum context length is 8 tokens.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
        True,
    ),
    "llama.cpp": (
        openai_sdk,
        "400 Bad Request",
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 9,
                "n_ctx": 8,
            }
        },
        True,
    ),
    "vLLM": (
        openai_sdk,
        "400 Bad Request",
        {
            "object": "error",
            "message": "This model's maximum context length is 8 tokens.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        False,
    ),
    "Anthropic, the prompt": (
        anthropic_sdk,
        "400 Bad Request",
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"},
        },
        False,
    ),
    "Anthropic, the body": (
        anthropic_sdk,
        "413 Content Too Large",
        {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}},
        True,
    ),
    "Gemini": (
        google_sdk,
        "400 Bad Request",
        {
            "error": {
                "code": 400,
                "message": "The input token count (9) exceeds the maximum number of tokens allowed (8).",
                "status": "INVALID_ARGUMENT",
            }
        },
        False,
    ),
}
MESSAGES = ("prompt is too long", "maximum number of tokens allowed", "maximum context length")


def says_so(error: Exception) -> bool:
    """A user's own function; unlike the default rules, it may judge by the text."""
    return any(message in str(error) for message in MESSAGES)


@pytest.mark.parametrize("hook", [None, says_so], ids=["codes", "own function"])
@pytest.mark.parametrize("server", TOO_LARGE)
async def test_a_request_that_is_too_large_goes_to_the_larger_model_where_it_can_be_told(
    server: str, hook: Callable[[Exception], bool] | None, stack: AsyncExitStack
) -> None:
    sdk, status, body, has_code = TOO_LARGE[server]
    members = [Provider("small", limit=8), Provider("large", limit=80, tier=1)]
    orchestrator = Orchestrator(members, is_too_large=hook)
    with answering(response(status, json.dumps(body), {"content-type": "application/json"})) as url:
        ask = sdk(url, stack, 0)

        async def call(provider: Provider) -> object:
            return "large" if provider.id == "large" else await ask()

        if has_code or hook is not None:
            assert await orchestrator.call(call) == "large"
        else:
            with pytest.raises((openai.BadRequestError, anthropic.BadRequestError, genai.errors.ClientError)):
                await orchestrator.call(call)
    # It says nothing about the provider's health.
    assert counts(orchestrator, "small") == {"ignored": 1}


async def test_ones_own_function_does_not_replace_the_codes() -> None:
    members = [Provider("small", limit=8), Provider("large", limit=80, tier=1)]
    orchestrator = Orchestrator(members, is_too_large=lambda _: False)

    async def call(provider: Provider) -> str:
        if provider.id == "small":
            raise HttpError(400, code="context_length_exceeded")
        return provider.id

    assert await orchestrator.call(call) == "large"


@pytest.mark.parametrize("setting", ["is_too_large", "next_after"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_function_that_raises_says_no_and_the_attempt_ends_with_its_own_error(setting: str) -> None:
    def broken(error: Exception) -> bool:
        raise RuntimeError from error

    settings: dict[str, Any] = {setting: broken}
    orchestrator = pair(**settings)

    async def call(_: Provider) -> str:
        raise HttpError(400)

    with pytest.raises(HttpError):
        await orchestrator.call(call)
    assert (counts(orchestrator, "a"), in_flight(orchestrator)) == ({"ignored": 1}, 0)


# ---- the retries of the SDKs


def two(**settings: Any) -> Orchestrator:
    members = [
        Provider(name, CircuitBreakerConfig(name=name), tier=tier) for tier, name in enumerate(("first", "second"))
    ]
    return Orchestrator(members, **settings)


RETRYING = [
    (openai_sdk, None, 3),
    (openai_sdk, 0, 1),
    (anthropic_sdk, None, 3),
    (anthropic_sdk, 0, 1),
    (google_sdk, 2, 3),
]


@pytest.mark.parametrize(("sdk", "retries", "requests"), RETRYING)
async def test_all_requests_of_an_sdk_are_one_attempt(
    sdk: Any, retries: int | None, requests: int, stack: AsyncExitStack
) -> None:
    """By default openai and anthropic repeat twice, and google-genai not at all."""
    orchestrator = two()
    with loopback.Provider("Hello.") as first, loopback.Provider("Hello.") as second:
        first.always(Status(503, retry_after=0.01))
        clients = {"first": sdk(first.url, stack, retries), "second": sdk(second.url, stack, retries)}
        _, report = await orchestrator.call_with_report(lambda provider: clients[provider.id]())
        assert (len(first.requests), len(second.requests)) == (requests, 1)
    # The orchestrator counts what it has asked for, and the budget pays for one further attempt.
    assert [(it.provider, it.outcome) for it in report.attempts] == [("first", "failure"), ("second", "success")]
    assert counts(orchestrator, "first") == {"failed": 1}


@pytest.mark.parametrize("sdk", [openai_sdk, anthropic_sdk])
@pytest.mark.parametrize("fault", [Status(503, retry_after=20), NoAnswer()], ids=["waits 20 s", "silent"])
async def test_the_timeout_of_the_attempt_ends_the_waits_and_retries_of_an_sdk(
    sdk: Any, fault: Any, stack: AsyncExitStack
) -> None:
    orchestrator = two(attempt_timeout_seconds=0.3)
    loop = asyncio.get_running_loop()
    with loopback.Provider("Hello.") as first, loopback.Provider("Hello.") as second:
        first.always(fault)
        clients = {"first": sdk(first.url, stack, None), "second": sdk(second.url, stack, None)}
        begun = loop.time()
        await orchestrator.call(lambda provider: clients[provider.id]())
        assert loop.time() - begun < 5
        # No request is sent after the call has returned.
        await asyncio.sleep(0.2)
        assert (len(first.requests), len(second.requests)) == (1, 1)
    assert counts(orchestrator, "first") == {"failed": 1}
    assert in_flight(orchestrator) == 0


async def test_in_an_outage_of_both_the_sdk_multiplies_the_requests_and_the_orchestrator_does_not(
    stack: AsyncExitStack,
) -> None:
    for retries, times in ((0, 1), (None, 3)):
        orchestrator = two()
        with loopback.Provider("") as first, loopback.Provider("") as second:
            for server in (first, second):
                server.always(Status(503, retry_after=0.01))
            clients = {name: openai_sdk(it.url, stack, retries) for name, it in (("first", first), ("second", second))}

            async def ask(provider: Provider, clients: dict[str, Ask] = clients) -> object:
                return await clients[provider.id]()

            with pytest.raises(AllProvidersFailed):
                await orchestrator.call(ask)
            assert (len(first.requests), len(second.requests)) == (times, times)


PROGRAM = """
import openai
from halfopen.orchestration import Orchestrator, Provider

orchestrator = Orchestrator([Provider("first"), Provider("second", tier=1)])
client = openai.AsyncOpenAI(api_key="none", timeout=10RETRIES)

async def ask(provider):
    return await client.chat.completions.create(model="small", messages=[])
"""


@pytest.mark.parametrize(("retries", "findings"), [("", ["SDK_RETRIES"]), (", max_retries=0", [])])
def test_the_doctor_warns_of_the_retries_of_an_sdk_below_an_orchestrator(
    retries: str, findings: list[str], tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.replace("RETRIES", retries))
    examined = subprocess.run(
        [sys.executable, "-m", "halfopen", "doctor", "program"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert re.findall(r"^\d+\. (\w+):", examined.stdout, re.MULTILINE) == findings
    if findings:
        assert "repeats a failed request up to 2 times by itself" in examined.stdout
        assert "so the call moves to another provider later" in " ".join(examined.stdout.split())
