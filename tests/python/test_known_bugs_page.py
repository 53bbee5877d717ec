"""Every vector and test that docs/known-bugs.md names exists."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "known-bugs.md").read_text()
CODE = {
    file: file.read_text()
    for folder in ("core/src", "core/tests", "bindings-python/tests", "tests/e2e", "tests/js")
    for file in (ROOT / folder).rglob("*")
    if file.suffix in {".rs", ".py", ".mjs"} and "node_modules" not in file.parts
}
SHOWN_BY = [line.split(" | ")[-1] for line in PAGE.splitlines() if line.startswith("| ") and " | " in line]


def names_matching(pattern: str) -> set[str]:
    return {name for shown in SHOWN_BY for name in re.findall(pattern, shown)}


def test_every_row_names_a_vector_or_a_test() -> None:
    rows = [shown for shown in SHOWN_BY if shown not in {"shown by |", "--- |"}]
    assert len(rows) > 40
    assert [shown for shown in rows if not re.search(r'`[\w/-]+`|"[^"]+"', shown)] == []


def test_every_vector_exists() -> None:
    files = (ROOT / "tests" / "vectors").rglob("*.json")
    ids = {vector["id"] for file in files for vector in json.loads(file.read_text())}
    assert names_matching(r"`([a-z-]+/[\w-]+)`") <= ids


@pytest.mark.parametrize("name", sorted(names_matching(r"`(\w+_\w+)`")))
def test_every_test_exists(name: str) -> None:
    assert any(re.search(rf"\b(def|fn) {name}\(", text) for text in CODE.values())


@pytest.mark.parametrize("name", sorted(names_matching(r'"([^"]+)"')))
def test_every_test_in_javascript_exists(name: str) -> None:
    assert any(f"test('{name}'" in text for text in CODE.values())
