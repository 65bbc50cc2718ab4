"""The real client of Home Assistant and others, from making a calendar to a deleted event."""

import datetime as dt
import threading

import caldav
import pytest

START = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def client(base, alice):
    name, password = alice
    with caldav.DAVClient(base + "/.well-known/caldav", username=name, password=password) as opened:
        yield opened


def test_a_life_of_an_event(client):
    calendar = client.principal().make_calendar(name="Work", cal_id="work", supported_calendar_component_set=["VEVENT"])
    assert calendar.get_supported_components() == ["VEVENT"]
    event = calendar.add_event(dtstart=START, dtend=START + HOUR, summary="Tea")
    with event.edit_icalendar_instance() as data:
        data.subcomponents[0]["summary"] = "Coffee"
    event.save()
    (again,) = calendar.get_events()
    assert again.icalendar_component["summary"] == "Coffee"
    assert calendar.get_event_by_uid(event.id).url == event.url
    event.delete()
    assert calendar.get_events() == []
    calendar.delete()
    assert "Work" not in {each.get_display_name() for each in client.principal().get_calendars()}


def test_a_save_over_somebody_elses_change_fails(client):
    (calendar,) = [each for each in client.principal().get_calendars() if each.get_display_name() == "Calendar"]
    mine = calendar.add_event(dtstart=START, dtend=START + HOUR, summary="Tea")
    theirs = calendar.get_event_by_uid(mine.id)
    mine.load()
    theirs.load()
    for copy, title in ((theirs, "Coffee"), (mine, "Juice")):
        with copy.edit_icalendar_instance() as data:
            data.subcomponents[0]["summary"] = title
    theirs.save()
    with pytest.raises(caldav.lib.error.DAVError):
        mine.save()
    mine.load()
    assert mine.icalendar_component["summary"] == "Coffee"


def test_searches(client):
    (calendar,) = [each for each in client.principal().get_calendars() if each.get_display_name() == "Calendar"]
    calendar.add_event(dtstart=START, dtend=START + HOUR, summary="Tea", rrule={"FREQ": "WEEKLY", "COUNT": 4})
    calendar.add_event(dtstart=START + DAY, dtend=START + DAY + HOUR, summary="Dentist")
    calendar.add_event(dtstart=dt.date(2026, 3, 12), dtend=dt.date(2026, 3, 13), summary="Holiday")

    def titles(**kwargs):
        return sorted(str(each.icalendar_component["summary"]) for each in calendar.search(event=True, **kwargs))

    assert titles(start=START, end=START + 3 * DAY) == ["Dentist", "Holiday", "Tea"]
    assert titles(start=START + 14 * DAY, end=START + 15 * DAY) == ["Tea"]
    assert titles(start=START + 35 * DAY, end=START + 36 * DAY) == []
    assert titles(summary="Dent") == ["Dentist"]
    for by_server in (True, False):
        month = {"start": START, "end": START + 30 * DAY, "expand": True, "server_expand": by_server}
        assert titles(**month).count("Tea") == 4, by_server


def test_sync_by_token(client):
    (calendar,) = [each for each in client.principal().get_calendars() if each.get_display_name() == "Calendar"]
    first = calendar.add_event(dtstart=START, dtend=START + HOUR, summary="Tea")
    synced = calendar.get_objects_by_sync_token(load_objects=True)
    assert [str(each.icalendar_component["summary"]) for each in synced] == ["Tea"]
    calendar.add_event(dtstart=START, dtend=START + HOUR, summary="Coffee")
    first.delete()
    updated, deleted = synced.sync()
    assert [str(each.icalendar_component["summary"]) for each in updated] == ["Coffee"]
    assert [each.url for each in deleted] == [first.url]
    assert synced.sync() == ([], [])


def test_to_dos_live_in_their_own_list(client):
    (tasks,) = [each for each in client.principal().get_calendars() if each.get_display_name() == "Tasks"]
    todo = tasks.add_todo(summary="Milk", due=START)
    assert [str(each.icalendar_component["summary"]) for each in tasks.get_todos()] == ["Milk"]
    todo.complete()
    assert tasks.get_todos() == []
    with pytest.raises(caldav.lib.error.DAVError):
        tasks.add_event(dtstart=START, dtend=START + HOUR, summary="Not here")


def test_eight_phones_at_once_lose_nothing(base, alice, dav, event):
    """Threads, one transaction each; every write gets its revision."""
    import httpx

    problems = []

    def phone(n):
        with httpx.Client(base_url=base, auth=alice, verify=False, timeout=30) as client:
            for m in range(5):
                path = f"/alice/calendar/{n}-{m}.ics"
                reply = client.put(path, content=event(f"{n}-{m}"), headers={"If-None-Match": "*"})
                if reply.status_code != 201:
                    problems.append(reply.status_code)
                if client.get(path).content != event(f"{n}-{m}"):
                    problems.append(path)

    threads = [threading.Thread(target=phone, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(dav.props("/alice/calendar/", "D:getetag", depth="1").hrefs) == 41
    token = dav.props("/alice/calendar/", "D:sync-token").text("/alice/calendar/", "D:sync-token")
    assert token.endswith("-40")
