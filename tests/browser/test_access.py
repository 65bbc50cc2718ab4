"""Every page on a small screen, with labels for who cannot see it, and usable without a mouse."""

import datetime as dt

import pytest

from tests.e2e.dates import MONDAY

pytestmark = pytest.mark.browser

DAY = MONDAY + dt.timedelta(weeks=17)
LONG = "Council of the extraordinarily-long-named-committee-which-nobody-can-abbreviate " * 2
UNLABELLED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')]
    .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim() || one.querySelector('img[alt]:not([alt=""])')))
    .map(one => one.outerHTML)"""
FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    one.dataset.seen = (one.dataset.seen || 0) + 1;
    const style = getComputedStyle(one);
    return {what: one.outerHTML.slice(0, 200), outline: style.outlineStyle, width: parseFloat(style.outlineWidth)};
}"""
CONTRAST = """() => {
    const light = text => {
        const [r, g, b] = text.match(/[0-9.]+/g).map(Number).map(one => one / 255)
            .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = one => {
        for (; one; one = one.parentElement) {
            const color = getComputedStyle(one).backgroundColor;
            if (color !== 'rgba(0, 0, 0, 0)') return color;
        }
        return getComputedStyle(document.documentElement).colorScheme.includes('dark') ? 'rgb(18,18,18)' : 'rgb(255,255,255)';
    };
    return [...document.querySelectorAll('body *')]
        .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()) && one.checkVisibility())
        .filter(one => !['SCRIPT', 'STYLE', 'OPTION'].includes(one.tagName))
        .map(one => {
            const [high, low] = [light(getComputedStyle(one).color), light(behind(one))].sort((a, b) => b - a);
            return [(high + 0.05) / (low + 0.05), one.outerHTML.slice(0, 120)];
        })
        .filter(([ratio]) => ratio < 4.5);
}"""


@pytest.fixture(scope="module")
def addresses(town, connected, ask, window):
    """Every kind of page there is, with an event of a very long name on the calendars."""
    del connected
    hub, sandbox = town.hub.url, town.sandbox.url
    found = [f"{hub}/", f"{hub}/oauth/google/callback", f"{hub}/oauth/nobody/callback", f"{sandbox}/"]
    with window.new_page() as page:
        for provider in ("google", "microsoft"):
            home = f"{sandbox}/{provider}/"
            page.goto(f"{home}new?day={DAY}")
            page.get_by_label("Title").or_(page.get_by_label("Subject")).fill(LONG)
            page.get_by_role("button", name="Save").click()
            event = page.locator("a.event").first.evaluate("one => one.href")
            month = f"{home}?month={DAY:%Y-%m}"
            found += [month, f"{month}&view=agenda", f"{home}new", event, f"{home}event?id=gone", ask(provider)]
        found += task_pages(page, f"{sandbox}/google/todo/")
    return [*found, f"{sandbox}/microsoft/devicelogin", f"{sandbox}/microsoft/new?invitation=1"]


def task_pages(page, home):
    """Those of a service's task lists, with one that is overdue and one that is done."""
    for title in (LONG, "Done"):
        page.goto(f"{home}new")
        page.get_by_label("Title").fill(title)
        page.get_by_label("Date").fill("2026-01-05")
        page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Complete Done").click()
    task = page.locator("a.event").first.evaluate("one => one.href")
    return [home, f"{home}?done=1", f"{home}new", task, f"{home}task?id=gone"]


def test_every_page_fits_a_phone_has_one_heading_and_labels(addresses, page):
    page.set_viewport_size({"width": 375, "height": 700})
    for address in addresses:
        page.goto(address)
        widths = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert widths[0] <= widths[1], f"{address} is {widths[0]} px wide"
        assert page.get_by_role("heading", level=1).count() == 1, address
        assert page.evaluate(UNLABELLED) == [], address
        assert page.title(), address
        assert page.evaluate("document.documentElement.lang") == "en", address


def test_the_focus_is_seen_wherever_it_goes(addresses, page):
    for address in addresses:
        page.goto(address)
        focusable = page.locator("a[href], button, input:not([type=hidden]), select, textarea, summary")
        for _ in range(min(focusable.count(), 25)):
            page.keyboard.press("Tab")
            focus = page.evaluate(FOCUS)
            if focus is None:  # past the last one
                break
            assert focus["outline"] not in ("none", "hidden"), f"{address}: {focus['what']}"
            assert focus["width"] >= 1, f"{address}: {focus['what']}"
        assert page.locator("[data-seen]").count() > 0, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(addresses, page, scheme):
    page.emulate_media(color_scheme=scheme)
    for address in addresses:
        page.goto(address)
        assert page.evaluate(CONTRAST) == [], address


def test_no_page_complains_in_the_console(addresses, page):
    """A style or script that the Content-Security-Policy forbids would be told there."""
    told = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    for address in addresses:
        answer = page.goto(address)
        if answer.ok:
            assert told == [], address
        told.clear()
