"""Secrets at rest."""

import multiprocessing
import stat

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bridge.errors import UsageError
from bridge.store import oauth_flows, tables
from bridge.store.grants import Grants
from bridge.store.oauth_flows import OAuthFlow
from bridge.store.vault import Vault, from_file, from_keys, rotate

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_what_is_sealed_opens_again_and_shows_nothing():
    sealed = Vault([OLD]).seal("rotten Tomätoes")
    assert b"Tom" not in sealed
    assert Vault([OLD]).open(sealed) == "rotten Tomätoes"
    assert Vault([OLD]).seal("a") != Vault([OLD]).seal("a")


def test_the_newest_key_seals_and_every_key_opens():
    both = Vault([NEW, OLD])
    assert both.open(Vault([OLD]).seal("x")) == "x"
    assert Vault([NEW]).open(both.seal("x")) == "x"
    assert Vault([NEW]).open(both.reseal(Vault([OLD]).seal("x"))) == "x"


def test_the_wrong_key_is_said_plainly():
    for call in (Vault([NEW]).open, Vault([NEW]).reseal):
        with pytest.raises(UsageError, match="key"):
            call(Vault([OLD]).seal("x"))
        with pytest.raises(UsageError, match="key"):
            call(b"no token at all")


def test_keys_from_the_setting():
    assert from_keys(f" {NEW} , {OLD},").open(Vault([OLD]).seal("x")) == "x"
    for keys in ("", " , ", "too-short", f"{NEW},s3cret"):
        with pytest.raises(UsageError) as caught:
            from_keys(keys)
        assert "s3cret" not in str(caught.value)


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "data" / "vault.key"
    sealed = from_file(path).seal("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["vault.key"]
    assert from_file(path).open(sealed) == "x"
    path.write_text(f"{NEW}\n{path.read_text()}")
    assert from_file(path).open(sealed) == "x"


def test_processes_that_start_at_once_share_one_key(tmp_path):
    path = tmp_path / "vault.key"
    context = multiprocessing.get_context("fork")
    started, made = context.Event(), context.Queue()

    def start():
        started.wait(timeout=30)
        made.put(from_file(path).seal("x"))

    processes = [context.Process(target=start) for _ in range(6)]
    for process in processes:
        process.start()
    started.set()
    sealed = [made.get(timeout=30) for _ in processes]
    for process in processes:
        process.join(timeout=30)
    assert [from_file(path).open(one) for one in sealed] == ["x"] * 6


def test_an_unusable_key_file_is_said_plainly(tmp_path):
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    for name in ("empty", "binary", "folder", "empty/below"):
        with pytest.raises(UsageError, match=name):
            from_file(tmp_path / name)


def test_rotation_reseals_everything(database, account, alice, vault, key, t0):
    with database.write() as conn:
        flow = OAuthFlow("state", alice.id, "google", False, "verifier")
        oauth_flows.begin(conn, vault, flow, expires_at=t0)
    both = Vault([NEW, key])
    with database.write() as conn:
        assert rotate(conn, both) == 2
    with database.read() as conn:
        sealed = conn.scalar(sa.select(tables.oauth_flows.c.flow))
    assert Vault([NEW]).open(sealed) == "verifier"
    assert Grants(database, Vault([NEW]), account.id, now=lambda: t0).load() == "refresh-1"


def test_rotation_with_the_wrong_key_changes_nothing(database, account, vault, t0):
    with pytest.raises(UsageError), database.write() as conn:
        rotate(conn, Vault([NEW]))
    assert Grants(database, vault, account.id, now=lambda: t0).load() == "refresh-1"
