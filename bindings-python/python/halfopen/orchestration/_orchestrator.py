"""The orchestrator."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypeVar, TypeVarTuple, overload

from halfopen._arguments import check_function, check_functions, checked_members, refused, with_fields
from halfopen._core import CircuitBreakerConfig, Need, Pool
from halfopen._sealed import Sealed, made_once
from halfopen.breaker import CircuitBreaker
from halfopen.orchestration._breaks import Break, OnBreak, Restarted, Resume
from halfopen.orchestration._call import CallRun
from halfopen.orchestration._checks import Checks
from halfopen.orchestration._engine import Engine, ProviderStatus
from halfopen.orchestration._events import Event, Listener, PassedOver
from halfopen.orchestration._explain import explain
from halfopen.orchestration._provider import Provider
from halfopen.orchestration._records import Options
from halfopen.orchestration._report import Report
from halfopen.orchestration._sessions import Session
from halfopen.orchestration._settings import Settings, check_effects
from halfopen.orchestration._stream import Stream, StreamRun
from halfopen.types import Role

R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=Event)
Ts = TypeVarTuple("Ts")
Items: TypeAlias = AsyncIterable[T] | AbstractAsyncContextManager[AsyncIterable[T]]
Streamed: TypeAlias = Items[T] | Awaitable[Items[T]]


class Orchestrator(Sealed):
    """Chooses a provider for each call, and another one when it fails.

    ``providers`` are two to a handful of ``Provider``, each with a circuit breaker of its own. The other arguments are
    the fields of ``Settings``, by keyword. ``clock`` returns seconds, as ``time.monotonic`` does, and is the clock of
    the breakers as well; it is for tests. It runs in asyncio, in any number of event loops.

    Raises ``InvalidValueError``, naming the field, for a value that is not allowed and for a setting that could do
    nothing.

    >>> import asyncio
    >>> from halfopen.orchestration import Orchestrator, Provider
    >>> orchestrator = Orchestrator([Provider("openai"), Provider("gemini", tier=1)])
    >>> async def ask(provider: Provider, text: str) -> str:
    ...     return f"{provider.id}: {text}"
    >>> asyncio.run(orchestrator.call(ask, "hello"))
    'openai: hello'
    """

    _instead: ClassVar[Mapping[str, str]] = {
        **made_once("Orchestrator", "settings", "clock", *(field.name for field in fields(Settings))),
        "providers": "call update(provider, …) to change one, or make another Orchestrator",
    }

    def __init__(
        self,
        providers: Iterable[Provider],
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] | None = None,
        **fields: Any,
    ) -> None:
        given = checked_members("providers", providers, Provider)
        if not isinstance(settings, Settings | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise refused("settings", settings, "Settings or None")
        settings = with_fields(settings or Settings(), fields)
        check_functions(clock, None, None)
        check_effects(settings, given)
        breakers = tuple(_breaker_of(provider, clock) for provider in given)
        document = {**settings.document(), "providers": [provider._document() for provider in given]}
        self._engine = Engine(Pool(document, breakers, clock), given, breakers, settings)
        self._checks = None if settings.check is None else Checks(self._engine, settings.check)

    async def call(
        self,
        func: Callable[[Provider, *Ts], Awaitable[R]],
        /,
        *args: *Ts,
        session: str | Session | None = None,
        need: Need | None = None,
        replayable: bool = True,
        deadline_seconds: float | None = None,
    ) -> R:
        """Calls ``func(provider, *args)`` with the provider that was chosen, and with the next one if it fails.

        ``session`` names a conversation that stays with one provider. ``need`` tells what the provider must be able to
        do. ``replayable=False`` is for calls with effects: after a failure, which may have had them, no other provider
        is asked. ``deadline_seconds`` takes the place of the orchestrator's.

        Raises ``AllProvidersFailed`` if no provider answered, and the error of ``func`` if it says nothing about the
        provider, for example that of a refused content.
        """
        options = Options(session, need, replayable, deadline_seconds)
        run: CallRun[R] = CallRun(self._engine, func, args, options)
        return (await run.answered())[1]

    async def call_with_report(
        self,
        func: Callable[[Provider, *Ts], Awaitable[R]],
        /,
        *args: *Ts,
        session: str | Session | None = None,
        need: Need | None = None,
        replayable: bool = True,
        deadline_seconds: float | None = None,
    ) -> tuple[R, Report]:
        """As ``call``; also returns who answered, with which model and usage, and after which attempts."""
        options = Options(session, need, replayable, deadline_seconds)
        run: CallRun[R] = CallRun(self._engine, func, args, options)
        attempt, result = await run.answered()
        return result, run.report(attempt, result)

    @overload
    def stream(
        self,
        func: Callable[[Provider, *Ts], Streamed[T]],
        /,
        *args: *Ts,
        on_break: Literal["restart"],
        long_lived: bool = False,
        session: str | Session | None = None,
        need: Need | None = None,
        replayable: bool = True,
        deadline_seconds: float | None = None,
    ) -> Stream[T | Restarted]: ...
    @overload
    def stream(
        self,
        func: Callable[[Provider, *Ts], Streamed[T]],
        /,
        *args: *Ts,
        on_break: Literal["raise"] | Callable[[Break], Resume | None] | None = None,
        long_lived: bool = False,
        session: str | Session | None = None,
        need: Need | None = None,
        replayable: bool = True,
        deadline_seconds: float | None = None,
    ) -> Stream[T]: ...
    def stream(
        self,
        func: Callable[[Provider, *Ts], Streamed[Any]],
        /,
        *args: *Ts,
        on_break: OnBreak | None = None,
        long_lived: bool = False,
        session: str | Session | None = None,
        need: Need | None = None,
        replayable: bool = True,
        deadline_seconds: float | None = None,
    ) -> Stream[Any]:
        """The items of the stream that ``func(provider, *args)`` opens, or of the next provider's if it fails.

        ``func`` returns an async iterable, an async context manager that yields one, or an awaitable of one. Items
        before the first content item are held back, so until then another provider takes over without a visible change.
        Afterwards ``on_break`` decides, by default that of the settings. ``deadline_seconds`` limits the time without
        content. A ``long_lived`` stream, such as a socket, is a success at its first content and not at its end.

        Iterating raises ``AllProvidersFailed`` if no provider answered, ``StreamBrokenError`` if a stream broke after
        its first content, and the error of ``func`` if it says nothing about the provider.
        """
        options = Options(session, need, replayable, deadline_seconds)
        return Stream(StreamRun(self._engine, func, args, options, on_break, long_lived=long_lived))

    def session(self, session_id: str) -> Session:
        """The session of that id, which begins if there is none."""
        return self._engine.sessions.use(session_id)

    def end_session(self, session_id: str) -> bool:
        """Forgets a session; false if there is none."""
        return self._engine.sessions.end(session_id)

    def sessions(self) -> list[Session]:
        """The sessions, the one used last at the end."""
        return self._engine.sessions.all()

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers, in the declared order."""
        return tuple(self._engine.providers)

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self._engine.settings

    def explain(self, session_id: str | None = None) -> str:
        """Explains who would get the next call, of this session if one is given, and why; nothing changes."""
        return explain(self._engine, session_id)

    def ranking(self, need: Need | None = None) -> tuple[list[tuple[str, Role]], list[PassedOver]]:
        """The providers that would get a call now, the first one first, and those passed over; nothing changes."""
        order = self._engine.look(need)
        ids = [provider.id for provider in self._engine.providers]
        picks: list[tuple[str, Role]] = [(ids[index], role) for index, role in order.picks]
        return picks, [PassedOver(ids[index], reason, wait) for index, reason, wait in order.passed_over]

    def status(self) -> list[ProviderStatus]:
        """The present state and the recent record of each provider, in the declared order."""
        return self._engine.statuses(self._engine.look())

    async def __aenter__(self) -> Self:
        """Starts the background checks, if there is a ``check``."""
        if self._checks is not None:
            self._checks.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._checks is not None:
            await self._checks.stop()

    def breaker(self, provider: str) -> CircuitBreaker:
        """The breaker of the provider with this id."""
        return self._engine.breakers[self._engine.index_of(provider)]

    def update(self, provider: str, **fields: Any) -> Provider:
        """Changes fields of a provider, from the next choice on: ``update("openai", weight=0)`` drains it.

        Raises ``InvalidValueError`` for ``id``, ``breaker``, ``key``, ``model`` and ``last_resort``, which stay as they
        are, and for a value that is not allowed.
        """
        engine = self._engine
        index = engine.index_of(provider)
        fixed = ("id", "breaker", "key", "model", "last_resort")
        for name in fixed:
            if name in fields:
                raise refused(name, fields[name], "no change: make another Orchestrator")
        changed = with_fields(engine.providers[index], fields, without=fixed)
        engine.pool.declare(index, changed._document())
        engine.providers[index] = changed
        return changed

    @overload
    def events(self, *, after: int = 0) -> list[Event]: ...
    @overload
    def events(self, *kinds: type[E], after: int = 0) -> list[E]: ...
    def events(self, *kinds: type[Any], after: int = 0) -> list[Any]:
        """The kept events of these kinds, or of all, with a sequence number above ``after``; oldest first."""
        return self._engine.events.kept(kinds, after)

    def subscribe(self, listener: Listener) -> Callable[[], bool]:
        """Calls ``listener`` with each further event, and returns a function that unsubscribes it.

        It runs inside the call, so it should be quick. Exceptions that it raises go to ``sys.unraisablehook``.
        """
        check_function("listener", listener, "a plain function of one event", 1)
        return self._engine.events.subscribe(listener)

    def __repr__(self) -> str:
        ids = ", ".join(provider.id for provider in self._engine.providers)
        return f"<{type(self).__name__} {self._engine.settings.strategy} of {ids}>"


def _breaker_of(provider: Provider, clock: Callable[[], float] | None) -> CircuitBreaker:
    breaker = provider.breaker
    if isinstance(breaker, CircuitBreaker):
        return breaker
    config = CircuitBreakerConfig(name=provider.id) if breaker is None else breaker
    return CircuitBreaker(config, provider.id, clock=clock)
