"""A person connects an account: consent at the service, and back at the hub."""

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_allowing_ends_on_the_hubs_page_which_says_connected(connected, provider):
    assert "alex@example.com is connected" in connected.read[provider]
    assert "mirrored both ways" in connected.read[provider]


@pytest.mark.parametrize(("provider", "service"), [("google", "Google"), ("microsoft", "Microsoft")])
def test_declining_is_told_in_plain_words(town, ask, page, provider, service):
    page.goto(ask(provider))
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url(f"{town.hub.url}/oauth/{provider}/callback?*")
    assert page.get_by_role("heading", level=1).inner_text() == "That did not work"
    assert f"{service} was not allowed to give access" in page.get_by_role("main").inner_text()


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_going_back_to_a_sign_in_that_is_over_says_so(town, page, provider):
    answer = page.goto(f"{town.hub.url}/oauth/{provider}/callback?code=x&state=y")
    assert answer.status == 400
    assert "expired or was already used" in page.get_by_role("main").inner_text()


def test_leaving_out_a_permission_at_google_is_told(town, ask, page):
    page.goto(ask("google"))
    page.get_by_role("checkbox").first.uncheck()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{town.hub.url}/oauth/google/callback?*")
    assert "not every permission was granted" in page.get_by_role("main").inner_text().lower()


def test_leaving_out_every_permission_at_google_is_asked_again(town, ask, page):
    page.goto(ask("google"))
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Allow").click()
    assert "at least one permission" in page.get_by_role("alert").inner_text()
    assert page.url.startswith(town.sandbox.url)
