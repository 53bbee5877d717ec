"""A circuit as Python sees it, without the ways to call through it."""

from collections.abc import Callable
from typing import Literal, Never, Self

from halfopen._core import Breaker, CircuitBreakerConfig
from halfopen.arguments import check_config, check_function, check_functions
from halfopen.guard import Classifier
from halfopen.status import (
    CircuitBreakerMetrics,
    CircuitBreakerState,
    CircuitBreakerStatus,
    Durations,
    Event,
    WallClock,
    event_of,
    metrics_of,
    status_of,
)


class Circuit(Breaker):
    """A circuit with its clock, and all that can be read of it and ordered in every interface."""

    _config: CircuitBreakerConfig
    _provider_id: str
    _wall: WallClock

    def __new__(  # noqa: D102 (what the arguments mean stands in the text of `CircuitBreaker`)
        cls,
        config: CircuitBreakerConfig | None = None,
        provider_id: str = "unknown",
        *,
        clock: Callable[[], float] | None = None,
        classify: Classifier | None = None,
    ) -> Self:
        config = CircuitBreakerConfig() if config is None else config
        check_config(config)
        check_functions(clock, classify)
        self = super().__new__(cls, config, provider_id, clock, classify)
        self._config = config
        self._provider_id = provider_id
        self._wall = WallClock()
        return self

    # To set one of these would do nothing, so it is refused; `Never` lets a type checker say so first.
    @property
    def config(self) -> CircuitBreakerConfig:
        """The configuration in force."""
        return self._config

    @config.setter
    def config(self, _: Never) -> None:
        raise AttributeError("a configuration is not assigned: reconfigure(config) puts one in force")

    @property
    def provider_id(self) -> str:
        """The provider behind the circuit, a label of its metrics."""
        return self._provider_id

    @provider_id.setter
    def provider_id(self, _: Never) -> None:
        raise AttributeError("a circuit keeps its provider: make another CircuitBreaker")

    @property
    def state(self) -> CircuitBreakerState:
        """The state now; ``half_open`` also where the wait is over and nobody has called yet."""
        return CircuitBreakerState(self.read_state())

    @state.setter
    def state(self, _: Never) -> None:
        raise AttributeError("a state is not assigned: reset(), force_open() and disable() order one")

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        """A reading of the counters; each access makes a new one."""
        return metrics_of(self.read_status(), self._wall)

    @metrics.setter
    def metrics(self, _: Never) -> None:
        raise AttributeError("metrics are not assigned: they are read from the circuit at each access")

    def get_status(self) -> CircuitBreakerStatus:
        """Everything that can be read, as a document ready for JSON."""
        return status_of(self.read_status(), self.config, self.provider_id, self._wall)

    def durations(self) -> dict[Literal["success", "failure"], Durations]:
        """How long the calls took, by how they ended."""
        return {outcome: Durations(*read) for outcome, read in self.evidence().durations()}

    def percentile(self, share: float, outcome: Literal["success", "failure"] = "success") -> float | None:
        """The duration in seconds that this share of the calls (0 to 1) with that outcome did not exceed.

        It is interpolated within its bucket as Prometheus' ``histogram_quantile`` does; ``None`` before the first call.
        """
        return self.read_percentile(share, outcome)

    def events(self, after: int = 0) -> list[Event]:
        """The last transitions with a sequence number above ``after``, oldest first."""
        raw_events = self.read_events(after)
        dates = self._wall.at(self.read_now())
        return [event_of(raw, dates) for raw in raw_events]

    def reconfigure(self, config: CircuitBreakerConfig) -> None:
        """Puts a whole new configuration in force; state, mode, counters and the running wait stay.

        Thresholds hold from the next event on, a window whose shape changed starts empty, and the name stays, since it
        identifies the circuit.
        """
        check_config(config)
        config = config.model_copy(update={"name": self.name})
        self.order_config(config)
        self._config = config

    def snapshot(self) -> str:
        """What outlives this breaker, as a JSON document; a call in flight is saved as cancelled."""
        return self.read_snapshot()

    def restore(self, document: str) -> None:
        """Goes on where a snapshot was taken: its state takes the place of this one's, its counts are added.

        Raises ``InvalidValueError``, naming the part, for a document that is damaged, of another version, gives a part
        twice, or contradicts itself; then nothing has changed.
        """
        self.order_restored(document)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], bool]:
        """Calls ``listener`` with each further transition, after the change and in order; returns what ends that.

        It is called while the guarded call is under way, so it is quick and plain: a coroutine function is refused,
        since nobody could await it. What a listener raises goes to ``sys.unraisablehook`` and harms no call.

        Raises:
            InvalidValueError: for what is no plain function.

        """
        check_function("listener", listener, "a plain function of one event, which nobody has to await", 1)
        wall = self._wall
        number = self.add_listener(lambda raw, now: listener(event_of(raw, wall.at(now))))
        return lambda: self.remove_listener(number)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} provider={self.provider_id!r} state={self.read_state()}>"
