"""Writes docs/interface.md: the public names of all packages, side by side. `make interface` builds what it reads."""

from public_names import ROOT, component, javascript, python, rust, snake

PAGE = ROOT / "docs" / "interface.md"
MARK = "<!-- from make interface; do not edit -->\n"

LANGUAGES = {"Rust": rust, "Python": python, "Node and browser": javascript, "component": component}

# For each language the items that belong to a subject; the first one is the subject's own.
SUBJECTS: dict[str, tuple[list[str], list[str], list[str], list[str]]] = {
    "The breaker": (
        ["CircuitBreaker"],
        ["CircuitBreaker"],
        ["CircuitBreaker", "CallOptions", "HostOptions"],
        ["breaker"],
    ),
    "Permits": (["Permit", "OwnedPermit"], ["Permit"], ["Permit"], ["permit"]),
    "Configuration": (
        ["ConfigBuilder", "Config"],
        ["CircuitBreakerConfig"],
        ["CircuitBreakerConfig", "EffectiveConfig"],
        ["config", "parse-config"],
    ),
    "Windows": (["WindowShape"], ["types.Window"], ["Window"], ["window"]),
    "Status and counters": (
        ["Status", "Counts", "WindowCounts"],
        ["CircuitBreakerStatus", "CircuitBreakerMetrics"],
        ["Status"],
        ["status", "counts", "window-counts"],
    ),
    "Events": (["Event", "Transition"], ["Event"], ["TransitionEvent", "TransitionListener"], ["event"]),
    "Durations": (
        ["Durations", "CallDurations"],
        ["Durations"],
        ["Durations", "DurationsByOutcome"],
        ["durations", "call-durations"],
    ),
    "Registry": (["Registry"], ["Registry"], ["Registry"], ["registry"]),
    "Clocks": (["Clock", "CounterClock", "ManualClock", "SystemClock"], ["ManualClock"], ["Clock", "ManualClock"], []),
    "Rejections": (["Rejected", "CallError"], ["CircuitBreakerOpenError"], ["CircuitBreakerOpenError"], ["rejected"]),
    "Refused values": (["InvalidValue"], ["InvalidValueError"], ["InvalidValueError"], ["invalid-value"]),
    "Errors of a registry": (
        ["RegistryError"],
        ["NameConflictError", "RegistryFullError"],
        ["NameConflictError", "RegistryFullError"],
        ["registry-error", "name-conflict", "registry-full"],
    ),
    "Classification": (
        ["Verdict", "Response", "CooldownHint", "Scope", "status_of_code", "status_of_close_code"],
        ["classify.Verdict", "classify.Scope"],
        [],
        [],
    ),
    "Simulation and replay": (
        ["Report", "Point", "Replay", "Replayed", "ReplayedTransition", "simulate", "replay", "Recorder", "Record"],
        [
            "simulation.Report",
            "simulation.Point",
            "simulation.Replayed",
            "simulation.ReplayedTransition",
            "simulation.simulate",
            "simulation.replay",
            "recording.Recorder",
        ],
        ["recording.RecordedCall", "recording.Recorder"],
        [],
    ),
    "States": (["State"], ["CircuitBreakerState", "types.State"], ["State"], ["state"]),
    "Modes": (["Mode"], ["types.Mode"], ["Mode"], ["mode"]),
    "Outcomes": (["Outcome"], ["types.Outcome"], ["Outcome"], ["outcome"]),
    "Reasons": (["Reason"], ["types.Reason"], ["Reason"], ["reason"]),
    "Causes": (["Cause"], ["types.Cause"], ["Cause"], ["cause"]),
}

SAME = {
    "new": "",
    "create": "",
    "constructor": "",
    "size": "len",
    "last_failure_time": "last_failure",
    "last_failure_seconds": "last_failure",
    "last_success_time": "last_success",
    "last_success_seconds": "last_success",
    "last_state_change": "last_change",
    "last_state_change_time": "last_change",
    "last_state_change_seconds": "last_change",
    "now_seconds": "now",
    "retry_after_seconds": "retry_after",
    "at_seconds": "at",
    "time": "at",
    "from": "from_state",
    "to": "to_state",
    "calls": "window_calls",
    "failed": "window_failed",
    "slow": "window_slow",
    "total": "total_seconds",
    "get_status": "status",
    "full": "registry_full",
    "name": "circuit_name",
}
"""Names in snake_case that mean the same under one subject."""


def tables() -> str:
    """The generated part of the page."""
    names = {language: read() for language, read in LANGUAGES.items()}
    left = {language: list(all_names) for language, all_names in names.items()}
    sections = [section(subject, items, names, left) for subject, items in SUBJECTS.items()]
    rest = [elsewhere(language, left[language]) for language in LANGUAGES]
    return "\n".join([*sections, *rest])


def section(subject: str, items: tuple[list[str], ...], names: dict[str, list[str]], left: dict[str, list[str]]) -> str:
    """One subject: a row for each meaning, a column for each language."""
    rows: dict[str, list[list[str]]] = {}
    for column, language in enumerate(LANGUAGES):
        for name in names[language]:
            item, _, member = name.rpartition(".") if name not in left[language] else split(name, names[language])
            if item.rsplit("::", 1)[-1] not in items[column] or name not in left[language]:
                continue
            left[language].remove(name)
            row = rows.setdefault(meaning(member), [[] for _ in LANGUAGES])
            row[column].append(f"`{name.rsplit('::', 1)[-1]}`")
    lines = [f"| {' | '.join(' '.join(cell) or '-' for cell in row)} |" for row in rows.values()]
    return "\n".join([f"## {subject}", "", *heading(), *lines, ""])


def split(name: str, names: list[str]) -> tuple[str, str, str]:
    """An item and its member; the member of an item itself is empty."""
    item, dot, member = name.rpartition(".")
    return (item, dot, member) if item in names else (name, "", "")


def meaning(member: str) -> str:
    """The key of a row."""
    name = snake(member)
    return SAME.get(name, name)


def heading() -> list[str]:
    return [f"| {' | '.join(LANGUAGES)} |", f"|{' --- |' * len(LANGUAGES)}"]


def elsewhere(language: str, names: list[str]) -> str:
    """The items of a language that belong to no subject, each with its members."""
    items: dict[str, list[str]] = {}
    for name in names:
        item, _, member = split(name, names)
        items.setdefault(item, [])
        if member:
            items[item].append(f"`{member}`")
    lines = [f"| `{item}` | {' '.join(members)} |" for item, members in items.items()]
    return "\n".join([f"## Only in {language}", "", "| item | members |", "| --- | --- |", *lines, ""])


def updated(page: str) -> str:
    """The page with the tables of the packages as they are."""
    return page[: page.index(MARK)] + MARK + "\n" + tables()


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
