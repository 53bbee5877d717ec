"""The guide for contributors names files that exist."""

import re

from code_blocks import ROOT

PAGE = ROOT / "CONTRIBUTING.md"
# A path has a slash or an extension, and no spaces.
PATH = re.compile(r"`([\w.-]*/[\w./-]*|\w+\.[a-z]+)`")


def test_every_path_exists() -> None:
    missing: list[str] = []
    for line in PAGE.read_text().splitlines():
        # In the table of the tree, paths are relative to the folder that the row begins with.
        row = re.match(r"\| `([\w-]+/)` \|", line)
        folders = (ROOT, ROOT / row[1]) if row else (ROOT,)
        missing += [path for path in PATH.findall(line) if not any((folder / path).exists() for folder in folders)]
    assert missing == []
