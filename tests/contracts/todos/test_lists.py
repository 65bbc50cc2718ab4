"""The account's lists of to-dos: which there are, and that a consent which leaves them out takes nothing else away."""

import pytest

from bridge.errors import Gone, Refused, Throttled, Unreachable


def lists(account):
    return [each for each in account.calendars() if each.component == "VTODO"]


def test_lists_stand_behind_the_calendars_and_open(todos, now):
    todos.add_list("Shopping")
    found = [each.component for each in todos.account.calendars()]
    assert found == sorted(found)
    assert {"VEVENT", "VTODO"} == set(found)
    assert todos.calendar in lists(todos.account)
    for each in lists(todos.account):
        remote = todos.account.remote(each)
        assert remote.lens.component == "VTODO"
        assert not remote.page(None, now=now).items


def test_one_list_is_the_default(todos):
    assert [each.primary for each in lists(todos.account)] == [True]
    todos.add_list("Shopping")
    todos.add_list("Another")
    assert [each.id for each in lists(todos.account) if each.primary] == [todos.calendar.id]
    assert {"Shopping", "Another"} < {each.name for each in lists(todos.account)}
    assert all(each.writable for each in lists(todos.account))


def test_r28_without_consent_there_are_no_lists_and_all_the_calendars(todos):
    calendars = [each for each in todos.account.calendars() if each.component == "VEVENT"]
    account = todos.without_consent()
    assert account.calendars() == calendars
    assert account.identity() == todos.account.identity()


@pytest.mark.parametrize("kind", ["down", "answer lost"])
def test_an_outage_is_not_taken_for_an_account_without_lists(todos, kind):
    with todos.trouble(kind), pytest.raises(Unreachable):
        todos.account.calendars()


def test_nor_is_a_rate_limit(todos):
    with todos.trouble("busy"), pytest.raises(Throttled):
        todos.account.calendars()


def test_r5_a_list_that_is_gone_is_refused_and_not_empty(todos, now):
    id = todos.add_list("Shopping")
    remote = todos.account.remote(next(each for each in lists(todos.account) if each.id == id))
    cursor = remote.page(None, now=now).cursor
    todos.remove_list(id)
    for at in (None, cursor):
        with pytest.raises(Refused) as caught:
            remote.page(at, now=now)
        assert not isinstance(caught.value, Gone)
