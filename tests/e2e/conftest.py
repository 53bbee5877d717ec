"""One running demo for all tests: three provider processes and the backend, spoken to over HTTP only."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "docs" / "demo"
sys.path.insert(0, str(DEMO))

from halfopen_demo.clients import PROVIDERS  # noqa: E402
from halfopen_demo.processes import demo  # noqa: E402
from halfopen_demo.witness import Witness  # noqa: E402

WAIT_SECONDS = 1.5
DEADLINE_SECONDS = 0.8


@pytest.fixture(scope="session")
def running_demo() -> Iterator[Witness]:
    with demo(wait_seconds=WAIT_SECONDS, deadline_seconds=DEADLINE_SECONDS) as cast, Witness(cast) as witness:
        yield witness


@pytest.fixture
def witness(running_demo: Witness) -> Witness:
    """The running demo with all providers well and all circuits closed; its counters go on from before."""
    for provider in PROVIDERS:
        running_demo.behave(provider, "healthy")
        running_demo.steer(provider, "auto")
    return running_demo
