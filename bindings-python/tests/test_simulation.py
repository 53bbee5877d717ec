"""``halfopen.simulation``, ``halfopen.recording`` and their commands: ``python -m halfopen``."""

import json
import re
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, InvalidValueError, ManualClock
from halfopen.__main__ import main
from halfopen.recording import Recorder
from halfopen.simulation import Report, replay, simulate


def scenario(**changes: Any) -> dict[str, Any]:
    return {
        "seed": 11,
        "seconds": 120,
        "clients": {"per_second": 30, "timeout_seconds": 2},
        "providers": [
            {"name": "gemini", "latency": {"kind": "log_normal", "median_seconds": 0.2, "sigma": 0.4}},
            {"name": "openai", "latency": {"kind": "fixed", "seconds": 0.5}},
        ],
        "faults": [{"provider": "gemini", "from_seconds": 30, "to_seconds": 60, "effect": {"kind": "down"}}],
        **changes,
    }


CONFIG = CircuitBreakerConfig(failure_threshold=5, timeout_seconds=5)


def test_a_breaker_spares_a_broken_provider() -> None:
    without, guarded = simulate(scenario()), simulate(scenario(), CONFIG)
    assert guarded["requests"] == without["requests"] == guarded["answered"] + guarded["failed"] + guarded["refused"]
    assert guarded["score"]["wasted_calls"] * 20 < without["score"]["wasted_calls"]
    assert guarded["transitions"][0]["cause"] == "consecutive_failures"
    assert guarded["transitions"][-1]["to_state"] == "closed"
    assert without["transitions"] == []


def test_the_same_scenario_gives_the_same_report() -> None:
    assert simulate(scenario(), CONFIG) == simulate(scenario(), CONFIG)
    assert simulate(scenario(seed=12), CONFIG) != simulate(scenario(), CONFIG)


