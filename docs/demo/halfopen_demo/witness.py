"""Talks to a running demo over HTTP, as a client and as an operator, and reads what it says of itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from halfopen_demo.processes import Demo

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """What came back from `POST /say`."""

    status: int
    content_type: str
    retry_after: str | None
    body: dict[str, Any]

    @property
    def by(self) -> str:
        """Who answered, or the status where nobody did."""
        return self.body["provider"] if self.status == 200 else str(self.status)


class Witness:
    """A client of one running demo."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self._http = httpx2.Client(base_url=demo.backend.url, timeout=20, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str) -> httpx2.Response:
        return self._http.get(path).raise_for_status()

    def say(self, text: str = "Good morning") -> Answer:
        response = self._http.post("/say", json={"text": text})
        headers = response.headers
        return Answer(response.status_code, headers["Content-Type"], headers.get("Retry-After"), response.json())

    def send(self, method: str, path: str, body: str) -> httpx2.Response:
        """Sends a body as it is, even where it is no JSON."""
        return self._http.request(method, path, content=body, headers={"Content-Type": "application/json"})

    def behave(self, provider: str, mode: str, **more: float) -> None:
        """Breaks or heals a provider."""
        self._http.put(f"/providers/{provider}", json={"mode": mode, **more}).raise_for_status()

    def steer(self, provider: str, mode: str, **more: float) -> None:
        """Forces a circuit open, or gives it back to itself."""
        self._http.put(f"/breakers/{provider}", json={"mode": mode, **more}).raise_for_status()

    def breakers(self) -> dict[str, dict[str, Any]]:
        """The statuses from `/breakers`, by provider."""
        return {status["provider_id"]: status for status in self.get("/breakers").json()}

    def state(self, provider: str) -> str:
        return str(self.breakers()[provider]["state"])

    def counter(self, provider: str, name: str) -> int:
        return int(self.breakers()[provider]["metrics"][name])

    def causes(self, provider: str) -> list[str]:
        """Why the circuit changed its state, each time, the last time first."""
        live = self.get("/live").json()
        return [event["cause"] for event in live["transitions"] if event["provider"] == provider]

    def calls_received(self, provider: str) -> int:
        """How many calls reached the provider, by its own count."""
        return int(self.get(f"{self.demo.providers[provider].url}/control").json()["calls"])

    def samples(self) -> dict[tuple[str, str, str], float]:
        """The samples from `/metrics` that concern a breaker, by their name, provider and status."""
        text = self.get("/metrics").text
        return {
            (sample.name, sample.labels["provider"], sample.labels.get("status", "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if "provider" in sample.labels and not {"le", "from_state"} & sample.labels.keys()
        }

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
        """Waits for a condition, and not longer than it may take."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds:g} s still not so: {what}")
            time.sleep(POLL_SECONDS)
