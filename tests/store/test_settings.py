"""JSON values by name."""

from bridge.store import settings


def test_a_value_reads_back_and_can_be_replaced_and_removed(database):
    for value in ({"a": [1, None, "ä"]}, None, "", 0, [], "http://127.0.0.1:5232"):
        with database.write() as conn:
            settings.put(conn, "thing", value)
        with database.read() as conn:
            assert settings.get(conn, "thing", "default") == value
    with database.write() as conn:
        settings.remove(conn, "thing")
        settings.remove(conn, "thing")
    with database.read() as conn:
        assert settings.get(conn, "thing") is None
        assert settings.get(conn, "thing", 7) == 7
