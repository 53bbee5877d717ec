"""Measures the choice among five providers beside litellm's router, and what the orchestrator adds to a call."""

# The peers are installed for the benchmarks only, so type checkers cannot import them.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import os
from functools import partial
from typing import Any

from halfopen import CircuitBreaker
from halfopen._core import Pool
from halfopen.orchestration import Orchestrator, Provider
from halfopen.types import Asked
from harness import measure
from paths import succeed_awaited

# Otherwise litellm asks GitHub for the prices of all models when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

IDS = "abcde"
CHOICE = "choose among 5 providers"
CALL = "orchestrator, one of 5 healthy providers"


async def rows_of_choices() -> list[dict[str, Any]]:
    """Nanoseconds per choice, and per call."""
    rows = await measure(
        CHOICE, False, {f"halfopen {name}": choice(name) for name in ("priority_list", "random")} | peers()
    )
    orchestrator = Orchestrator([Provider(name) for name in IDS])
    return rows + await measure(CALL, True, {"halfopen": partial(orchestrator.call, answer), "bare": succeed_awaited})


async def answer(_: Provider) -> Any:
    """A provider that answers at once."""
    return await succeed_awaited()


def choice(strategy: str) -> partial[Any]:
    """A choice of our pool among live breakers."""
    document = {"strategy": strategy, "providers": [{"id": name} for name in IDS]}
    return partial(Pool(document, [CircuitBreaker(name) for name in IDS]).choose, Asked())


def peers() -> dict[str, partial[Any]]:
    """The router's own choice, by weight, which is its default."""
    parameters = {"model": "openai/gpt-4o", "api_key": "none"}
    models: Any = [{"model_name": "any", "litellm_params": parameters | {"weight": 1}} for _ in IDS]
    router = litellm.Router(model_list=models)
    return {"litellm Router": partial(router.get_available_deployment, model="any")}
