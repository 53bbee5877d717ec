"""One running demo for all tests: three provider processes and the backend, used over HTTP only."""

import sys
from collections.abc import Iterator

import pytest

from demo_settings import DEADLINE_SECONDS, DEMO, WAIT_SECONDS

sys.path.insert(0, str(DEMO))

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.demo_client import DemoClient
from halfopen_demo.processes import demo


@pytest.fixture(scope="session")
def running_demo() -> Iterator[DemoClient]:
    with (
        demo(wait_seconds=WAIT_SECONDS, deadline_seconds=DEADLINE_SECONDS, slow_start_seconds=0) as demo_processes,
        DemoClient(demo_processes) as client,
    ):
        yield client


@pytest.fixture
def client(running_demo: DemoClient) -> DemoClient:
    """The running demo with all providers healthy and all circuits closed. Its counters are not reset."""
    for provider in PROVIDERS:
        running_demo.set_behaviour(provider, "healthy")
        running_demo.order(provider, "reset")
    return running_demo
