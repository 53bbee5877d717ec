"""Providers as data."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Annotated, Any, ClassVar, cast

from halfopen._arguments import check_present, check_whole_number, refused
from halfopen._core import CircuitBreakerConfig, check_provider
from halfopen._pydantic_hooks import BREAKER_OR_CONFIG, ONLY_DECLARED, TEXTS
from halfopen._sealed import frozen_because
from halfopen.breaker import CircuitBreaker


@frozen_because("call update(provider, {name}=…) of the orchestrator, or make another Provider")
@dataclass(frozen=True)
class Provider:
    """A provider: where a call may go, and under which circumstances.

    Functions that ``Orchestrator.call`` and ``stream`` run receive the one that was chosen.
    """

    id: str
    """Its name, unique in the orchestrator."""
    breaker: Annotated[CircuitBreaker | CircuitBreakerConfig | None, BREAKER_OR_CONFIG] = field(
        default=None, repr=False, compare=False
    )
    """Its circuit breaker, or the configuration for a new one; ``None`` for a new one with the defaults.

    The timeouts, ``is_content`` and ``is_end`` of a breaker take the place of the orchestrator's for this provider.
    """
    tier: int = 0
    """Providers of a lower tier come first; from 0."""
    weight: int = 1
    """Its share beside the others of its tier, from 0; 0 drains it: it gets no further calls."""
    enabled: bool = True
    """Whether calls may go to it."""
    capabilities: Annotated[Iterable[str], TEXTS] = ()
    """Its abilities, in your own words: a call that needs one goes only to providers that have it."""
    limit: int | None = None
    """The largest request that it takes, in your own unit (tokens, for example); ``None`` for no limit."""
    model: str | None = None
    """The model that its calls ask for. One that is not found cools down for all providers with the same ``model``."""
    key: str | None = None
    """A name for its API key or account. A refused key cools down for all providers with the same ``key``."""
    max_concurrent_calls: int | None = None
    """The most calls in flight, from 1; a further call goes to another provider. ``None`` for no limit."""
    last_resort: bool = False
    """Whether it is used only when no other is available, for example a canned answer or a local model."""
    __pydantic_config__: ClassVar = ONLY_DECLARED

    def __post_init__(self) -> None:
        breaker, name = cast("Any", self.breaker), cast("Any", self.id)
        if not isinstance(name, str) or not name:
            raise refused("id", name, "a text that is not empty")
        if breaker is not None and not isinstance(breaker, CircuitBreaker | CircuitBreakerConfig):
            raise refused("breaker", breaker, "a CircuitBreaker, a CircuitBreakerConfig or None")
        capabilities = cast("Any", self.capabilities)
        if isinstance(capabilities, str) or not isinstance(capabilities, Iterable):
            raise refused("capabilities", capabilities, "a collection of texts, not one text")
        object.__setattr__(self, "capabilities", tuple(self.capabilities))
        if self.max_concurrent_calls is not None:
            more = ", or None; enabled=False switches a provider off"
            check_whole_number("max_concurrent_calls", self.max_concurrent_calls, 1, 2**32 - 1, more=more)
        check_present(self, ("tier", "weight", "enabled", "last_resort"))
        check_provider(self._document())

    # Only pydantic calls this, so pydantic is optional.
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return import_module("halfopen._pydantic").checked_schema(handler(source))

    def _document(self) -> dict[str, Any]:
        """The fields that the core knows; it checks them."""
        document = {declared.name: getattr(self, declared.name) for declared in fields(self)}
        del document["breaker"]
        document["capabilities"] = list(self.capabilities)
        return {name: value for name, value in document.items() if value is not None}
