"""One running demo for all tests: three provider processes and the backend, spoken to over HTTP only."""

import sys
from collections.abc import Iterator

import pytest

from stage import DEADLINE_SECONDS, DEMO, WAIT_SECONDS

sys.path.insert(0, str(DEMO))

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.processes import demo
from halfopen_demo.witness import Witness


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
