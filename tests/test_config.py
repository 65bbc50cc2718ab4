"""Settings: defaults, file, environment; and wrong ones told in one line."""

import pytest

from bridge import config
from bridge.errors import UsageError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("CALDAV_BRIDGE_"):
            monkeypatch.delenv(name)


def test_the_environment_wins_over_the_file_and_leaves_the_rest_of_a_section(tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text(
        '[google]\napi_url = "https://one.example"\nclient_id = "from-file"\n[sync]\nconcurrency = 2\n'
    )
    monkeypatch.setenv("CALDAV_BRIDGE_GOOGLE__API_URL", "http://127.0.0.1:9/google/")
    settings = config.load(tmp_path)
    assert settings.google.api_url == "http://127.0.0.1:9/google"
    assert settings.google.client_id == "from-file"
    assert settings.sync.concurrency == 2
    assert settings.data == tmp_path


def test_the_data_directory_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CALDAV_BRIDGE_DATA", str(tmp_path))
    assert config.load().resolved_database_url == f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        ('[google]\napi_url = "ftp://x"\n', "google.api_url"),
        ("[sync]\ninterval_seconds = 0\n", "sync.interval_seconds"),
        ("[gogle]\n", "gogle"),
        ("[google\n", "config.toml"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(tmp_path, toml, names):
    (tmp_path / "config.toml").write_text(toml)
    with pytest.raises(UsageError, match=names) as raised:
        config.load(tmp_path)
    assert "\n" not in str(raised.value)


def test_secrets_are_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("CALDAV_BRIDGE_GOOGLE__CLIENT_SECRET", "s3cret")
    assert "s3cret" not in repr(config.load(tmp_path))
