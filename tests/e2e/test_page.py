"""The page in a real browser: clicks, and the resulting display."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect, sync_playwright

from halfopen_demo.clients import PROVIDERS
from halfopen_demo.demo_client import DemoClient

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}

expect.set_options(timeout=10_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, client: DemoClient) -> Iterator[Page]:
    """The page with live data. After each test it must have no console errors and no requests to other hosts."""
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    console_errors: list[str] = []
    requested_urls: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # The browser logs each error response; the tests provoke these.
        if message.type == "error" and "Failed to load resource" not in message.text:
            console_errors.append(message.text)

    def on_error(error: Error) -> None:
        console_errors.append(str(error))

    page.on("console", on_console)
    page.on("pageerror", on_error)
    page.on("request", lambda request: requested_urls.append(request.url))
    page.goto(client.demo.backend.url)
    expect(page.locator("body[data-live=yes]")).to_be_visible()
    yield page
    context.close()
    assert console_errors == []
    assert [url for url in requested_urls if not url.startswith((client.demo.backend.url, "data:"))] == []


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
    click(page, "Send continuously")
    expect_state(page, "gemini", "open", "open")
    expect(card(page, "gemini").locator(".when")).to_have_text(re.compile(r"next probe in \d\.\d s"))
    expect(page.locator("#last")).to_contain_text("OpenAI answered")
    expect(page.locator("#transitions li").first).to_contain_text("Gemini")
    expect_state(page, "openai", "closed", "closed")

    click(page, "Heal: Gemini")
    expect_state(page, "gemini", "closed", "closed")
    expect(page.locator("#last")).to_contain_text("Gemini answered")
    expect(page.locator("#transitions li").first).to_contain_text("half-open → closed the probes succeeded")
    click(page, "Send continuously")


def test_a_stream_moves_to_the_next_provider(page: Page) -> None:
    click(page, "Stream")
    expect(page.locator("#speaker")).to_have_text("Gemini speaks")
    expect(page.locator("#tokens")).to_contain_text("The simulated gemini")
    click(page, "Fail: Gemini")
    expect(page.locator("#tokens mark")).to_have_text("Gemini broke off. OpenAI begins again.")
    expect(page.locator("#speaker")).to_have_text("OpenAI answered with gpt-mini.")
    expect(page.locator("#tokens s")).to_contain_text("The simulated gemini")
    expect(page.locator("#tokens span").last).to_contain_text("The simulated openai received: Good morning")
    expect(page.locator("#choices li").nth(0)).to_contain_text("OpenAI")
    expect(page.locator("#choices")).to_contain_text("Gemini → OpenAI its stream broke")
    expect(page.locator("#answers li").first).to_contain_text("Gemini failed (RemoteProtocolError), OpenAI answered")


def test_it_shows_why_a_provider_was_passed_over(page: Page) -> None:
    click(page, "Force open: Gemini")
    click(page, "Send")
    expect(page.locator("#choices li").first).to_contain_text("OpenAI first in line")
    expect(page.locator("#choices li").first).to_contain_text("not Gemini: it is forced open")
    expect(page.locator("#answers li").first).to_contain_text("Gemini passed over: it is forced open, OpenAI answered")


def test_half_open_shows_how_many_probes_succeeded(page: Page, client: DemoClient) -> None:
    client.order("gemini", "force_open", seconds=0.2)
    expect_state(page, "gemini", "half_open", "half-open")
    expect(card(page, "gemini").locator(".when")).to_have_text("the next call is a probe")
    expect(card(page, "gemini").get_by_role("img", name="0 of 2 successful probes")).to_be_visible()
    click(page, "Send")
    expect(card(page, "gemini").get_by_role("img", name="1 of 2 successful probes")).to_be_visible()
    click(page, "Send")
    expect_state(page, "gemini", "closed", "closed")


def test_an_operator_forces_and_resets(page: Page) -> None:
    for name in ("Gemini", "OpenAI", "Deepgram"):
        click(page, f"Force open: {name}")
    for provider in PROVIDERS:
        expect_state(page, provider, "open", "open, forced")
        expect(card(page, provider).locator(".when")).to_have_text("stays open until it is reset")
    click(page, "Send")
    expect(page.locator("#last")).to_have_text("No answer: 503 Service Unavailable.")
    click(page, "Reset: Deepgram")
    expect_state(page, "deepgram", "closed", "closed")
    click(page, "Send")
    expect(page.locator("#last")).to_contain_text("Deepgram answered")
    expect(page.locator("#answers li").first.get_by_role("button")).to_have_text("▶ Play audio")


def test_the_counters_are_the_breakers_own(page: Page, client: DemoClient) -> None:
    before = client.counter("gemini", "total_calls")
    click(page, "Send ten")
    client.wait_until(lambda: client.counter("gemini", "total_calls") == before + 10, "the ten requests arrive")
    for provider, status in client.breakers().items():
        for counter in ("total_calls", "successful_calls", "failed_calls", "rejected_calls", "ignored_calls"):
            shown = card(page, provider).locator(f"[data-counter={counter}]")
            expect(shown).to_have_text(str(status["metrics"][counter]))


def test_a_text_is_shown_as_text(page: Page) -> None:
    hostile = "<img src=x onerror=document.title='broken'><b>bold</b>"
    page.get_by_label("Text").fill(hostile)
    page.keyboard.press("Enter")
    expect(page.locator("#answers li").first).to_contain_text(hostile)
    expect(page.locator("#answers img")).to_have_count(0)
    expect(page).to_have_title("halfopen demo")


def test_it_shows_when_the_backend_is_unreachable_and_when_it_is_back(page: Page) -> None:
    page.route("**/live", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("The backend does not answer")
    page.unroute("**/live")
    expect(page.get_by_role("alert")).to_have_text("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_every_button_has_a_name(page: Page, scheme: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    click(page, "Send")
    expect(page.locator("#answers li .said").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    # In one evaluation: the page redraws its lists, and a button that was just replaced has no height.
    measure = "b => [b.ariaLabel || b.innerText, b.getBoundingClientRect().height]"
    for name, height in page.evaluate(f"Array.from(document.querySelectorAll('button'), {measure})"):
        assert name
        assert height >= 30, name
