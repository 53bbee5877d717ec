"""``halfopen.fastapi`` on a real server: the streams of events of breakers and of providers."""

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx2

from real_servers import served


def read_events(lines: Iterator[str], count: int) -> list[tuple[str, dict[str, Any]]]:
    """The first events of a stream with their ids; an empty line ends an event."""
    events: list[tuple[str, dict[str, Any]]] = []
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name] = value
        if not line and "data" in fields:
            events.append((fields["id"], json.loads(fields["data"])))
            fields = {}
        if len(events) == count:
            return events
    raise AssertionError(f"the stream ended after {len(events)} events")


def test_events_go_on_after_the_last_id() -> None:
    with (
        served("fastapi_app.py") as (url, process),
        httpx2.Client(base_url=url, timeout=10, trust_env=False) as http,
    ):
        assert http.get("/fail").status_code == 502
        assert http.get("/fail").status_code == 503
        with http.stream("GET", "/breakers/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            ((first, event),) = read_events(stream.iter_lines(), 1)
        assert (event["circuit"], event["to_state"], event["cause"]) == ("openai", "open", "consecutive_failures")
        order = {"order": "reset", "reason": "fixed"}
        assert http.put("/breakers/openai/order", json=order).status_code == 200
        with http.stream("GET", "/breakers/events", headers={"Last-Event-ID": first}) as stream:
            ((_, event),) = read_events(stream.iter_lines(), 1)
        assert event["cause"] == "reset", "what the client has seen is not sent again"
        with http.stream("GET", "/breakers/events", headers={"Last-Event-ID": "ffffffff-7"}) as stream:
            events = read_events(stream.iter_lines(), 2)
        assert [event["cause"] for _, event in events] == ["consecutive_failures", "reset"]
        # The server stops while a client follows.
        with http.stream("GET", "/breakers/events") as stream:
            lines = stream.iter_lines()
            read_events(lines, 2)
            begun = time.monotonic()
            os.kill(process.pid, signal.SIGTERM)
            assert not list(filter(None, lines)), "the stream ends, and its client would connect again"
        process.wait(10)
        assert time.monotonic() - begun < 8, "streams end by themselves, so the server can stop"
        assert process.returncode in {0, -signal.SIGTERM}


def test_the_providers_are_sent_as_events_and_at_once_when_the_order_changes() -> None:
    with (
        served("simulated_providers.py") as (url, _),
        httpx2.Client(base_url=url, timeout=10, trust_env=False) as http,
        http.stream("GET", "/providers/events") as stream,
    ):
        events = _events(stream.iter_lines())
        assert [it["provider"] for it in next(events)[0]["providers"]] == ["openai", "gemini", "local"]
        http.put("/breakers/local/order", json={"order": "force_open", "reason": "maintenance"})
        assert "forced_open" in (it[0]["providers"][2]["passed_over"] for it in events)
        assert [len(it) for it in events if len(it) != 1] == [], "the stream ends by itself"


def _events(lines: Iterator[str]) -> Iterator[Any]:
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
