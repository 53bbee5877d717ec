"""The objects that live as long as the backend."""

from collections.abc import Mapping
from contextvars import ContextVar

from halfopen import CircuitBreakerConfig
from halfopen.orchestration import Event, Orchestrator, Provider
from halfopen.recording import Recorder
from halfopen_demo.clients import PROVIDERS, Clients
from halfopen_demo.exchange_log import ExchangeLog

TEXT = "text"
"""The ability that a stream of tokens needs."""


class Services:
    """The clients, the orchestrator that chooses among them, the exchange log, and a recorder of the calls."""

    def __init__(
        self, urls: Mapping[str, str], *, wait_seconds: float, deadline_seconds: float, slow_start_seconds: float
    ) -> None:
        self.clients = Clients(urls)
        self.exchange_log = ExchangeLog()
        providers = [
            Provider(
                name,
                CircuitBreakerConfig(
                    name=f"provider_{name}",
                    failure_threshold=3,
                    success_threshold=2,
                    timeout_seconds=wait_seconds,
                    half_open_max_calls=1,
                ),
                # Deepgram answers with audio, so it is used if neither of the other two is available.
                tier=0 if PROVIDERS[name].stream_path else 1,
                capabilities=[TEXT] if PROVIDERS[name].stream_path else [],
            )
            for name in urls
        ]
        self.orchestrator = Orchestrator(
            providers,
            attempt_timeout_seconds=deadline_seconds,
            first_item_timeout_seconds=deadline_seconds,
            idle_timeout_seconds=deadline_seconds,
            slow_start_seconds=slow_start_seconds,
            on_break="restart",
            # The circuits alone decide, which is easier to follow: a provider that fails now and then stays the first.
            min_health=0.0,
        )
        self.recorder = Recorder()
        for name in urls:
            self.recorder.record(self.orchestrator.breaker(name))
        self._events: ContextVar[list[Event] | None] = ContextVar("events", default=None)
        self.orchestrator.subscribe(self._record)

    def events_of_this_request(self) -> list[Event]:
        """A list that receives the events of the running request's calls; each request runs in a task of its own."""
        events: list[Event] = []
        self._events.set(events)
        return events

    def _record(self, event: Event) -> None:
        events = self._events.get()
        if events is not None:
            events.append(event)