SIMULATOR = Path(__file__).parents[2] / "docs/simulator"
CASES: list[dict[str, Any]] = json.loads((SIMULATOR / "scenarios.json").read_text("utf-8"))
EXPECTED: dict[str, dict[str, Any]] = json.loads((SIMULATOR / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_scenarios_of_the_page_give_the_reports_of_rust(case: dict[str, Any]) -> None:
    expected = EXPECTED[case["id"]]
    assert set(expected) == {"none", "a", *(["b"] if case["b"] else [])}
    for name, report_of_rust in expected.items():
        config = CircuitBreakerConfig(**case[name]) if name in case else None
        report = simulate(
            case["scenario"], config, failover=case["failover"], count_rate_limits=case["count_rate_limits"]
        )
        assert digest(report) == report_of_rust


def digest(report: Report) -> dict[str, Any]:
    """The report with its series as weighted sums, as in ``tests/rust/src/simulations.rs``."""
    ends: Sequence[Literal["answered", "failed", "refused", "not_closed"]]
    ends = ("answered", "failed", "refused", "not_closed")
    latencies = 0.0
    for point in report["series"]:
        # Not `sum`, which rounds only once.
        latencies += point["latency_seconds"]
    return {
        **report,
        "series": [sum((at + 1) * point[end] for at, point in enumerate(report["series"])) for end in ends],
        "latencies": latencies,
    }


def test_failover_answers_every_request() -> None:
    assert simulate(scenario(), CONFIG, failover="priority_list")["score"]["failed_requests"] == 0


def test_rate_limits_count_only_if_asked() -> None:
    effect = {"kind": "rate_limited", "share": 1, "retry_after_seconds": 20}
    limited = scenario(faults=[{"provider": "gemini", "from_seconds": 30, "to_seconds": 60, "effect": effect}])
    assert simulate(limited, CONFIG)["transition_count"] == 0
    assert simulate(limited, CONFIG, count_rate_limits=True)["transition_count"] > 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seconds": 0}, "seconds"),
        ({"workers": 65}, "workers"),
        ({"clients": {"per_second": 1e9}}, "clients.per_second"),
        (
            {"faults": [{"provider": "x", "from_seconds": 0, "to_seconds": 1, "effect": {"kind": "down"}}]},
            "faults[0].provider",
        ),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_place(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        simulate(scenario(**changes))
    assert refused.value.field == field


def fail() -> None:
    raise ConnectionError


@pytest.fixture
def recorded() -> tuple[Recorder, CircuitBreaker]:
    """The recording of an outage by a breaker with a threshold of 2, and that breaker."""
    recorder = Recorder()
    breaker = CircuitBreaker("gemini", failure_threshold=2, timeout_seconds=3_600)
    recorder.record(breaker)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            breaker.call_sync(fail)
    for _ in range(3):
        with pytest.raises(CircuitBreakerOpenError):
            breaker.call_sync(str)
    return recorder, breaker


def test_a_recorded_log_reproduces_the_transitions(recorded: tuple[Recorder, CircuitBreaker]) -> None:
    recorder, breaker = recorded
    best, worst = replay(recorder.records(), breaker.config)
    assert best == worst
    assert (best["first_difference"], best["admitted"], best["still_rejected"]) == (None, 2, 3)
    assert [it["cause"] for it in best["transitions"]] == [event.cause for event in breaker.events()]


def test_unknown_outcomes_are_bounded_from_both_sides(recorded: tuple[Recorder, CircuitBreaker]) -> None:
    recorder, _ = recorded
    best, worst = replay(recorder.records(), CircuitBreakerConfig(failure_threshold=4))
    assert (best["unknown"], best["transitions"]) == (3, [])
    assert best["first_difference"] == 2
    assert worst["unknown"] in {2, 3}
    assert [it["cause"] for it in worst["transitions"]] == ["consecutive_failures"]


def test_the_recorder_keeps_no_texts_and_no_more_than_its_bound() -> None:
    recorder = Recorder(3)
    clock = ManualClock()
    breaker = CircuitBreaker("gemini", clock=clock)
    recorder.record(breaker)
    for _ in range(5):
        breaker.call_sync(str.upper, "a secret")
    assert len(recorder) == 3
    assert {name for record in recorder.records() for name in record} == {
        "at_seconds",
        "circuit",
        "duration_seconds",
        "outcome",
    }
    assert "secret" not in json.dumps(list(recorder.records()))


def test_a_recorded_call_takes_about_130_bytes() -> None:
    recorder = Recorder(10_000)
    breaker = CircuitBreaker("gemini")
    recorder.record(breaker)
    breaker.call_sync(str.upper, "hello")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(10_000):
            breaker.call_sync(str.upper, "hello")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 115 < (after - before) / 10_000 < 145


def test_a_call_that_cannot_be_recorded_is_refused() -> None:
    recorder = Recorder()
    with pytest.raises(InvalidValueError):
        recorder.record(CircuitBreaker("gemini", record_durations=False))
    breaker = CircuitBreaker("gemini")
    recorder.record(breaker)
    with pytest.raises(InvalidValueError):
        recorder.record(breaker)
    for bound in (0, True, 2.5):
        with pytest.raises(InvalidValueError):
            Recorder(bound)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["{}", '{"at_seconds": -1, "circuit": "a", "outcome": "success"}'])
def test_a_wrong_line_is_named(line: str) -> None:
    good = '{"at_seconds": 1, "circuit": "a", "outcome": "success"}'
    with pytest.raises(InvalidValueError) as refused:
        replay(f"{good}\n{line}", CONFIG)
    assert refused.value.field == "log[2]"


# ---- the commands

SCENARIO = """
question = "Will it open?"
seconds = 60
clients = { per_second = 20 }
providers = [{ name = "gemini", latency = { kind = "fixed", seconds = 0.1 } }]
faults = [{ provider = "gemini", from_seconds = 20, to_seconds = 40, effect = { kind = "down" } }]
"""


def test_simulate_compares_configurations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("s", SCENARIO), ("a", "failure_threshold = 5"), ("b", "failure_threshold = 50")):
        (tmp_path / f"{name}.toml").write_text(text)
    command = ["simulate", f"{tmp_path}/s.toml", "--a", f"{tmp_path}/a.toml", "--b", f"{tmp_path}/b.toml"]
    assert main(command) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Will it open?"
    assert printed[2].split() == ["none", "A", "B"]
    rows = {line[:40].strip(): line[40:].split() for line in printed[3:15]}
    assert len(set(rows["requests"])) == 1
    none, a, b = (int(cell.replace(",", "")) for cell in rows["calls wasted on a broken provider"])
    assert a < b < none
    assert "A:" in printed


def test_replay_reads_json_lines_and_csv(
    tmp_path: Path, recorded: tuple[Recorder, CircuitBreaker], capsys: pytest.CaptureFixture[str]
) -> None:
    recorder, _ = recorded
    assert recorder.write(tmp_path / "log.jsonl") == 5
    records = list(recorder.records())
    rows = [",".join(records[0]), *(",".join(map(str, record.values())) for record in records)]
    # Excel writes a byte order mark.
    (tmp_path / "log.csv").write_text("\n".join(rows), "utf-8-sig")
    (tmp_path / "a.toml").write_text("failure_threshold = 2\ntimeout_seconds = 3600")
    (tmp_path / "b.toml").write_text("failure_threshold = 4")
    printed: list[str] = []
    for log in ("log.jsonl", "log.csv"):
        command = ["replay", f"{tmp_path}/{log}", "--in-force", f"{tmp_path}/a.toml", "--a", f"{tmp_path}/a.toml"]
        assert main([*command, "--b", f"{tmp_path}/b.toml"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert printed[0].startswith("The configuration in force reproduces every recorded decision.\n")
    assert "B, best" in printed[0]
    assert "B, worst" in printed[0]


def test_replay_reads_spans(capsys: pytest.CaptureFixture[str]) -> None:
    examples = SIMULATOR.parent / "examples"
    tables: list[list[str]] = []
    for log in ("incident.csv", "incident-spans.jsonl"):
        command = ["replay", f"{examples}/{log}", "--in-force", f"{examples}/streak.toml"]
        assert main([*command, "--a", f"{examples}/eager.toml"]) == 0
        # Below the table are the transitions, whose times are those of a wall clock for spans.
        tables.append(capsys.readouterr().out.splitlines()[:10])
    assert tables[0] == tables[1]
    assert tables[0][0] == "The configuration in force reproduces every recorded decision."
    assert tables[0][-1].startswith("changes of state")
    spans = ["replay", f"{examples}/incident-spans.jsonl", "--a", f"{examples}/eager.toml"]
    assert main([*spans, "--circuit", "peer.service"]) == 2
    assert "allowed is spans with the attribute peer.service" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["failure_threshold = 0", "colour = 1", "= ="])
def test_bad_input_is_named_and_ends_with_2(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text(SCENARIO)
    (tmp_path / "a.toml").write_text(text)
    assert main(["simulate", f"{tmp_path}/s.toml", "--a", f"{tmp_path}/a.toml"]) == 2
    assert main(["simulate", f"{tmp_path}/none.toml", "--a", f"{tmp_path}/a.toml"]) == 2
    assert capsys.readouterr().err.count("python -m halfopen: ") == 2


def test_a_file_without_text_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text("failure_threshold = 2")
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    for command in (
        ["replay", f"{tmp_path}/picture", "--a", f"{tmp_path}/a.toml"],
        ["simulate", f"{tmp_path}/picture", "--a", f"{tmp_path}/a.toml"],
        ["explain", f"{tmp_path}/picture"],
    ):
        assert main(command) == 2
        assert re.match(
            r"python -m halfopen: file = '?.*picture'? is refused: allowed is text in UTF-8", capsys.readouterr().err
        )
