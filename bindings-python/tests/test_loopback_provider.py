"""The loopback provider answers the real SDKs: each reads its text, its model and what it cost."""

import anthropic
import openai
import pytest
from google import genai
from google.genai.types import HttpOptions

from provider import Provider


def test_openai_chat_completions(provider: Provider) -> None:
    with openai.OpenAI(base_url=provider.openai_url, api_key="none") as client:
        whole = client.chat.completions.create(model="small", messages=[{"role": "user", "content": "two words"}])
        assert whole.choices[0].message.content == provider.text
        assert whole.usage
        assert (whole.model, whole.usage.prompt_tokens, whole.usage.total_tokens) == ("small", 2, 11)
        *chunks, last = client.chat.completions.create(
            model="large",
            messages=[{"role": "user", "content": "two words"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == provider.text
        assert last.usage
        assert (last.model, last.usage.total_tokens) == ("large", 11)
        assert [model.id for model in client.models.list()] == ["small", "large"]
        with pytest.raises(openai.NotFoundError, match="no such model"):
            client.chat.completions.create(model="none", messages=[{"role": "user", "content": "two words"}])


def test_openai_responses(provider: Provider) -> None:
    with openai.OpenAI(base_url=provider.openai_url, api_key="none") as client:
        whole = client.responses.create(model="small", input="two words")
        assert whole.usage
        assert (whole.output_text, whole.model, whole.usage.total_tokens) == (provider.text, "small", 11)
        *_, last = client.responses.create(model="small", input="two words", stream=True)
        assert last.type == "response.completed"
        assert last.response.output_text == provider.text


def test_anthropic_messages(provider: Provider) -> None:
    with anthropic.Anthropic(base_url=provider.url, api_key="none") as client:
        asked: anthropic.types.MessageParam = {"role": "user", "content": "two words"}
        whole = client.messages.create(model="small", max_tokens=9, messages=[asked])
        assert (whole.model, whole.usage.input_tokens, whole.usage.output_tokens) == ("small", 2, 9)
        with client.messages.stream(model="small", max_tokens=9, messages=[asked]) as stream:
            assert "".join(stream.text_stream) == provider.text
            assert stream.get_final_message().usage == whole.usage


# Its SDK derives a class from aiohttp's session.
@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_google_generate_content(provider: Provider) -> None:
    with genai.Client(api_key="none", http_options=HttpOptions(base_url=provider.url)) as client:
        whole = client.models.generate_content(model="small", contents="two words")
        assert whole.usage_metadata
        assert (whole.text, whole.usage_metadata.total_token_count) == (provider.text, 11)
        plain = client.models.generate_content_stream(model="small", contents="two words")
        assert "".join(part.text or "" for part in plain) == provider.text
        streamed = await client.aio.models.generate_content_stream(model="small", contents="two words")
        assert "".join([part.text or "" async for part in streamed]) == provider.text
        await client.aio.aclose()


def test_two_providers_at_once(provider: Provider) -> None:
    with Provider("Another answer.", takes_prefill=False) as other:
        for one in (provider, other):
            with openai.OpenAI(base_url=one.openai_url, api_key="none") as client:
                answer = client.chat.completions.create(model="small", messages=[{"role": "user", "content": "hello"}])
                assert answer.choices[0].message.content == one.text
    assert len(provider.requests) == len(other.requests) == 1
