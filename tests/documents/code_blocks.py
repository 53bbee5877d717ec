"""The blocks of code in the documents of this tree.

Comments directly above a block, which a reader of the page does not see, say what the test needs:

    <!-- given: const id = 7; -->        code that runs before the block
    <!-- prints: HELLO -->               what the block prints; without it, nothing
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?P<comments>(?:<!-- \w+: (?s:.*?) -->\n)*)^```(?P<language>\w+)\n(?P<code>(?s:.*?))^```$", re.MULTILINE
)
COMMENT = re.compile(r"<!-- (\w+): (.*?) -->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code with its page."""

    page: str
    number: int
    language: str
    code: str
    """With the code that is given."""
    prints: str

    def __str__(self) -> str:
        return f"{self.page}, block {self.number}"


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, numbered from 1."""
    blocks: list[Block] = []
    for number, found in enumerate(BLOCK.finditer((ROOT / page).read_text()), start=1):
        comments: dict[str, str] = {name: f"{text}\n" for name, text in COMMENT.findall(found["comments"])}
        if unknown := comments.keys() - {"given", "prints"}:
            raise ValueError(f"{page}, block {number}: unknown comments {unknown}")
        code = comments.get("given", "") + found["code"]
        blocks.append(Block(page, number, found["language"], code, comments.get("prints", "")))
    return blocks


def pages() -> list[str]:
    """Every page of the tree."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.split()


BLOCKS = [block for page in pages() for block in blocks_of(page)]


def blocks_in(*languages: str) -> list[Block]:
    """The blocks in these languages, of all pages."""
    return [block for block in BLOCKS if block.language in languages]
