"""Runs every block of code in every document."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import run_vectors
import run_verdicts
from code_blocks import BLOCKS, ROOT, Block, blocks_in

TARGET = ROOT / "target" / "documents"
COMPONENT = ROOT / "bindings-wasm" / "dist" / "component"
FOLDERS = {
    ("bindings-wasm/component/README.md", "python"): COMPONENT,
    ("bindings-wasm/component/README.md", "js"): COMPONENT / "js",
}
"""The folders in which the text tells the reader to run a block; elsewhere it does not matter."""


def each(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", blocks_in(*languages), ids=str)


def check_run(block: Block, command: list[str], folder: Path) -> None:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    assert run.stdout == block.prints


def test_a_test_runs_every_language_that_is_used() -> None:
    run = {"python", "js", "rust", "html", "json", "sh", "console", "yaml"}
    assert [str(block) for block in BLOCKS if block.language not in run | {"text"}] == []
    assert {block.language for block in BLOCKS} >= run


@each("python")
def test_python(block: Block) -> None:
    folder = FOLDERS.get((block.page, "python"), ROOT)
    check_run(block, [sys.executable, "-W", "error", "-c", block.code], folder)


@each("js")
def test_javascript(block: Block) -> None:
    folder = FOLDERS.get((block.page, "js"), TARGET)
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / (re.sub(r"\W", "-", str(block)) + ".mjs")
    script.write_text(block.code)
    try:
        check_run(block, ["node", script.name], folder)
    finally:
        script.unlink()


@each("yaml")
def test_rules_of_alerts(block: Block, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(block.code)
    checked = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@each("rust")
def test_rust_is_run_by_the_tests_of_the_core(block: Block) -> None:
    included = re.findall(r'include_str!\("(.*?)"\)', (ROOT / "core" / "src" / "lib.rs").read_text())
    assert ROOT / block.page in [(ROOT / "core" / "src" / path).resolve() for path in included]


@each("html")
def test_a_page_loads_without_errors(block: Block) -> None:
    origin = "http://example.test"
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    arguments = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as driver, driver.chromium.launch(executable_path=chromium, args=arguments) as browser:
        page = browser.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.route(f"{origin}/", lambda route: route.fulfill(body=block.code, content_type="text/html"))
        package = ROOT / "bindings-wasm" / "dist" / "index.js"
        page.route(f"{origin}/halfopen/index.js", lambda route: route.fulfill(path=package))
        page.goto(f"{origin}/", wait_until="networkidle")
        page.wait_for_function("document.title")
        assert faults == []


@each("json")
def test_the_model_passes_the_example(block: Block) -> None:
    example = json.loads(block.code)
    if "verdict" in example:
        seen = run_verdicts.run(example["response"])
        assert {name: value for name, value in seen.items() if value is not None} == example["verdict"]
    else:
        assert run_vectors.run(example) == []


@each("sh", "console")
def test_a_shell_command_names_a_target_of_make_or_runs(block: Block) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in block.code.splitlines():
        command, *arguments = line.removeprefix("$ ").split()
        if command == "make":
            assert arguments[0] in targets
        else:
            assert command == "python"
            run = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60)
            assert (run.returncode, run.stderr) == (0, b""), run.stderr
