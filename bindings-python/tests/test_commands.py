"""``python -m halfopen explain``, ``doctor`` and ``demo``."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from halfopen.__main__ import main
from halfopen._commands import _findings
from real_servers import free_port

TIMEOUT_SECONDS = 60

Doctor = Callable[..., subprocess.CompletedProcess[str]]


def run(
    *arguments: str, folder: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "halfopen", *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.toml", 'name = "gemini"\nfailure_threshold = 3\ntimeout_seconds = 30'),
        ("config.json", '{"name": "gemini", "failure_threshold": 3, "timeout_seconds": 30}'),
    ],
)
def test_explain_says_how_a_circuit_behaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["explain", str(tmp_path / name)]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "gemini:",
        "- The circuit opens after 3 failures in a row.",
        "- It then rejects calls for 30 s, every time it opens. A provider that asks for a longer wait gets it, up to"
        " 3600 s.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("config.toml", "failure_threshold = 0", "failure_threshold"),
        ("config.toml", "no toml", "Expected"),
        ("config.json", "{", "a JSON document"),
        ("config.json", '["failure_threshold"]', "config"),
    ],
)
def test_explain_refuses_what_is_no_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, error: str
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["explain", str(tmp_path / name)]) == 2
    assert error in capsys.readouterr().err


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """Writes a program to a file and runs the doctor on it."""

    def examine(
        program: str, *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program.py").write_text(program)
        return run("doctor", "program", *arguments, folder=tmp_path, environment=environment)

    return examine


def codes(examined: subprocess.CompletedProcess[str]) -> list[str]:
    assert examined.stderr == ""
    assert examined.returncode == (1 if "Why:" in examined.stdout else 0)
    return re.findall(r"^\d+\. (\w+):", examined.stdout, re.MULTILINE)


GOOD = """
import httpx2, openai, requests
from fastapi import FastAPI

from halfopen import CircuitBreaker
from halfopen.fastapi import install
from halfopen.httpx import guarded_async_transport
from halfopen.prometheus import register

breaker = CircuitBreaker("openai", call_timeout_seconds=20)
http = httpx2.AsyncClient(transport=guarded_async_transport(httpx2.AsyncHTTPTransport(), breaker))
clients = [openai.AsyncOpenAI(api_key="x", max_retries=0, timeout=10, http_client=http)]
session = requests.Session()
app = FastAPI()
install(app, viewer=lambda: None)
register()
"""
OTHER_SDKS = """
import anthropic
from google import genai
from google.genai.types import HttpOptions

