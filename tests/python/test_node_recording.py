"""A log that Node recorded is replayed by Python."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from halfopen import CircuitBreakerConfig
from halfopen.__main__ import main
from halfopen.simulation import replay

HERE = Path(__file__).parent
OUTAGE = HERE / "recorded_outage.mjs"
CONFIG: dict[str, Any] = {
    "failure_threshold": 3,
    "success_threshold": 2,
    "half_open_max_calls": 2,
    "timeout_seconds": 0.05,
}
"""The configuration in the script."""


@pytest.mark.parametrize("build", ["wasm", "native"])
def test_a_log_of_node_reproduces_every_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], build: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFOPEN_BACKEND", build)
    log = tmp_path / "log.jsonl"
    command = ["node", str(OUTAGE), str(log)]
    causes = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    (tmp_path / "config.toml").write_text("\n".join(f"{field} = {value}" for field, value in CONFIG.items()))
    in_force = str(tmp_path / "config.toml")
    assert main(["replay", str(log), "--in-force", in_force, "--a", in_force]) == 0
    assert capsys.readouterr().out.startswith("The configuration in force reproduces every recorded decision.\n")
    best, _ = replay(map(json.loads, log.read_text().splitlines()), CircuitBreakerConfig(**CONFIG))
    assert [transition["cause"] for transition in best["transitions"]] == causes
