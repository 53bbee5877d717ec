"""How each language spells names, values and text."""

import json
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from core_lists import Field

WIDTH = 120


@dataclass(frozen=True)
class Language:
    """A language's ways to write what the lists contain."""

    name: Callable[[str], str]
    """Spells a name of the documentation."""
    literal: Callable[[Any], str]
    """Writes a value."""
    code: str
    """The marks around code in a text."""
    none: str
    """The spelling of `none` in a text."""
    window: str
    """A window: its kind is group 1 and its size is group 2."""
    types: dict[str, str]
    """The type for each kind of field, where it has another name."""
    optional: str
    """The type of a field that can be none."""

    def text(self, text: str, fields: Iterable[Field]) -> str:
        """A text of the core with the names of fields, windows and `none` as this language writes them."""
        names = "|".join(field.name for field in fields)
        # A name of one word may be a word of the text.
        text = re.sub(rf"\b(?=\w+_)({names})\b", lambda found: f"{self.code}{self.name(found[0])}{self.code}", text)
        text = re.sub(r"\bnone\b", self.none, text)
        return re.sub(r'{"(\w+)": (.+?)}', f"{self.code}{self.window}{self.code}", text)

    def code_in(self, text: str) -> str:
        """A text in which names stand between backticks."""
        return re.sub("`(.+?)`", lambda found: f"`{self.name(found[1])}`", text)

    def type(self, field: Field) -> str:
        """A field's type."""
        kind = self.types.get(field.kind, field.kind)
        return self.optional.format(kind) if field.nullable else kind

    def default(self, field: Field) -> str:
        """A field's default, for a text."""
        if field.default is None:
            return self.none
        if field.kind == "window":
            return self.text(json.dumps(field.default), [field])
        literal = self.literal(field.default)
        return f"{self.code}{literal}{self.code}" if field.kind == "string" else literal

    def sentences(self, field: Field, fields: Iterable[Field]) -> list[str]:
        """The meaning of a field, its allowed values and its default."""
        allowed = f"Allowed: {self.text(field.allowed, fields)}."
        return [f"{self.text(field.meaning, fields)}.", allowed, f"Default: {self.default(field)}."]


def camel(name: str) -> str:
    """`timeoutSeconds`."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def pascal(name: str) -> str:
    """`TimeoutSeconds`."""
    return name.title().replace("_", "")


def without_unit(name: str) -> str:
    """`timeout`, where a type says the unit."""
    return name.removesuffix("_seconds")


def kebab(name: str) -> str:
    """`timeout-seconds`."""
    return name.replace("_", "-")


def javascript(value: Any) -> str:
    """A value as Biome formats it."""
    if isinstance(value, str):
        return f"'{value}'"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else json.dumps(value)


def python(value: Any) -> str:
    """A value as Ruff formats it."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def integers(name: str) -> dict[str, str]:
    """One type for all integers."""
    return dict.fromkeys(("u8", "u16", "u64"), name)


PYTHON_TYPES = {"string": "str", "number": "float", "boolean": "bool", "window": "Window"} | integers("int")
TYPESCRIPT_TYPES = {"window": "Window"} | integers("number")
WIT_TYPES = {"number": "f64", "boolean": "bool", "u8": "u32", "u16": "u32"}
RUST_TYPES = {"string": "&str", "number": "f64", "boolean": "bool", "window": "WindowShape"}

PYTHON = Language(str, python, "``", "``None``", r'{"\1": \2}', PYTHON_TYPES, "{} | None")
PYTHON_PAGE = replace(PYTHON, code="`", none="`None`")
TYPESCRIPT = Language(camel, javascript, "`", "null", r"{ \1: \2 }", TYPESCRIPT_TYPES, "{} | null")
WIT = Language(kebab, lambda value: javascript(value).replace("'", ""), "`", "none", r"\1(\2)", WIT_TYPES, "{}")
RUST = Language(without_unit, json.dumps, "`", "`None`", r"\1(\2)", RUST_TYPES, "impl Into<Option<{}>>")
TEXT = replace(PYTHON, literal=json.dumps, code="`", none="none")


def wrapped(text: str, prefix: str, indent: int) -> list[str]:
    """The text in lines that begin with `prefix`, for a region that is indented by this width."""
    width = WIDTH - indent
    return textwrap.wrap(text, width, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False)