clients += [
    anthropic.Anthropic(api_key="x", max_retries=0, timeout=10),
    genai.Client(api_key="x", http_options=HttpOptions(timeout=10_000)),
]
"""
PLAIN = """
from halfopen import CircuitBreaker
from halfopen.prometheus import register
breaker = CircuitBreaker("openai", call_timeout_seconds=20)
register()
"""


def test_the_doctor_finds_nothing_in_a_good_program(doctor: Doctor) -> None:
    examined = doctor(GOOD + OTHER_SDKS)
    assert codes(examined) == []
    assert examined.stdout == "0 findings in 1 breaker and 4 clients.\n"


FINDINGS = {
    "SDK_RETRIES of openai": GOOD.replace("max_retries=0, ", ""),
    "SDK_RETRIES of anthropic": GOOD + OTHER_SDKS.replace("max_retries=0, ", ""),
    "SDK_RETRIES of google-genai": GOOD + OTHER_SDKS.replace("10_000", "10_000, retry_options={'attempts': 3}"),
    "SDK_RETRIES of httpx": GOOD + "client = httpx2.Client(transport=httpx2.HTTPTransport(retries=2), timeout=5)\n",
    "SDK_RETRIES of requests": GOOD + "session.mount('https://', requests.adapters.HTTPAdapter(max_retries=2))\n",
    "NO_DEADLINE": GOOD.replace("timeout=10, ", "").replace(", call_timeout_seconds=20", ""),
    "TIMEOUT_ABOVE_DEADLINE": GOOD.replace("timeout=10,", "timeout=30,"),
    "SEVERAL_FAILURE_DOMAINS": GOOD
    + "also = openai.AsyncOpenAI(api_key='x', max_retries=0, timeout=9, http_client=http, base_url='https://b.example')\n",
    "SAME_NAME": PLAIN + 'again = [CircuitBreaker("openai", call_timeout_seconds=20)]\n',
    "PROBE_TIMEOUT_BELOW_DEADLINE": PLAIN.replace('"openai", call', '"openai", timeout_seconds=5, call'),
    "NEVER_REACHED": PLAIN.replace('"openai", call', '"openai", cancel_failure_after_seconds=20, call'),
    "OPEN_ROUTES": "from fastapi import FastAPI\nfrom halfopen.fastapi import install\napp = FastAPI()\ninstall(app)\n",
}


ORCHESTRATED = """
import openai
from halfopen import CircuitBreakerConfig
from halfopen.orchestration import Orchestrator, Provider
patient = CircuitBreakerConfig(name="patient", probe_timeout_seconds=40)
orchestrator = Orchestrator([Provider("a", breaker=patient), Provider("b")], attempt_timeout_seconds=30)
client = openai.AsyncOpenAI(api_key="x", max_retries=0, timeout=20)
"""


def test_the_doctor_knows_the_deadlines_of_orchestrators(doctor: Doctor) -> None:
    assert codes(doctor(ORCHESTRATED)) == []
    assert codes(doctor(ORCHESTRATED.replace("timeout=20", "timeout=600"))) == ["TIMEOUT_ABOVE_DEADLINE"]
    hasty = ORCHESTRATED.replace("probe_timeout_seconds=40", "probe_timeout_seconds=5")
    assert codes(doctor(hasty)) == ["PROBE_TIMEOUT_BELOW_DEADLINE"]


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_doctor_finds(doctor: Doctor, finding: str) -> None:
    examined = doctor(FINDINGS[finding])
    assert codes(examined) == [finding.partition(" ")[0]], examined.stdout
    assert examined.stdout.count("Write:") == 1


def test_the_doctor_names_the_client_and_what_to_write(doctor: Doctor) -> None:
    printed = doctor("import openai\nfrom halfopen import CircuitBreaker\nclient = openai.OpenAI(api_key='x')\n").stdout
    assert "openai.OpenAI program.client repeats a failed request up to 2 times by itself." in printed
    assert "Write: max_retries=0 in its constructor" in printed


def test_the_doctor_knows_of_worker_processes(doctor: Doctor, tmp_path: Path) -> None:
    assert codes(doctor(PLAIN, "--workers", "4")) == ["METRICS_OF_ONE_WORKER", "PROBES_TOGETHER"]
    assert codes(doctor(PLAIN, environment={"WEB_CONCURRENCY": "4"})) == ["METRICS_OF_ONE_WORKER", "PROBES_TOGETHER"]
    spread = PLAIN.replace("call_timeout", "timeout_jitter=0.2, call_timeout")
    folder = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    assert codes(doctor(spread, "--workers", "4", environment=folder)) == []


def test_the_doctor_finds_a_directory_for_metrics_that_is_missing(doctor: Doctor) -> None:
    without = PLAIN.replace("\nregister()", "\n")
    assert codes(doctor(without, environment={"PROMETHEUS_MULTIPROC_DIR": "/nowhere"})) == ["METRICS_DIRECTORY"]


@pytest.mark.parametrize("module", ["nowhere", "program:nothing", "program:app.deep"])
def test_the_doctor_reports_what_it_cannot_import(doctor: Doctor, module: str) -> None:
    examined = doctor("", module)
    assert examined.returncode == 2
    assert f"{module} cannot be imported" in examined.stderr


def test_the_demo_serves_the_page_and_ends() -> None:
    number = free_port()
    command = [sys.executable, "-m", "halfopen", "demo", "--port", str(number), "--seconds", "4"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + TIMEOUT_SECONDS
    page = b""
    while not page:
        assert time.monotonic() < until
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{number}/", timeout=5) as response:
                page = response.read()
        except OSError:
            time.sleep(0.1)
    output, errors = demo.communicate(timeout=TIMEOUT_SECONDS)
    assert (demo.returncode, errors) == (0, "")
    assert b"<html" in page
    assert "the provider answers" in output
    assert int(re.findall(r"(\d+) calls were answered", output)[0]) > 0


WITHOUT_PAGE = """
import sys
sys.modules["fastapi"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "fastapi" else find(name)
from halfopen._commands import demo
from halfopen.__main__ import main
from halfopen._commands import _findings
demo.find_spec = importlib.util.find_spec
demo.SCHEDULE = (("answers", 0.5), ("closes connections", 60))
demo.CALLS_PER_SECOND = 20
sys.exit(main(["demo", "--seconds", "2"]))
"""


def test_without_fastapi_the_demo_says_so_and_goes_on_in_the_terminal() -> None:
    command = [sys.executable, "-c", WITHOUT_PAGE]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "needs fastapi: pip install 'halfopen[fastapi]' uvicorn" in ran.stdout
    assert "circuit 'demo' of provider 'loopback' is open: consecutive failures reached their threshold" in ran.stdout
    assert re.search(r"3 failed, [1-9]\d* were rejected", ran.stdout), ran.stdout


def test_the_page_lists_all_findings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    source = Path(_findings.__file__ or "").read_text()
    assert sorted(listed) == sorted(re.findall(r'Finding\(\s*"(\w+)"', source))
    assert set(listed) >= {finding.partition(" ")[0] for finding in FINDINGS}
