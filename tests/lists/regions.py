"""The generated regions, by name. Each is a list of lines without indentation, for files of one language."""

from collections.abc import Callable

from core_lists import Entry, Lists
from languages import PYTHON, PYTHON_PAGE, RUST, TEXT, TYPESCRIPT, WIDTH, WIT, Language, camel, kebab, pascal, wrapped

COMPAT_FIELDS = ("name", "failure_threshold", "success_threshold", "timeout_seconds", "half_open_max_calls")
"""The fields of the module that `halfopen.compat` replaces; none of them was nullable."""


# Python


def docstring(sentences: list[str]) -> list[str]:
    """In one line if it fits; otherwise, the first sentence is the summary."""
    if len(line := '"""' + " ".join(sentences) + '"""') + 4 <= WIDTH:
        return [line]
    return ['"""' + sentences[0], "", *wrapped(" ".join(sentences[1:]), "", 4), '"""', ""]


def python_fields(lists: Lists, sentences: int) -> list[str]:
    """Annotations with docstrings of this many sentences."""
    lines: list[str] = []
    for field in lists.fields:
        lines.append(f"{field.name}: {PYTHON.type(field)}")
        lines += docstring(PYTHON.sentences(field, lists.fields)[:sentences])
    return lines


OF_POOLS = ("role", "pass_reason", "strategy", "on_exhausted")
"""The enumerations of pools, which JavaScript does not have."""


def python_parameters(lists: Lists) -> list[str]:
    # A type checker takes no dictionary for the default of a `TypedDict`.
    default = {field.name: "..." if field.kind == "window" else PYTHON.literal(field.default) for field in lists.fields}
    return [f"{field.name}: {PYTHON.type(field)} = {default[field.name]}," for field in lists.fields]


def python_literals(lists: Lists) -> list[str]:
    lines: list[str] = []
    for enum in lists.enums.values():
        quoted = [f'"{value}"' for value in enum.values]
        one = f"{pascal(enum.name)} = Literal[{', '.join(quoted)}]"
        broken = [one[: one.index("[") + 1], *(f"    {value}," for value in quoted), "]"]
        lines += [one] if len(one) <= WIDTH else broken
    return lines


def python_entries(entries: list[Entry]) -> list[str]:
    kinds = {"count": "int", "number": "float", "optional": "float | None"}
    return [f"{entry.name}: {kinds.get(entry.kind, pascal(entry.kind))}" for entry in entries]


def python_states(lists: Lists) -> list[str]:
    return [f'{value.upper()} = "{value}"' for value in lists.enums["state"].values]


def python_model(lists: Lists) -> list[str]:
    """The pydantic model of `halfopen.compat`, with the least value of each number for its schema."""
    lines: list[str] = []
    for field in (field for field in lists.fields if field.name in COMPAT_FIELDS):
        default = PYTHON.literal(field.default)
        least = "".join(f", {key}={limit}" for key, limit in field.limits.items() if "inimum" in key)
        kind = PYTHON.type(field).removesuffix(" | None")
        lines.append(f'{field.name}: Annotated[{kind}, InRange("{field.name}"{least})] = {default}')
    return lines


# JavaScript


def typescript_comment(text: str) -> list[str]:
    """The comment of a property."""
    one = f"/** {text} */"
    return [one] if len(one) + 2 <= WIDTH else ["/**", *wrapped(text, " * ", 2), " */"]


def typescript_fields(lists: Lists) -> list[str]:
    lines: list[str] = []
    for field in lists.fields:
        lines += typescript_comment(" ".join(TYPESCRIPT.sentences(field, lists.fields)))
        lines.append(f"readonly {camel(field.name)}?: {TYPESCRIPT.type(field)} | undefined;")
    return lines


def typescript_names(lists: Lists) -> list[str]:
    """Without the name, to which a breaker has a getter."""
    return [f"'{camel(field.name)}'," for field in lists.fields if field.name != "name"]


def typescript_entries(entries: list[Entry]) -> list[str]:
    kinds = {"count": "number", "number": "number", "optional": "number | null"}
    kinds["buckets"] = "readonly { readonly upToSeconds: number; readonly count: number }[]"
    lines: list[str] = []
    for entry in entries:
        lines += typescript_comment(TYPESCRIPT.code_in(entry.meaning.replace("none", TYPESCRIPT.none)))
        lines.append(f"readonly {camel(entry.name)}: {kinds.get(entry.kind, pascal(entry.kind))};")
    return lines


def typescript_enums(lists: Lists) -> list[str]:
    lines: list[str] = []
    for enum in (enum for enum in lists.enums.values() if enum.name not in {"scope", *OF_POOLS}):
        kind, quoted = pascal(enum.name), [f"'{value}'" for value in enum.values]
        one = f"export type {kind} = {' | '.join(quoted)};"
        broken = [f"export type {kind} =", *(f"  | {value}" for value in quoted)]
        comment = ["/**", f" * {enum.about}", " *"]
        comment += [f" * - `{value}`: {TYPESCRIPT.code_in(meaning)}" for value, meaning in enum.values.items()]
        lines += ["", *comment, " */", *([one] if len(one) <= WIDTH else [*broken[:-1], broken[-1] + ";"])]
    return lines[1:]


