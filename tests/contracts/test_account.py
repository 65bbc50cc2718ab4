"""The account: who it is, and which calendars it sees."""

from tests.contracts.bench import Mirror, reads


@reads
def test_the_identity_is_stable_and_can_be_shown(bench):
    subject, email = bench.account.identity()
    assert subject
    assert email if bench.calendar.writable is False else "@" in email, "a feed has a host to show, not a person"
    assert bench.account.identity() == (subject, email)


def test_there_is_one_primary_calendar_and_it_can_be_written(bench):
    calendars = bench.account.calendars()
    primary = [each for each in calendars if each.primary and each.component == "VEVENT"]
    assert len(primary) == 1
    assert primary[0].writable
    assert len({each.id for each in calendars}) == len(calendars)
    assert bench.calendar in calendars
    assert all(each.name for each in calendars)
    assert all(each.color == "" or (each.color[0] == "#" and len(each.color) == 7) for each in calendars)


@reads
def test_each_calendar_opens(bench, now):
    for calendar in bench.account.calendars():
        Mirror(bench.account.remote(calendar), now).follow()
