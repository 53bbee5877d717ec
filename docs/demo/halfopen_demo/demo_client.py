"""An HTTP client for a running demo: sends requests, sets modes, reads states and counters."""

import json
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from halfopen_demo.processes import Demo

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """The response to `POST /say`."""

    status: int
    content_type: str
    retry_after: str | None
    body: dict[str, Any]

    @property
    def by(self) -> str:
        """The provider that answered, or the status if none did."""
        return self.body["provider"] if self.status == 200 else str(self.status)


class DemoClient:
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
        """Sends a body unchanged, even if it is not valid JSON."""
        return self._http.request(method, path, content=body, headers={"Content-Type": "application/json"})

    def set_behaviour(self, provider: str, mode: str, **more: float) -> None:
        """Breaks or heals a provider."""
        self._http.put(f"/simulated/{provider}", json={"mode": mode, **more}).raise_for_status()

    def order(self, provider: str, order: str, **more: float) -> None:
        """Forces a circuit open (`force_open`), or resets it (`reset`)."""
        body = {"order": order, "reason": "a test of the demo", **more}
        self._http.put(f"/breakers/provider_{provider}/order", json=body).raise_for_status()

    def tell(self, text: str = "Good morning", session: str | None = None) -> Generator[tuple[str, dict[str, Any]]]:
        """The events of a stream of tokens, each with its kind."""
        with self._http.stream("POST", "/tell", json={"text": text, "session": session}) as response:
            response.raise_for_status()
            kind = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield kind, json.loads(line.removeprefix("data: "))

    def breakers(self) -> dict[str, dict[str, Any]]:
        """The statuses from `/breakers`, by provider."""
        return {status["provider_id"]: status for status in self.get("/breakers").json()}

    def state(self, provider: str) -> str:
        return str(self.breakers()[provider]["state"])

    def counter(self, provider: str, name: str) -> int:
        return int(self.breakers()[provider]["metrics"][name])

    def causes(self, provider: str) -> list[str]:
        """The causes of the circuit's transitions, latest first."""
        live = self.get("/live").json()
        return [event["cause"] for event in live["transitions"] if event["provider"] == provider]

    def calls_received(self, provider: str) -> int:
        """The number of calls that the provider received, by its own count."""
        return int(self.get(f"{self.demo.providers[provider].url}/control").json()["calls"])

    def samples(self) -> dict[tuple[str, str, str], float]:
        """The samples of breakers from `/metrics`, by name, provider and the outcome, the reason or the state."""
        text = self.get("/metrics").text
        return {
            (
                sample.name,
                sample.labels["provider"],
                "".join(sample.labels.get(label, "") for label in ("outcome", "reason", "state")),
            ): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if "provider" in sample.labels and not {"le", "from_state"} & sample.labels.keys()
        }

    def wait_until(self, condition: Callable[[], bool], description: str, seconds: float = 10) -> None:
        """Waits for a condition, with a limit."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds:g} s still false: {description}")
            time.sleep(POLL_SECONDS)
