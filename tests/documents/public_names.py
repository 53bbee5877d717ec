"""The public names of each package, read from the package itself and not from its documentation.

A name is `item` or `item.member`, where an item is a type, a function or a constant with its module.
"""

import ast
import html
import importlib
import inspect
import pkgutil
import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, get_args

import halfopen

ROOT = Path(__file__).parents[2]
RUSTDOC = ROOT / "target" / "doc" / "halfopen"
DECLARATIONS = ROOT / "bindings-node" / "dist" / "types"
WIT = ROOT / "bindings-wasm" / "component" / "wit"


def rust() -> list[str]:
    """From the pages of rustdoc, which knows what is reachable."""
    document = ["cargo", "doc", "--quiet", "--no-deps", "--package", "halfopen", "--features", "sim"]
    subprocess.run(document, cwd=ROOT, check=True)
    names: list[str] = []
    for page in re.findall(r'<li><a href="([\w/.]+)">', (RUSTDOC / "all.html").read_text()):
        item = re.sub(r"(\w+)\.(\w+)\.html$", r"\2", page).replace("/", "::")
        own = (RUSTDOC / page).read_text().split('id="trait-implementations"')[0]
        members = re.findall(r'id="(?:method|tymethod|structfield|variant)\.(\w+)"', own)
        names += [item, *(f"{item}.{member}" for member in dict.fromkeys(members))]
    return names


def python() -> list[str]:
    """From the imported modules."""
    names: list[str] = []
    top = [value for _, value in exported(halfopen)]
    for module in [halfopen, *(importlib.import_module(name) for name in public_modules(halfopen))]:
        prefix = module.__name__.removeprefix("halfopen").removeprefix(".")
        for name, value in exported(module):
            # An export of the package is not listed again in the module that defines it.
            if module is not halfopen and any(value is exported_value for exported_value in top):
                continue
            item = f"{prefix}.{name}" if prefix else name
            literals: tuple[object, ...] = get_args(value)
            parts = members(value) if inspect.isclass(value) else [str(literal) for literal in literals]
            names += [item, *(f"{item}.{part}" for part in parts if part.isidentifier())]
    return names


def public_modules(package: ModuleType) -> Iterator[str]:
    for module in pkgutil.walk_packages(package.__path__, "halfopen."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            yield module.name


def exported(module: ModuleType) -> list[tuple[str, Any]]:
    """The names in ``__all__``; without it, those that the module itself defines."""
    names = getattr(module, "__all__", None)
    if names is not None:
        return [(name, getattr(module, name)) for name in names]
    source = ast.parse(Path(str(module.__file__)).read_text())
    defined = [node.name for node in source.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assigned = [
        target.id
        for node in ast.walk(source)
        if isinstance(node, ast.Assign) and node in source.body
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    public = [(name, getattr(module, name)) for name in [*defined, *assigned] if not name.startswith("_")]
    return [(name, value) for name, value in public if not isinstance(value, ParamSpec | TypeVar)]


def members(kind: type) -> list[str]:
    """The methods, attributes and fields of a class that this package defines."""
    bases = reversed(kind.__mro__)
    found = [field.name for field in fields(kind)] if is_dataclass(kind) else []
    for base in bases:
        if base.__module__.startswith("halfopen"):
            # A compiled class lists its attributes in another order in each process.
            found += sorted([*vars(base), *inspect.get_annotations(base), *assigned_to_self(base)])
    # A model of pydantic has attributes of its own.
    return [name for name in dict.fromkeys(found) if not name.startswith("_") and not name.startswith("model_c")]


def assigned_to_self(kind: type) -> list[str]:
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return []
    targets = [target for node in ast.walk(source) if isinstance(node, ast.Assign) for target in node.targets]
    return [
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    ]


def javascript() -> list[str]:
    """From the declarations that the compiler has written for the Node package."""
    index = (DECLARATIONS / "index.d.ts").read_text()
    listed = ",".join(re.findall(r"export (?:type )?\{(.*?)\}", index, re.DOTALL))
    for module in re.findall(r"export \* from '\./(\w+)\.js'", index):
        exported = re.findall(
            r"^export declare (?:abstract )?class (\w+)", (DECLARATIONS / f"{module}.d.ts").read_text(), re.MULTILINE
        )
        listed = ",".join([listed, *exported])
    sources = "\n".join(file.read_text() for file in sorted(DECLARATIONS.glob("*.d.ts")))
    names = declared(re.findall(r"\w+", re.sub(r"\btype ", "", listed)), sources)
    recording = (DECLARATIONS.parent / "recording.d.ts").read_text()
    items = re.findall(r"^export (?:declare class|interface) (\w+)", recording, re.MULTILINE)
    return [*names, *(f"recording.{name}" for name in declared(items, recording))]


def declared(items: list[str], sources: str) -> list[str]:
    """The items, each with its members."""
    names: list[str] = []
    for item in items:
        body = re.search(rf"(?:class|interface) {item}\b[^\n]*\{{\n(.*?)^\}}", sources, re.DOTALL | re.MULTILINE)
        union = re.search(rf"type {item} = (.*?);", sources)
        member = r"^    (?:readonly |get |set |abstract |static |override )*(\w+) ?[?(<:=]"
        found = re.findall(member, body[1], re.MULTILINE) if body else []
        found += re.findall(r"'(\w+)'", union[1]) if union else []
        names += [item, *(f"{item}.{part}" for part in dict.fromkeys(found))]
    return names


def component() -> list[str]:
    """From the WIT text."""
    names: list[str] = []
    for file in ("circuit.wit", "types.wit"):
        item = ""
        for line in (WIT / file).read_text().splitlines():
            if found := re.match(r"  (?:resource|record|enum|variant) ([\w-]+) \{$", line):
                item = found[1]
                names.append(item)
            elif found := re.match(r"  ([\w-]+): func", line):
                names.append(found[1])
            elif item and (found := re.match(r"    ([\w-]+)(?::|\(|,)", line)):
                names.append(f"{item}.{found[1]}")
    return names


def snake(name: str) -> str:
    """A name of any language as the documentation spells it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", html.unescape(name)).replace("-", "_").lower()
