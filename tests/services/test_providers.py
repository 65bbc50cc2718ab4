"""From the settings to the services' endpoints: the vendors' own, an emulator's, the sandbox's."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bridge import config
from bridge.errors import UsageError
from bridge.services import providers
from bridge.services.context import utc_now
from bridge.services.providers import Providers

REDIRECT = "http://127.0.0.1:5232/oauth/back"


@pytest.fixture
def settings(_folder):
    def of(toml=""):
        (_folder / "config.toml").write_text(toml)
        return config.load(_folder)

    return of


def consent_page(settings, name, *, sandbox):
    made = Providers(settings, utc_now)
    try:
        url = made.get(name, sandbox=sandbox).begin(redirect_uri=REDIRECT).url
    finally:
        made.close()
    return urlsplit(url), {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def test_google_itself_is_asked_with_the_client_of_the_settings(settings):
    page, query = consent_page(
        settings('[google]\nclient_id = "mine"\nclient_secret = "s3cret"\n'), "google", sandbox=False
    )
    assert f"{page.scheme}://{page.netloc}{page.path}" == "https://accounts.google.com/o/oauth2/v2/auth"
    assert query["client_id"] == "mine"
    assert query["redirect_uri"] == REDIRECT
    assert query["code_challenge_method"] == "S256"
    assert "s3cret" not in page.geturl()


@pytest.mark.parametrize("name", providers.NAMES)
def test_without_an_oauth_client_a_person_is_told_what_to_do(settings, name):
    with pytest.raises(UsageError) as told:
        Providers(settings(), utc_now).get(name, sandbox=False)
    assert f"set [{name}] client_id" in str(told.value)
    assert f"docs/how-to/connect-{name}.md" in str(told.value)
    assert "--sandbox" in str(told.value)


@pytest.mark.parametrize(
    ("name", "toml", "page"),
    [
        ("google", '[google]\nauth_url = "{base}/google/o/oauth2/v2/auth"\n', "/google/o/oauth2/v2/auth"),
        (
            "microsoft",
            '[microsoft]\nauthority = "{base}/microsoft/common"\n',
            "/microsoft/common/oauth2/v2.0/authorize",
        ),
    ],
)
def test_an_emulator_needs_no_registered_client(settings, sandbox, name, toml, page):
    asked, query = consent_page(settings(toml.format(base=sandbox.url)), name, sandbox=False)
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{sandbox.url}{page}"
    assert query["client_id"]


@pytest.mark.parametrize("name", providers.NAMES)
def test_the_sandbox_is_found_by_its_port_and_whatever_the_real_settings_say(settings, sandbox, name):
    port = urlsplit(sandbox.url).port
    toml = f'[sandbox]\nport = {port}\n[{name}]\nclient_id = "mine"\nclient_secret = "s3cret"\n'
    asked, query = consent_page(settings(toml), name, sandbox=True)
    assert asked.netloc == urlsplit(sandbox.url).netloc
    assert query["client_id"] != "mine", "a real client id goes to its own vendor only"


def test_a_provider_is_made_once_and_kept(settings, sandbox):
    toml = f"[sandbox]\nport = {urlsplit(sandbox.url).port}\n[google]\nclient_id = 'mine'\nclient_secret = 's'\n"
    made = Providers(settings(toml), utc_now)
    assert made.get("google", sandbox=True) is made.get("google", sandbox=True)
    assert made.get("google", sandbox=True) is not made.get("google", sandbox=False)
    made.close()


def test_an_unknown_provider_is_told_which_there_are(settings):
    with pytest.raises(UsageError, match="google, microsoft"):
        Providers(settings(), utc_now).get("yahoo", sandbox=False)


def test_the_service_that_calls_us_is_where_the_api_is(settings):
    asked = settings('[google]\napi_url = "http://127.0.0.1:9/emulator"\n')
    assert providers.service_url(asked, "google", sandbox=False) == "http://127.0.0.1:9/emulator"
    assert providers.service_url(asked, "microsoft", sandbox=False) == "https://graph.microsoft.com/v1.0"
    assert providers.service_url(asked, "google", sandbox=True) == "http://127.0.0.1:5233"
