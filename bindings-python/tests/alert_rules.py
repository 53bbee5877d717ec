"""Evaluates alert rules on scrapes, by Prometheus' ``promtool``."""

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).with_name("backend") / "alerts.yml"
INTERVAL = 15
"""Seconds between two scrapes."""

Labels = Mapping[str, str]
Series = dict[str, float]
"""The samples of one scrape, by selector."""


def promtool(*arguments: str, stdin: str | None = None) -> str:
    """Runs promtool; returns what it printed."""
    run = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def samples(exposition: str, wanted: Callable[[Labels], bool]) -> Series:
    """The samples of the breakers' metrics whose labels are wanted."""
    return {
        _selector(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name.startswith("circuit_breaker") and not sample.name.endswith("_created") and wanted(sample.labels)
    }


def check_alerts(folder: Path, scrapes: Sequence[Series], alert: str, firing: Mapping[str, Iterable[Labels]]) -> None:
    """Checks with which labels the alert fires at each moment of ``firing``, given one scrape for each interval."""
    shutil.copy(RULES, folder)
    lines = ["rule_files: [alerts.yml]", "tests:", f"  - interval: {INTERVAL}s", "    input_series:"]
    for series, values in _values(scrapes).items():
        lines += [f"      - series: '{series}'", f"        values: '{values}'"]
    lines.append("    alert_rule_test:")
    for moment, alerts in firing.items():
        expected = [json.dumps({"exp_labels": dict(labels)}) for labels in alerts]
        lines += [f"      - eval_time: {moment}", f"        alertname: {alert}"]
        lines += [f"        exp_alerts: [{', '.join(expected)}]"]
    (folder / "test.yml").write_text("\n".join(lines))
    promtool("test", "rules", str(folder / "test.yml"))


def _selector(name: str, labels: Labels) -> str:
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def _values(scrapes: Sequence[Series]) -> dict[str, str]:
    """Each series in the format of promtool, which writes ``_`` for a missing sample."""
    values: dict[str, list[str]] = defaultdict(list)
    for number, scrape in enumerate(scrapes):
        for series, value in scrape.items():
            values[series] += ["_"] * (number - len(values[series])) + [f"{value:g}"]
    return {series: " ".join(column) for series, column in values.items()}
