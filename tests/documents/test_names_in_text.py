"""The guides name only methods that a breaker has."""

import re
from pathlib import Path

import pytest

from code_blocks import ROOT

INTERFACE = ROOT / "docs" / "interface.md"
# The first code column of a row is Rust's; then come Python, and Node with the browser.
COLUMN = {"python": 2, "js": 3}
# These pages also name methods of the component and of `halfopen.compat`.
OTHERS = ("interface.md", "migrating.md")
PAGES = [
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in OTHERS),
    *sorted((ROOT / "docs" / "guide").glob("*.md")),
    ROOT / "bindings-python" / "README.md",
    ROOT / "bindings-node" / "README.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_of_a_breaker_exists(page: Path) -> None:
    text = page.read_text()
    languages = [language for language in COLUMN if f"```{language}\n" in text] or list(COLUMN)
    known = {name for language in languages for name in names(language)}
    unknown = [name for name in named(text) if name not in known]
    assert unknown == []


def names(language: str) -> set[str]:
    """The members of `CircuitBreaker` in this language."""
    rows = [line.split("|") for line in INTERFACE.read_text().splitlines() if line.startswith("| ")]
    cells = " ".join(row[COLUMN[language]] for row in rows if len(row) > COLUMN[language])
    return set(re.findall(r"`CircuitBreaker\.(\w+)`", cells))


def named(text: str) -> list[str]:
    """The members that the prose calls `breaker.NAME`."""
    # Code blocks run as tests. The first column of a table may hold the names of another library.
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^\| [^|]*\|", "", prose, flags=re.MULTILINE)
    return re.findall(r"`(?:await )?breaker\.([a-zA-Z]\w*)", prose)
