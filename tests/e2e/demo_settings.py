"""The folder of the demo, and the timing that the tests use."""

from pathlib import Path

DEMO = Path(__file__).parents[2] / "docs" / "demo"
WAIT_SECONDS = 1.5
DEADLINE_SECONDS = 0.8
