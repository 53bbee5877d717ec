"""The page in a real browser: what a visitor clicks, and what they then see."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect, sync_playwright

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.witness import Witness

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}

expect.set_options(timeout=10_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, witness: Witness) -> Iterator[Page]:
    """The page, live; at the end of each test it must have asked nobody else, and complained of nothing."""
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    addresses: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # The browser itself reports each answer that is an error; those are wanted here.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def on_error(error: Error) -> None:
        complaints.append(str(error))

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(witness.demo.backend.url)
    expect(page.locator("body[data-live=yes]")).to_be_visible()
    yield page
    context.close()
    assert complaints == []
    assert [url for url in addresses if not url.startswith((witness.demo.backend.url, "data:"))] == []


def card(page: Page, provider: str) -> Locator:
    return page.locator(f"[data-provider={provider}]")


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def expect_state(page: Page, provider: str, state: str, badge: str) -> None:
    expect(card(page, provider)).to_have_attribute("data-state", state)
    expect(card(page, provider).locator(".badge")).to_have_text(badge)


def test_break_and_heal(page: Page) -> None:
    for provider in PROVIDERS:
        expect_state(page, provider, "closed", "closed")
    click(page, "Fail: Gemini")
    expect(card(page, "gemini").get_by_text("The provider fails")).to_be_visible()
    click(page, "Keep talking")
    expect_state(page, "gemini", "open", "open")
    expect(card(page, "gemini").locator(".when")).to_have_text(re.compile(r"next probe in \d\.\d s"))
    expect(page.locator("#last")).to_contain_text("OpenAI answered")
    expect(page.locator("#transitions li").first).to_contain_text("Gemini")
    expect_state(page, "openai", "closed", "closed")

    click(page, "Heal: Gemini")
    expect_state(page, "gemini", "closed", "closed")
    expect(page.locator("#last")).to_contain_text("Gemini answered")
    expect(page.locator("#transitions li").first).to_contain_text("half-open → closed the probes came back well")
    click(page, "Keep talking")


def test_half_open_shows_how_many_probes_came_back(page: Page, witness: Witness) -> None:
    witness.steer("gemini", "forced_open", seconds=0.2)
    expect_state(page, "gemini", "half_open", "half-open")
    expect(card(page, "gemini").locator(".when")).to_have_text("the next call is a probe")
    expect(card(page, "gemini").get_by_role("img", name="0 of 2 good probes")).to_be_visible()
    click(page, "Say it")
    expect(card(page, "gemini").get_by_role("img", name="1 of 2 good probes")).to_be_visible()
    click(page, "Say it")
    expect_state(page, "gemini", "closed", "closed")


def test_an_operator_forces_and_resets(page: Page) -> None:
    for name in ("Gemini", "OpenAI", "Deepgram"):
        click(page, f"Force open: {name}")
    for provider in PROVIDERS:
        expect_state(page, provider, "open", "open, forced")
        expect(card(page, provider).locator(".when")).to_have_text("stays open until it is reset")
    click(page, "Say it")
    expect(page.locator("#last")).to_have_text("No answer: 503 Service Unavailable.")
    click(page, "Reset: Deepgram")
    expect_state(page, "deepgram", "closed", "closed")
    click(page, "Say it")
    expect(page.locator("#last")).to_contain_text("Deepgram answered")
    expect(page.locator("#answers li").first.get_by_role("button")).to_have_text("▶ Play its tune")


def test_the_counters_are_the_breakers_own(page: Page, witness: Witness) -> None:
    before = witness.counter("gemini", "total_calls")
    click(page, "Ten times")
    witness.until(lambda: witness.counter("gemini", "total_calls") == before + 10, "the ten requests arrive")
    for provider, status in witness.breakers().items():
        for counter in ("total_calls", "successful_calls", "failed_calls", "rejected_calls", "ignored_calls"):
            shown = card(page, provider).locator(f"[data-counter={counter}]")
            expect(shown).to_have_text(str(status["metrics"][counter]))


def test_a_text_is_shown_as_text(page: Page) -> None:
    hostile = "<img src=x onerror=document.title='broken'><b>bold</b>"
    page.get_by_label("What to say").fill(hostile)
    page.keyboard.press("Enter")
    expect(page.locator("#answers li").first).to_contain_text(hostile)
    expect(page.locator("#answers img")).to_have_count(0)
    expect(page).to_have_title("halfopen demo")


def test_it_says_when_the_backend_is_gone_and_that_it_is_back(page: Page) -> None:
    page.route("**/live", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("The backend does not answer")
    page.unroute("**/live")
    expect(page.get_by_role("alert")).to_have_text("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_every_button_has_a_name(page: Page, scheme: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    click(page, "Say it")
    expect(page.locator("#answers li .said").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # In one go: the page draws its lists anew, and a button that was just replaced has no height.
    measure = "b => [b.ariaLabel || b.innerText, b.getBoundingClientRect().height]"
    for name, height in page.evaluate(f"Array.from(document.querySelectorAll('button'), {measure})"):
        assert name
        assert height >= 30, name
