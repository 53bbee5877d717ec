"""The operator's page of `halfopen.fastapi` in a real browser."""

import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from test_page import CHROMIUM, CHROMIUM_ARGUMENTS, DESKTOP, PHONE

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "bindings-python" / "tests" / "scripts" / "servers"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@contextmanager
def served(script: str) -> Generator[httpx2.Client]:
    """A client of an application that runs as long as the block."""
    with subprocess.Popen([sys.executable, SERVERS / script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().decode().strip()}"
        with httpx2.Client(base_url=url, trust_env=False, timeout=20) as http:
            yield http
        process.kill()


@contextmanager
def opened(http: httpx2.Client, scheme: str = "light", viewport: dict[str, int] = DESKTOP) -> Generator[Page]:
    """The operator's page. It raises no error and asks no other host."""
    url = str(http.base_url).rstrip("/")
    errors: list[str] = []
    foreign: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith(url) else None)
        page.goto(f"{url}/breakers/page")
        yield page
        browser.close()
    assert (errors, [address for address in foreign if not address.startswith("data:")]) == ([], [])


def violations(page: Page) -> list[str]:
    """The violations that axe finds, with their elements."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    return [f"{it['id']}: {[node['html'][:120] for node in it['nodes']]}" for it in found]


@pytest.fixture
def page() -> Iterator[Page]:
    """The page after the circuit `openai` has opened."""
    with served("fastapi_app.py") as http:
        assert [http.get("/fail").status_code for _ in range(2)] == [502, 503]
        with opened(http) as page:
            yield page


@pytest.fixture
def pool() -> Iterator[httpx2.Client]:
    """The providers `openai` and `gemini` in turn, and `local` behind them."""
    with served("simulated_providers.py") as http:
        yield http


def say(http: httpx2.Client, times: int = 1) -> list[str]:
    return [http.get("/say").json() for _ in range(times)]


def provider(page: Page, name: str) -> Locator:
    return page.locator(f"[data-provider={name}]")


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
    expect(page.locator("#refused")).to_contain_text("seconds = -5 is refused")
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


def test_an_operator_puts_a_circuit_into_shadow_mode(page: Page) -> None:
    page.get_by_role("button", name="Shadow: openai").click()
    page.get_by_label("Reason").fill("watch first")
    page.keyboard.press("Enter")
    expect(page.locator(".badge")).to_have_text("open, shadow")
    page.get_by_role("button", name="End shadow: openai").click()
    page.get_by_label("Reason").fill("it decides again")
    page.keyboard.press("Enter")
    expect(page.locator(".badge")).to_have_text("open")


def test_without_an_orchestrator_the_page_has_no_providers(page: Page) -> None:
    expect(page.locator("article")).to_have_count(1)
    expect(page.locator(".pool")).to_have_count(0)
    expect(page.locator("#choices-card")).to_be_hidden()


def test_the_providers_are_followed_live_through_an_outage(pool: httpx2.Client) -> None:
    assert say(pool, 10) == ["openai", "gemini"] * 5
    with opened(pool) as page:
        expect(page.locator(".pool .facts")).to_have_text("round robin · 0 sessions · budget 100 of 100")
        expect(page.locator(".pool .next")).to_have_text("The next call goes to openai, then gemini, then local.")
        for name in ("openai", "gemini"):
            expect(provider(page, name).locator(".share")).to_have_text("50 %5 calls")
        expect(
            page.get_by_role("img", name="Choices of the last 1 min 0 s: openai 50 %, gemini 50 %, local 0 %")
        ).to_be_visible()

        # A failure opens the circuit, and the call moves.
        pool.put("/simulated/openai/500")
        assert say(pool) == ["gemini"]
        openai = provider(page, "openai")
        expect(openai.locator(".last")).to_contain_text("openai → gemini, the call failed.")
        expect(page.locator("#choices li").filter(has_text="openai → gemini")).to_contain_text("the call failed")

        # After a success of its probe, it begins slowly.
        pool.put("/simulated/openai/200")
        expect(openai.locator(".note")).to_have_text("Its next call is a probe.")
        expect(openai.locator(".badge")).to_have_text("half-open")
        assert say(pool) == ["openai"]
        expect(openai.locator(".badge")).to_have_text("closed")
        expect(openai.locator(".note")).to_have_text(
            re.compile(r"Slow start: it gets 1\d % of its share, and all of it in 2\d s")
        )

        # A rate limit is not a failure.
        pool.put("/simulated/gemini/429")
        say(pool, 4)
        gemini = provider(page, "gemini")
        expect(gemini.locator(".note")).to_have_text(re.compile(r"Passed over: it cools down, back in [\d.]+ m?s"))
        expect(gemini.locator(".badge")).to_have_text("closed")
        expect(page.locator("#choices li").filter(has_text="gemini cools down").first).to_be_visible()

        # An operator forces a circuit open.
        pool.put("/breakers/local/order", json={"order": "force_open", "seconds": 90, "reason": "maintenance"})
        expect(provider(page, "local").locator(".note")).to_have_text(
            re.compile(r"Passed over: an operator forced it open, back in 1 min \d+ s")
        )


def test_the_page_connects_again_after_the_end_of_a_stream(pool: httpx2.Client) -> None:
    with opened(pool) as page, page.expect_request(re.compile("/providers/events"), timeout=10_000):
        expect(page.locator(".pool")).to_be_visible()
    assert say(pool) == ["openai"]


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)])
def test_axe_finds_nothing_and_everything_fits(pool: httpx2.Client, scheme: str, viewport: dict[str, int]) -> None:
    say(pool, 4)
    pool.put("/simulated/openai/500")
    say(pool, 2)
    pool.put("/breakers/local/order", json={"order": "force_open", "reason": "maintenance"})
    with opened(pool, scheme, viewport) as page:
        expect(provider(page, "local").locator(".note")).to_have_text("Passed over: an operator forced it open.")
        assert violations(page) == []
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow == 0
        page.get_by_role("button", name="Force open: gemini").click()
        assert violations(page) == []


def test_an_operator_needs_no_mouse(pool: httpx2.Client) -> None:
    say(pool)
    with opened(pool) as page:
        button = page.get_by_role("button", name="Force open: gemini")
        expect(button).to_be_visible()
        for _ in range(40):
            page.keyboard.press("Tab")
            if button.evaluate("it => it === document.activeElement"):
                break
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        # The focus is where it was, also after the list was sorted anew.
        page.keyboard.press("Enter")
        page.keyboard.type("a drill")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(provider(page, "gemini").locator(".note")).to_contain_text("an operator forced it open")
        expect(page.locator("#list article").first).to_contain_text("gemini")
        expect(button).to_be_focused()
