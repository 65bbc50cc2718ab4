"""R28: the command that connects an account again is the one to type, as it stands there."""

import shlex

import pytest

from bridge.services import advice, connecting, noticing, status
from bridge.store import accounts, tables
from tests.support.caldav_server import PASSWORD, USER, radicale
from tests.support.house import EMAIL


def command(house):
    (account,) = house.read(accounts.every)
    return house.read(lambda conn: advice.reconnect(house.context, conn, account))


def test_r28_a_simulated_account_is_connected_again_at_the_sandbox(house):
    house.connect("microsoft")
    assert command(house) == "caldav-bridge account connect alex microsoft --sandbox"


def test_r28_a_real_one_is_not(house):
    house.connect("google")
    with house.context.database.write() as conn:
        conn.execute(tables.accounts.update().values(sandbox=False))
    assert command(house) == "caldav-bridge account connect alex google"


@pytest.fixture
def server(tmp_path):
    with radicale(tmp_path) as running:
        running.make_calendar("work", displayname="Work")
        yield running


def connect(house, url, password, username=USER):
    return connecting.connect_directly(house.context, "alex", "caldav", url=url, username=username, password=password)


def test_r28_r15_a_caldav_server_is_named_with_all_that_is_known_but_the_password(house, server, tmp_path):
    connected = connect(house, server.url, PASSWORD)
    assert house.cycle(connected.pair_id).error is None
    (tmp_path / "htpasswd").write_text(f"{USER}:another\n", encoding="utf-8")
    error = house.cycle(connected.pair_id).error
    assert error == f"the server takes the account's password no more; connect it again: {command(house)}"
    (notice,) = [one for one in told(house) if one.notice.kind == "needs_reconnect"]
    assert notice.message.text.endswith(command(house))
    (found,) = status.every(house.context)
    assert (found.state, found.command) == ("needs reconnect", command(house))
    assert PASSWORD not in "".join((error, notice.message.text, repr(found)))

    typed = shlex.split(command(house))
    assert typed[:5] == ["caldav-bridge", "account", "connect", "alex", "caldav"]
    given = dict(zip(typed[5::2], typed[6::2], strict=True))
    again = connect(house, given["--url"], "another", username=given["--username"])
    assert again.account.id == connected.account.id
    assert house.cycle(connected.pair_id).error is None


def told(house):
    noticing.review(house.context)
    return noticing.open_notices(house.context)


def test_what_was_given_up_leaves_a_place_to_fill_in(house, server):
    connected = connect(house, server.url, PASSWORD)
    with house.context.database.write() as conn:
        accounts.disconnect(conn, connected.account.id)
    assert command(house).endswith(f" --url {connected.account.subject} --username NAME")


def test_a_name_that_a_shell_would_take_apart_is_quoted(house):
    house.connect("google")
    with house.context.database.write() as conn:
        conn.execute(tables.principals.update().values(name="al ex"))
    assert command(house) == "caldav-bridge account connect 'al ex' google --sandbox"


def test_r28_each_pair_of_an_account_names_the_account_it_is_of(house):
    google, microsoft = (house.connect(name).pair_id for name in ("google", "microsoft"))
    asked = {pair: advice.reconnect_pair(house.context, pair) for pair in (google, microsoft)}
    assert [account.provider for _, account in asked.values()] == ["google", "microsoft"]
    assert asked[google][1].email == EMAIL
    assert [each.split()[4] for each, _ in asked.values()] == ["google", "microsoft"]
