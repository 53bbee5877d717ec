"""The operator's page of `halfopen.fastapi` in a real browser."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from test_page import CHROMIUM, CHROMIUM_ARGUMENTS, DESKTOP, PHONE

SERVED = Path(__file__).parents[2] / "bindings-python" / "tests" / "scripts" / "servers" / "fastapi_app.py"


@pytest.fixture
def url() -> Iterator[str]:
    with subprocess.Popen([sys.executable, SERVED], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().decode().strip()}"
        process.kill()


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    """The page after the circuit `openai` has opened. It raises no error and asks no other host."""
    with httpx2.Client(base_url=url, trust_env=False) as http:
        assert [http.get("/fail").status_code for _ in range(2)] == [502, 503]
    errors: list[str] = []
    foreign: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith(url) else None)
        page.goto(f"{url}/breakers/page")
        yield page
        browser.close()
    assert (errors, [address for address in foreign if not address.startswith("data:")]) == ([], [])


def test_an_operator_sees_why_a_circuit_is_open_and_resets_it(page: Page) -> None:
    card = page.locator("article", has_text="openai")
    expect(card.locator(".badge")).to_have_text("open")
    expect(card.locator(".why")).to_contain_text("open after 1 failure in a row")
    expect(page.locator("#transitions li")).to_have_count(1)
    expect(page.locator("#transitions li")).to_contain_text("closed → open consecutive failures")

    page.get_by_role("button", name="Reset: openai").click()
    page.get_by_label("Reason").fill("it is fixed")
    page.keyboard.press("Enter")
    expect(card.locator(".badge")).to_have_text("closed")
    expect(page.locator("#transitions li").first).to_contain_text("open → closed reset")
    expect(page.locator("#summary")).to_have_text("0 open, 0 half-open, 1 closed.")


def test_a_duration_that_is_no_number_forces_nothing(page: Page) -> None:
    page.get_by_role("button", name="Force open: openai").click()
    page.get_by_label("Seconds").fill("soon")
    page.get_by_label("Reason").fill("drill")
    page.keyboard.press("Enter")
    expect(page.locator("#refused")).to_contain_text("seconds: ")
    page.get_by_label("Seconds").fill("-5")
    page.keyboard.press("Enter")
    expect(page.locator("#refused")).to_contain_text("duration_seconds = -5 is refused")
    page.get_by_label("Seconds").fill("60")
    page.keyboard.press("Enter")
    expect(page.locator(".badge")).to_have_text("forced open")


def test_the_filter_and_a_narrow_screen(page: Page) -> None:
    page.get_by_role("searchbox").fill("gemini")
    expect(page.locator("#list")).to_have_text("No circuit matches.")
    page.get_by_role("searchbox").fill("OPEN")
    expect(page.locator("article")).to_have_count(1)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow == 0
