"""A person opens the setup link on a phone, with a real browser, and with the keyboard alone."""

import plistlib
from pathlib import Path

import pytest

from bridge.services import devices, setting_up

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


@pytest.fixture
def phone(chromium):
    with chromium.new_context(
        viewport={"width": 390, "height": 844}, user_agent=IPHONE, java_script_enabled=False, color_scheme="dark"
    ) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


def test_the_setup_link_on_a_phone(town, phone):
    context = town.context
    device = devices.add(context.database, "alex", "pocket", now=context.now())
    link = setting_up.link(context, device)
    complaints = []
    phone.on("console", lambda message: complaints.append(message.text))
    phone.goto(link.url)
    assert device.password not in phone.content()
    size = phone.locator("main").bounding_box()
    assert size["width"] <= 390
    assert all(each.bounding_box()["height"] >= 44 for each in phone.locator(".button:visible").all())

    with phone.expect_download() as download:
        phone.get_by_role("link", name="Install the profile").click()
    profile = plistlib.loads(Path(download.value.path()).read_bytes())
    assert profile["PayloadContent"][0]["CalDAVUsername"] == "alex"

    phone.get_by_role("button", name="Show the password").focus()
    phone.keyboard.press("Enter")
    phone.locator("#password code").wait_for()
    assert phone.locator("#password code").inner_text() == device.password
    assert complaints == []

    devices.authenticate(
        context.database, "alex", device.password, address="203.0.113.9", agent="iOS", now=context.now()
    )
    assert phone.goto(link.url).status == 410
