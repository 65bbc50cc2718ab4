"""One town for all stories: both simulated services, the hub, a real Chromium, and a person who connects in it."""

import shutil
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from bridge import config
from bridge.sandbox.server import Sandbox
from bridge.services import connecting, devices, principals
from bridge.services.context import open_context
from tests.browser.calendar_page import GooglePage, MicrosoftPage
from tests.e2e.caldav_side import CalDavSide
from tests.support.hub import Hub

PERSON = "alex@example.com"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium():
    """The system's browser: none is ever downloaded."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "the browser tests need Chromium: install your system's package 'chromium'"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """The services and the hub, with one person on it who has connected nothing yet."""
    data = tmp_path_factory.mktemp("town")
    with Sandbox() as sandbox:
        data.joinpath("config.toml").write_text(f"[sandbox]\nport = {urlsplit(sandbox.url).port}\n")
        with Hub(data) as hub:
            context = open_context(config.load(data))
            principals.add(context.database, "alex", PERSON, now=context.now())
            yield SimpleNamespace(sandbox=sandbox, hub=hub, context=context)
            context.close()


@pytest.fixture(scope="session")
def window(chromium):
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(15_000)
        yield context


@pytest.fixture
def page(window):
    with window.new_page() as page:
        yield page


@pytest.fixture(scope="session")
def ask(town):
    """The address at which the person is asked for consent."""
    return lambda provider: connecting.begin(town.context, "alex", provider, sandbox=True)


@pytest.fixture(scope="session")
def connected(town, ask, window):
    """What the person read after allowing each service, by its name; and their phone."""
    read = {}
    with window.new_page() as page:
        for provider in ("google", "microsoft"):
            page.goto(ask(provider))
            page.get_by_role("button", name="Allow").click()
            page.wait_for_url(f"{town.hub.url}/oauth/{provider}/callback?*")
            read[provider] = page.get_by_role("main").inner_text()
    device = devices.add(town.context.database, "alex", "phone", now=town.context.now())
    phone = CalDavSide(f"{town.hub.url}/", device.username, device.password)
    yield SimpleNamespace(read=read, phone=phone)
    phone.close()


@pytest.fixture
def pages(town, connected, page):
    """The person's calendars at both services."""
    del connected
    return {
        "google": GooglePage(page, f"{town.sandbox.url}/google/"),
        "microsoft": MicrosoftPage(page, f"{town.sandbox.url}/microsoft/"),
    }