def typescript_codes(lists: Lists) -> list[str]:
    """The values that cross the border as numbers, in the core's order, and two limits."""
    lines: list[str] = []
    for name, about in (("outcome", "The outcomes"), ("reason", "The reasons of a rejection")):
        values = ", ".join(f"'{value}'" for value in lists.enums[name].values)
        lines.append(f"/** {about}, each at the index that is its number. */")
        lines.append(f"export const {name.upper()}S: readonly {name.title()}[] = [{values}];")
    lines += [f"export const {value.upper()} = {at};" for at, value in enumerate(lists.enums["outcome"].values)]
    for name, about, value in (
        ("LATEST_MILLIS", "The largest reading of a clock, in milliseconds.", lists.latest_millis),
        ("EVENTS_KEPT", "How many transitions a breaker keeps.", lists.events_kept),
    ):
        lines += [*typescript_comment(about), f"export const {name} = {TYPESCRIPT.literal(value)};"]
    return lines


# The component


def wit_enums(lists: Lists) -> list[str]:
    lines: list[str] = []
    for enum in (enum for enum in lists.enums.values() if enum.name not in {"error_code", "scope", *OF_POOLS}):
        lines += ["", f"/// {enum.about}", f"enum {kebab(enum.name)} {{"]
        for value, meaning in enum.values.items():
            lines += [f"  /// {WIT.code_in(meaning)}", f"  {kebab(value)},"]
        lines.append("}")
    return lines[1:]


def wit_fields(lists: Lists) -> list[str]:
    lines: list[str] = []
    for field in lists.fields:
        kind, text = WIT.type(field), " ".join(WIT.sentences(field, lists.fields))
        if field.nullable and field.default is not None:
            # An absent option has the default, so these fields have a type with a value `off`.
            kind, text = kebab(field.name), text.replace("none", "`off`")
        lines += [*wrapped(text, "/// ", 4), f"{kebab(field.name)}: option<{kind}>,"]
    return lines


def wit_entries(entries: list[Entry]) -> list[str]:
    kinds = {"count": "u64", "number": "f64", "optional": "option<f64>"}
    lines: list[str] = []
    for entry in entries:
        lines += wrapped(WIT.code_in(entry.meaning), "/// ", 4)
        lines.append(f"{kebab(entry.name)}: {kinds.get(entry.kind, entry.kind)},")
    return lines


# Rust


def rust_setters(lists: Lists) -> list[str]:
    """The methods of the builder. They take a `Duration` for a field in seconds, whose name then needs no unit."""
    lines: list[str] = []
    for field in lists.fields:
        name, kind = RUST.name(field.name), RUST.type(field)
        if name != field.name:
            kind = kind.replace("f64", "Duration")
        setter = "set_optional" if field.nullable else "set"
        lines += ["", *wrapped(" ".join(RUST.sentences(field, lists.fields)), "/// ", 4)]
        lines.append(f'{name}({kind}) {setter} "{field.name}";')
    return lines[1:]


def rust_names(lists: Lists) -> list[str]:
    return [f"{field.name}," for field in lists.fields]


# Documentation


def fields_table(lists: Lists, language: Language) -> list[str]:
    lines = ["| field | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for field in lists.fields:
        allowed, meaning = (language.text(text, lists.fields) for text in (field.allowed, field.meaning))
        lines.append(f"| `{language.name(field.name)}` | {language.default(field)} | {allowed} | {meaning} |")
    return lines


def enums_table(lists: Lists) -> list[str]:
    rows = [
        f"| {enum.name.replace('_', ' ')} | `{value}` | {meaning.removesuffix('.')} |"
        for enum in lists.enums.values()
        if enum.name not in OF_POOLS
        for value, meaning in enum.values.items()
    ]
    return ["| | value | meaning |", "| --- | --- | --- |", *rows]


REGIONS: dict[str, Callable[[Lists], list[str]]] = {
    "python attributes": lambda lists: python_fields(lists, 2),
    "python parameters": python_parameters,
    "python typed dict": lambda lists: python_fields(lists, 3),
    "python literals": python_literals,
    "python status": lambda lists: python_entries(lists.readings["status"]),
    "python counts": lambda lists: python_entries(lists.readings["counts"]),
    "python event": lambda lists: python_entries(lists.readings["event"]),
    "python states": python_states,
    "python model": python_model,
    "typescript fields": typescript_fields,
    "typescript names": typescript_names,
    "typescript status": lambda lists: typescript_entries(lists.readings["status"] + lists.readings["counts"]),
    "typescript event": lambda lists: typescript_entries(lists.readings["event"]),
    "typescript durations": lambda lists: typescript_entries(lists.readings["durations"]),
    "typescript enums": typescript_enums,
    "typescript codes": typescript_codes,
    "wit enums": wit_enums,
    "wit fields": wit_fields,
    "wit counts": lambda lists: wit_entries(lists.readings["counts"]),
    "wit event": lambda lists: wit_entries(lists.readings["event"]),
    "rust setters": rust_setters,
    "rust names": rust_names,
    "fields": lambda lists: fields_table(lists, TEXT),
    "fields in Python": lambda lists: fields_table(lists, PYTHON_PAGE),
    "fields in JavaScript": lambda lists: fields_table(lists, TYPESCRIPT),
    "enumerations": enums_table,
}
