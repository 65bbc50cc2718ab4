"""What a removed pair had linked is found again by the service's own names, and not for ever (R15)."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.ical import edit
from bridge.store import accounts, former, homes, links, objects, pairs, tables
from bridge.sync.ledger import Link
from tests.support.worlds import tea


def remote_of(conn, pair):
    return pairs.get(conn, pair).remote_calendar_id


@pytest.fixture
def linked(database, calendar, make_pair):
    pair = make_pair(calendar)
    with database.write() as conn:
        links.save(conn, pair, [Link("a", remote_id="1"), Link("b", remote_id="2"), Link("unmade")])
    return pair


def test_r15_it_is_known_by_the_remote_ids_after_its_pair_is_gone(database, calendar, linked, t0):
    with database.write() as conn:
        remote = remote_of(conn, linked)
        former.remember(conn, calendar, remote, pair_id=linked, now=t0)
        pairs.remove(conn, linked)
        assert former.of(conn, calendar, remote) == {"1": "a", "2": "b"}
        assert former.of(conn, calendar + 1, remote) == {}


def test_r15_another_account_of_the_same_person_at_the_service_has_it(database, calendar, linked, t0):
    """A disconnected account is another row when it is connected again."""
    with database.write() as conn:
        remote = remote_of(conn, linked)
        former.remember(conn, calendar, remote, pair_id=linked, now=t0)
        old = (
            conn.execute(sa.select(tables.remote_calendars).where(tables.remote_calendars.c.id == remote))
            .mappings()
            .one()
        )
        account = dict(
            conn.execute(sa.select(tables.accounts).where(tables.accounts.c.id == old["account_id"])).mappings().one()
        )
        accounts.remove(conn, account.pop("id"))
        again = conn.scalar(sa.insert(tables.accounts).values(account).returning(tables.accounts.c.id))
        values = {**old, "account_id": again}
        del values["id"]
        listed = conn.scalar(sa.insert(tables.remote_calendars).values(values).returning(tables.remote_calendars.c.id))
        assert listed != remote
        assert former.of(conn, calendar, listed) == {"1": "a", "2": "b"}


def test_the_last_removal_counts_and_age_ends_it(database, calendar, linked, t0):
    with database.write() as conn:
        remote = remote_of(conn, linked)
        former.remember(conn, calendar, remote, pair_id=linked, now=t0)
        links.drop(conn, linked, ["a"])
        former.remember(conn, calendar, remote, pair_id=linked, now=t0 + dt.timedelta(days=1))
        assert former.of(conn, calendar, remote) == {"2": "b"}
        assert former.prune(conn, t0 + dt.timedelta(days=1)) == 0
        assert former.prune(conn, t0 + dt.timedelta(days=1, seconds=1)) == 1
        assert former.of(conn, calendar, remote) == {}
        links.drop(conn, linked, ["b"])
        former.remember(conn, calendar, remote, pair_id=linked, now=t0)
        assert former.of(conn, calendar, remote) == {}


def test_r1_only_pairs_that_would_invite_are_hushed(database, calendar, linked, make_pair, t0):
    """Of the others one only pulls, one is in its first sync, and one has made its copy and one thing to make."""
    pulls, first, steady = make_pair(calendar), make_pair(calendar), make_pair(calendar)
    made = {"hub_base": tea("made"), "remote_base": tea("made")}
    with database.write() as conn:
        for uid in ("made", "open", "fresh"):
            objects.put(conn, calendar, f"{uid}.ics", edit.compose(tea(uid), uid=uid, now=t0), actor="cli", now=t0)
        conn.execute(sa.update(tables.pairs).where(tables.pairs.c.id == pulls).values(direction="pull", phase="steady"))
        conn.execute(sa.update(tables.pairs).where(tables.pairs.c.id == steady).values(phase="steady"))
        for pair in (first, steady):
            links.save(conn, pair, [Link("made", remote_id="m", **made), Link("open", creation_key="k")])
        homes.hush(conn, calendar, ["made", "open", "fresh", "not here"], but=linked)

        def said(pair):
            return {uid: link.decision for uid, link in links.by_uid(conn, pair, links.every_uid(conn, pair)).items()}

        assert said(pulls) == {}
        assert said(first) == {"made": None, "open": "hub"}
        assert said(steady) == {"made": None, "open": "hub", "fresh": "hub"}
        assert links.by_uid(conn, steady, ["open"])["open"].creation_key == "k"
        assert links.to_plan_again(conn, steady, t0) == ["fresh"]
