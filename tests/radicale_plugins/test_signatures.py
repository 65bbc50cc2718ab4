"""What we override is still there, with these parameters: 3.9 broke plugins in a minor release (D-30)."""

import inspect

import pytest
from radicale import app as radicale_app
from radicale.auth import BaseAuth
from radicale.rights import BaseRights
from radicale.storage import BaseCollection, BaseStorage

from radicale_plugins import app, auth, hub, rights, storage


def names(function):
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("ours", "base"),
    [
        (storage.Storage, BaseStorage),
        (hub.Collection, BaseCollection),
        (hub.Folder, BaseCollection),
        (rights.Rights, BaseRights),
        (auth.Auth, BaseAuth),
        (app.Application, radicale_app.Application),
    ],
)
def test_d30_overrides_take_what_radicale_passes(ours, base):
    checked = 0
    for name, member in vars(ours).items():
        theirs = inspect.getattr_static(base, name, None)
        if not inspect.isfunction(member) or not inspect.isfunction(theirs) or name == "__init__":
            continue
        assert names(member)[: len(names(theirs))] == names(theirs), name
        checked += 1
    assert checked


def test_every_method_of_radicale_is_ours():
    """A new one, or one that we forgot, would bring vobject and its registry back (D-01, D-02)."""
    theirs = {name for name in dir(radicale_app.Application) if name.startswith("do_")}
    ours = {name for name in vars(app.Application) if name.startswith("do_")}
    assert theirs - ours == {"do_HEAD"}  # which is do_GET
    assert names(radicale_app.Application.do_HEAD) == names(app.Application.do_GET)


def test_d30_rights_as_3_9_calls_them():
    assert names(BaseRights.authorization) == ["self", "user", "user_groups", "path"]
    mine = rights.Rights.__new__(rights.Rights)
    expected = {"": "R", "/": "R", "/alice/": "RW", "/alice/calendar/": "rw", "/alice/calendar/a.ics": "", "/bob/": ""}
    for path, granted in expected.items():
        assert mine.authorization("alice", set(), path or "/") == granted
        assert mine.authorization("", set(), path or "/") == ""
    assert mine.authorization("alice", {"bob"}, "/bob/calendar/") == ""
