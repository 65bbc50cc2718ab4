"""What a command prints as JSON is what its table in commands.md says: these keys, of these types."""

import datetime as dt
import io
import json
import logging
import re
import shutil
from pathlib import Path

import pytest

from bridge.sandbox.server import Sandbox
from bridge.server import main
from bridge.services import conflicts, precedence
from bridge.store import conflicts as recorded
from bridge.sync.ledger import Conflict
from tests.support import house as houses

TEXT = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([a-z ]+?) \|", re.MULTILINE)
OF = {
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: type(value) is bool,
    "text": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "time": lambda value: dt.datetime.fromisoformat(value).utcoffset() == dt.timedelta(0),
    "null": lambda value: value is None,
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory, _migrated_file):
    """By the heading of its table, what a command prints of a hub that has something to show everywhere."""
    folder = tmp_path_factory.mktemp("shown")
    shutil.copy(_migrated_file, folder / "bridge.db")
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        with houses.opened(sandbox, folder) as house:
            for title in ("Tea", "Tea"):
                house.add("google", title)
            google = house.connect().pair_id
            house.cycle(google)
            for title in ("Tea", "Tea"):
                house.add("microsoft", title)
            graph = house.connect("microsoft").pair_id
            house.cycle(graph)
            uid = house.objects()[0].uid
            path = ("", "summary")
            with house.context.database.write() as conn:
                conflict = Conflict(uid, "hub", {path: "here"}, {path: "there"})
                recorded.record(conn, google, [conflict], now=house.context.now())
            assert len(conflicts.unresolved(house.context)) == 1
            precedence.set_truth(house.context, "alex/calendar", "hub")

        def run(*arguments):
            out = io.StringIO()
            patch.setattr("sys.argv", ["caldav-bridge", "--data", str(folder), *map(str, arguments), "--json"])
            patch.setattr("sys.stdout", out)
            patch.setattr(logging.getLogger(), "handlers", [])
            with pytest.raises(SystemExit):
                main()
            return json.loads(out.getvalue())

        yield {
            "sync now": run("sync", "now", google),
            "sync log": run("sync", "log", google),
            "sync log PAIR CYCLE": run("sync", "log", google, run("sync", "log", google)[0]["cycle"]),
            "history list": run("history", "list", "alex/calendar"),
            "conflicts list": run("conflicts", "list"),
            "pair list": run("pair", "list"),
            "pair fidelity": [run("pair", "fidelity", google)],
            "pair questions": run("pair", "questions", graph),
            "calendar list": run("calendar", "list", "alex"),
        }


def tables():
    for part in TEXT.split("\n## `")[1:]:
        heading, _, rest = part.partition("`\n")
        if keys := dict(ROW.findall(rest)):
            yield heading.removesuffix(" --json"), keys


@pytest.mark.parametrize(("command", "keys"), list(tables()))
def test_what_is_printed_is_what_is_documented(printed, command, keys):
    rows = printed[command]
    assert rows
    for row in rows:
        assert list(row) == list(keys)
        for key, type_ in keys.items():
            assert any(OF[each](row[key]) for each in type_.split(" or ") if row[key] is not None or each == "null"), (
                key,
                row[key],
            )


def test_every_command_that_was_run_has_a_table(printed):
    assert set(printed) == {command for command, _ in tables()}
