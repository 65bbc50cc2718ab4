"""Who looks after whose calendars, on both databases."""

from bridge.policy.access import Access
from bridge.store import delegates, principals


def test_levels_are_given_changed_and_taken(database, alice, t0):
    with database.write() as conn:
        bob, carol = (principals.add(conn, name, f"{name}@example.org", now=t0) for name in ("bob", "carol"))
        assert delegates.change(conn, alice.id, {bob.id: "read", carol.id: "write"}, now=t0) == [bob.id, carol.id]
        assert delegates.change(conn, alice.id, {bob.id: "read", carol.id: "read"}, now=t0) == [carol.id]
        assert delegates.of(conn, "alice") == {"bob": Access.READ, "carol": Access.READ}
        assert delegates.change(conn, alice.id, {bob.id: "write", carol.id: None}, now=t0) == [bob.id, carol.id]
        assert delegates.change(conn, alice.id, {carol.id: None}, now=t0) == []
    with database.read() as conn:
        assert delegates.of(conn, "alice") == {"bob": Access.WRITE}
        assert delegates.owners_of(conn, "bob") == {"alice": Access.WRITE}
        assert delegates.owners_of(conn, "alice") == delegates.of(conn, "bob") == {}
        assert delegates.level(conn, "alice", "bob") is Access.WRITE
        assert delegates.level(conn, "bob", "alice") is delegates.level(conn, "alice", "carol") is Access.NONE
