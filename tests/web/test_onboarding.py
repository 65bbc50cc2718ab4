"""The page behind a setup link: what it shows to whom, what ends it, and that looking does not."""

import datetime as dt
import io
import logging
import plistlib
import re

import pytest
import segno
import sqlalchemy as sa
import structlog

from bridge import config
from bridge.config import Log
from bridge.errors import UsageError
from bridge.services import devices, housekeeping, logs, principals, setting_up
from bridge.services.context import open_context
from bridge.store.tables import setup_links
from bridge.web.app import create_app
from tests.support import databases

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"


class Hub:
    def __init__(self, folder):
        folder.joinpath("config.toml").write_text('[server]\npublic_url = "https://cal.example.org/dav"\n')
        self.time = NOW
        self.context = open_context(config.load(folder), now=lambda: self.time)
        principals.add(self.context.database, "alice", "alice@example.com", now=NOW)
        self.device = devices.add(self.context.database, "alice", "Phone <1>", now=NOW)
        self.path = self.of(setting_up.link(self.context, self.device))
        self.web = create_app(self.context).test_client()

    def of(self, link):
        return link.url.removeprefix("https://cal.example.org/dav")

    def sign_in(self, password):
        return devices.authenticate(
            self.context.database, "alice", password, address="203.0.113.9", agent="iOS", now=self.time
        )

    def rows(self):
        with self.context.database.read() as conn:
            return conn.execute(sa.select(setup_links)).all()


@pytest.fixture
def hub(tmp_path):
    made = Hub(tmp_path)
    yield made
    made.context.close()


def test_looking_shows_no_password_and_does_not_use_the_link_up(hub):
    for _ in range(2):
        page = hub.web.get(hub.path)
        assert page.status_code == 200
        assert hub.device.password not in page.text
        assert "davx5://" not in page.text
        assert "Phone &lt;1&gt;" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in page.text


def test_the_button_shows_the_password_and_opens_davx5(hub):
    page = hub.web.post(hub.path, headers={"User-Agent": ANDROID})
    assert f"<code>{hub.device.password}</code>" in page.text
    assert f"davx5://alice:{hub.device.password}@cal.example.org/dav/" in page.text
    assert f"caldavs://alice:{hub.device.password}@cal.example.org/dav/" in page.text


def test_the_code_is_the_link(hub):
    """Square by square what segno draws of the link; the page says which one, and nothing of the password."""
    drawing = re.search(r"<svg.*?</svg>", hub.web.post(hub.path).text, re.DOTALL).group()
    border = 4
    path = re.search(r'stroke="#000" d="([^"]+)"', drawing).group(1)
    dark, x, y = set(), 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])\s*(-?[\d.]+)(?:[ ,]*(-?[\d.]+))?", path):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "m":
            x, y = x + float(first), y + float(second)
        else:
            dark |= {(int(x) + each - border, int(y) - border) for each in range(int(first))}
            x += float(first)
    code = segno.make(f"https://cal.example.org/dav{hub.path}", error="m", micro=False)
    wanted = {(x, y) for y, row in enumerate(code.matrix) for x, cell in enumerate(row) if cell}
    assert dark == wanted
    size = len(code.matrix) + 2 * border
    assert f'viewBox="0 0 {size} {size}"' in drawing


@pytest.mark.parametrize(
    ("agent", "first"),
    [
        (IPHONE, "iPhone, iPad and Mac"),
        (ANDROID, "Android"),
        (WINDOWS, "Outlook on Windows"),
        (LINUX, "GNOME"),
        ("", "Any other program"),
    ],
)
def test_the_visiting_device_comes_first(hub, agent, first):
    page = hub.web.get(hub.path, headers={"User-Agent": agent})
    assert page.text.partition("<h2>")[2].partition("</h2>")[0] == first
    assert page.text.count("<summary>") == 7  # six others, and the code for a phone


def test_the_profile_comes_by_get_and_holds_no_password(hub):
    answer = hub.web.get(f"{hub.path}/calendar.mobileconfig")
    assert answer.mimetype == "application/x-apple-aspen-config"
    assert hub.device.password.encode() not in answer.data
    assert plistlib.loads(answer.data)["PayloadContent"][0]["CalDAVUsername"] == "alice"
    assert answer.headers["Cache-Control"] == "no-store"


def is_gone(hub, path):
    answers = [hub.web.get(path), hub.web.post(path), hub.web.get(f"{path}/calendar.mobileconfig")]
    assert "caldav-bridge device link" in answers[0].text
    return [answer.status_code for answer in answers] == [410, 410, 410]


def test_the_first_sign_in_ends_the_link_and_wipes_the_password(hub):
    assert hub.sign_in("wrong-password") is None
    assert len(hub.rows()) == 1
    assert hub.sign_in(hub.device.password) is not None
    assert hub.rows() == []
    assert is_gone(hub, hub.path)


def test_time_ends_the_link_and_housekeeping_wipes_the_password(hub):
    hub.time = NOW + dt.timedelta(hours=24)
    assert is_gone(hub, hub.path)
    housekeeping.run(hub.context)
    assert hub.rows() == []
    assert hub.sign_in(hub.device.password) is not None  # the device itself is still good


def test_a_new_link_ends_the_old_password_and_the_old_link(hub):
    hub.sign_in(hub.device.password)
    renewed, link = setting_up.renew(hub.context, "alice", "Phone <1>")
    assert hub.sign_in(hub.device.password) is None
    assert is_gone(hub, hub.path)
    assert renewed.password in hub.web.post(hub.of(link)).text
    assert hub.sign_in(renewed.password) is not None
    assert is_gone(hub, hub.of(link))


def test_a_revoked_device_has_no_link(hub):
    devices.revoke(hub.context.database, "alice", "Phone <1>", now=NOW)
    assert hub.rows() == []
    assert is_gone(hub, hub.path)


@pytest.fixture
def written():
    """What stands in the log, which is set up as in a web process. Everything is put back afterwards."""
    root, names = logging.getLogger(), logs._OURS
    handlers, level = root.handlers, root.level
    levels = {name: logging.getLogger(name).level for name in names}
    logs.configure(Log())
    stream = root.handlers[0].stream = io.StringIO()
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    for name, kept in levels.items():
        logging.getLogger(name).setLevel(kept)
    structlog.reset_defaults()


def test_a_page_that_fails_does_not_log_the_secret(hub, written):
    with hub.context.database.write() as conn:
        setup_links.drop(conn)
    assert hub.web.get(hub.path).status_code == 500
    assert hub.path.rpartition("/")[2] not in written.getvalue()
    assert "/setup/<secret>" in written.getvalue()
    assert "OperationalError" in written.getvalue()


def test_neither_secret_nor_password_stand_in_the_database(hub):
    (row,) = hub.rows()
    assert hub.path.rpartition("/")[2] not in repr(row)
    assert hub.device.password not in repr(row)


@pytest.mark.parametrize("path", ["/setup/x", "/setup/%00%ff", "/setup/" + "x" * 5000])
def test_a_link_that_was_never_made_is_told_as_gone(hub, path):
    assert hub.web.get(path).status_code == 410


def test_files_that_do_not_fit_are_told_at_start(tmp_path):
    tmp_path.joinpath("config.toml").write_text('[onboarding]\ncertificate = "/nowhere.pem"\nkey = "/nowhere.key"\n')
    databases.lay(tmp_path)
    context = open_context(config.load(tmp_path), now=lambda: NOW)
    with pytest.raises(UsageError, match=r"/nowhere\.pem cannot be read"):
        create_app(context)
    context.close()
