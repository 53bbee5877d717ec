"""Writes the core's lists into the bindings and the docs, between lines such as these, with any indentation:

    # from make generate: python states; do not edit
    # end

With `--check` it writes nothing and fails if a region is out of date.
"""

import re
import subprocess
import sys
from pathlib import Path

from core_lists import ROOT, Lists, read_lists
from regions import REGIONS

REGION = re.compile(r"^( *)(\S.*)from make generate: (.+); do not edit(.*)\n(?s:.*?)^ *\2end\4\n", re.MULTILINE)


def main() -> None:
    lists = read_lists()
    seen: set[str] = set()
    stale: list[str] = []
    for path in files():
        text = path.read_text()
        updated = REGION.sub(lambda region: filled(region, lists, seen), text)
        if updated != text:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(updated)
    if missing := sorted(REGIONS.keys() - seen):
        sys.exit(f"no file has these regions: {', '.join(missing)}")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run `make generate`")
    print("\n".join(f"written: {path}" for path in stale) or f"{len(seen)} kinds of generated regions are up to date")


def files() -> list[Path]:
    """The files of the tree that have regions."""
    marked = ["git", "grep", "--files-with-matches", "--untracked", "-I", "from make generate: .*; do not edit"]
    found = subprocess.run(marked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return [ROOT / path for path in found if not path.startswith("tests/lists/")]


def filled(region: re.Match[str], lists: Lists, seen: set[str]) -> str:
    """The region with the current lines."""
    indent, begin, name, rest = region.groups()
    if name not in REGIONS:
        sys.exit(f"there is no region {name!r}; there are: {', '.join(REGIONS)}")
    seen.add(name)
    lines = [f"{indent}{line}".rstrip() for line in REGIONS[name](lists)]
    first, last = f"{begin}from make generate: {name}; do not edit{rest}", f"{begin}end{rest}"
    return "\n".join([indent + first, *lines, indent + last, ""])


main()
