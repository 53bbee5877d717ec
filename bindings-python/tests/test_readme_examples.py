"""The README's examples run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
EXAMPLES: list[str] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str) -> None:
    if "async def main()" in example:
        example = f"import asyncio\n{example}\nasyncio.run(main())\n"
    run = subprocess.run([sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == ("HELLO\n" if "print" in example else "")


def test_the_readme_starts_with_a_name_and_fields() -> None:
    assert len(EXAMPLES) >= 4
    assert 'CircuitBreaker("gemini", failure_threshold=3' in EXAMPLES[0]
