"""Where the demo stands, and how fast the tests run it."""

from pathlib import Path

DEMO = Path(__file__).parents[2] / "docs" / "demo"
WAIT_SECONDS = 1.5
DEADLINE_SECONDS = 0.8
