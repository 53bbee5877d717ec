"""A provider of language models on this machine: it answers as OpenAI, Anthropic and Google do, and fails as told.

>>> from provider import Provider, Status
>>> with Provider() as provider:
...     provider.next(Status(429, retry_after=1))  # the next request gets this, the one after it a good answer
...     provider.url
'http://127.0.0.1:…'

Two providers can run at once. Each has a thread and an event loop of its own, so plain and async clients can use it.
"""

from provider.faults import (
    CONTENT_REFUSED,
    CONTEXT_TOO_LONG,
    Cut,
    ErrorEvent,
    Fault,
    Late,
    Malformed,
    NoAnswer,
    NoTerminator,
    Reset,
    Stall,
    Status,
)
from provider.server import Provider, Request

__all__ = [
    "CONTENT_REFUSED",
    "CONTEXT_TOO_LONG",
    "Cut",
    "ErrorEvent",
    "Fault",
    "Late",
    "Malformed",
    "NoAnswer",
    "NoTerminator",
    "Provider",
    "Request",
    "Reset",
    "Stall",
    "Status",
]
