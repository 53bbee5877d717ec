"""The page about orchestration lists the items of streams as the code knows them."""

import ast
import re
from inspect import getsource
from typing import Any

import pytest

from code_blocks import ROOT
from halfopen import _answer_items
from halfopen._answer_items import facts_of

PAGE = (ROOT / "docs" / "orchestration.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in PAGE.split("### Known items", 1)[1].split("\n## ", 1)[0].splitlines()
    if line.startswith("| ")
][2:]
ITEMS = [
    (meaning, item)
    for meaning, *cells in ROWS
    for cell in cells
    for item in re.findall("`([^`]+)`", cell)
    if not item.endswith("…")
]


def made(item: str) -> dict[str, Any]:
    """The item with these members, as parsed JSON."""
    whole: dict[str, Any] = {}
    for member in item.split():
        path, _, value = member.partition("=")
        *outer, last = path.split(".")
        inside = whole
        for name in outer:
            inner: Any = inside.setdefault(name.removesuffix("[]"), [{}] if name.endswith("[]") else {})
            inside = inner[0] if isinstance(inner, list) else inner
        inside[last] = value or "some"
    return whole


def meaning_of(item: dict[str, Any]) -> str:
    facts = facts_of(item)
    if facts.error is not None:
        return "error"
    if facts.is_tool_call:
        return "tool call"
    return "content" if facts.is_content else "end" if facts.is_end else "nothing yet"


@pytest.mark.parametrize(("meaning", "item"), ITEMS)
def test_each_item_of_the_page_means_this(meaning: str, item: str) -> None:
    assert meaning_of(made(item)) == meaning


def test_the_page_has_each_name_that_the_code_looks_for() -> None:
    texts = {node.value for node in ast.walk(ast.parse(getsource(_answer_items))) if isinstance(node, ast.Constant)}
    # The others are docstrings and types.
    names = {text for text in texts if isinstance(text, str) and re.fullmatch(r"[\w.]+", text)}
    assert {"finish_reason", "message_stop", "response.done"} < names
    page = " ".join(item for _, item in ITEMS)
    assert sorted(name for name in names if name not in page) == []
