"""Our errors inside the SDKs of providers, which repeat a request whose error they do not know."""

import sys
from functools import lru_cache
from typing import Any, TypeVar

from halfopen.errors import HalfopenError, restored

E = TypeVar("E", bound=HalfopenError)


def passing_sdks(error: E) -> E:
    """The same error, in a class that the imported SDKs raise at once instead of retrying.

    Anthropic's SDK retries after any error of a transport, unless it is one of its own. Code that catches the base
    error of an SDK, as its documentation says, catches this one too.
    """
    bases = tuple(
        base
        for module, name in (("openai", "OpenAIError"), ("anthropic", "AnthropicError"))
        if isinstance(base := getattr(sys.modules.get(module), name, None), type)
    )
    kind: Any = type(error)
    return restored(_passing_class(kind, bases), error.args, vars(error)) if bases else error


@lru_cache
def _passing_class(error: Any, bases: tuple[type, ...]) -> Any:
    def reduce(self: HalfopenError) -> Any:
        # A copy or a pickle is the plain error, since this class exists in this process alone.
        return restored, (error, self.args, vars(self))

    members = {"__doc__": error.__doc__, "__module__": error.__module__, "__reduce__": reduce}
    return type(error.__name__, (error, *bases), members)
