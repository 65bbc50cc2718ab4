"""X-14, X-24: a colour goes to Google and back, coordinates to Outlook and back, and neither takes it from the phone unasked."""

import pytest
import sqlalchemy as sa

from bridge.store import tables
from tests.support.bridged import at, event


def google(story, title, **body):
    path = f"calendars/primary/events/{story.google.find(title)}"
    answer = story.google.client.patch(path, json=body) if body else story.google.client.get(path)
    return answer.raise_for_status().json()


def outlook(story, title, **body):
    path = f"me/events/{story.graph.find(title)}"
    answer = story.graph.client.patch(path, json=body) if body else story.graph.client.get(path)
    return answer.raise_for_status().json()


@pytest.fixture
def tea(story):
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), "LOCATION:Café", "COLOR:Navy", "GEO:48.200;16.37"))
    story.rest()
    return story


def says(story, *lines):
    text = story.phone.stored()["tea"]
    return [any(row == line for row in text.split("\r\n")) for line in lines]


def test_x24_there_and_back(tea):
    story = tea
    assert google(story, "Tea")["colorId"] == "9"
    google(story, "Tea", summary="Coffee")
    story.rest()
    assert says(story, "COLOR:Navy", "GEO:48.200;16.37", "SUMMARY:Coffee") == [True] * 3
    google(story, "Coffee", colorId="11")
    story.rest()
    assert says(story, "COLOR:tomato", "GEO:48.200;16.37") == [True, True]
    google(story, "Coffee", colorId=None)
    story.rest()
    assert "COLOR" not in story.phone.stored()["tea"]
    story.phone.edit("tea", "SUMMARY:Coffee", "SUMMARY:Coffee\r\nCOLOR:green")
    story.rest()
    assert google(story, "Coffee")["colorId"] == "10"
    story.phone.edit("tea", "COLOR:green\r\n", "")
    story.rest()
    assert "colorId" not in google(story, "Coffee")
    story.settle()


def test_x24_a_colour_picked_there_for_one_occurrence_stays_there_alone(story):
    story.phone.put("run", event("Run", at(1, 7), at(1, 8), "RRULE:FREQ=DAILY;COUNT=4", "COLOR:red"))
    story.rest()
    id = story.google.find("Run")
    shown = story.google.client.get(f"calendars/primary/events/{id}/instances").json()["items"]
    assert [each["colorId"] for each in shown] == ["11"] * 4
    story.google.client.patch(f"calendars/primary/events/{shown[2]['id']}", json={"colorId": "10"}).raise_for_status()
    story.rest()
    assert story.phone.stored()["run"].count("COLOR:red") == 1
    assert story.phone.stored()["run"].count("COLOR:forestgreen") == 1
    story.compared()


def test_x14_there_and_back(tea):
    story = tea
    assert outlook(story, "Tea")["location"]["coordinates"] == {"latitude": 48.2, "longitude": 16.37}
    outlook(story, "Tea", subject="Coffee")
    story.rest()
    assert says(story, "GEO:48.200;16.37", "LOCATION:Café") == [True, True]
    outlook(story, "Coffee", location={"displayName": "Park", "coordinates": {"latitude": 48.25, "longitude": -0.5}})
    story.rest()
    assert says(story, "GEO:48.25;-0.5", "LOCATION:Park", "COLOR:Navy") == [True] * 3
    outlook(story, "Coffee", location={"displayName": "At home"})
    story.rest()
    assert "GEO" not in story.phone.stored()["tea"]
    story.phone.edit("tea", "SUMMARY:Coffee", "SUMMARY:Coffee\r\nGEO:1.50;2")
    story.rest()
    place = outlook(story, "Coffee")["location"]
    assert (place["displayName"], place["coordinates"]) == ("At home", {"latitude": 1.5, "longitude": 2})
    story.settle()


def test_x14_coordinates_that_outlook_lost_on_its_own_stay_here(tea):
    story = tea
    outlook(story, "Tea", location={"displayName": "Café"})
    story.rest()
    assert says(story, "GEO:48.200;16.37") == [True]
    google(story, "Tea", location="Elsewhere")
    story.rest()
    assert outlook(story, "Tea")["location"]["displayName"] == "Elsewhere"
    story.compared()


def test_m64_what_outlook_knows_of_a_place_survives_what_is_done_here(tea):
    story = tea
    place = outlook(story, "Tea")["location"] | {"address": {"city": "Wien"}, "locationUri": "https://maps.example/1"}
    outlook(story, "Tea", location=place)
    story.rest()
    story.phone.edit("tea", "GEO:48.200;16.37", "GEO:48.3;16.4")
    story.rest()
    now = outlook(story, "Tea")["location"]
    assert now == place | {"coordinates": {"latitude": 48.3, "longitude": 16.4}}


def test_m64_several_places_survive_what_is_done_here(tea):
    story = tea
    room = {"displayName": "Room 5", "locationEmailAddress": "room5@example.com"}
    outlook(story, "Tea", locations=[{"displayName": "Café"}, room])
    story.rest()
    assert says(story, "LOCATION:Café\\; Room 5") == [True]
    story.phone.edit("tea", "LOCATION:Café\\; Room 5", "LOCATION:Park\\; Room 5")
    story.rest()
    told = outlook(story, "Tea")["locations"]
    assert [each["displayName"] for each in told] == ["Park", "Room 5"]
    assert told[1]["locationEmailAddress"] == "room5@example.com"
    story.settle()


# --- accounts from before there were these fields


def from_before(story):
    """Both services have what no base knows of, and so has the hub."""
    story.phone.put("mine", event("Mine", at(1, 9), at(1, 10), "LOCATION:Café", "COLOR:navy", "GEO:48.2;16.37"))
    story.phone.put("theirs", event("Theirs", at(2, 9), at(2, 10), "LOCATION:Café"))
    story.phone.put("run", event("Run", at(3, 9), at(3, 10), "RRULE:FREQ=DAILY;COUNT=4", "LOCATION:Café"))
    story.rest()
    for title in ("Theirs", "Run"):
        google(story, title, colorId="11")
        outlook(story, title, location={"displayName": "Café", "coordinates": {"latitude": 1.5, "longitude": 2}})
    story.rest()
    for uid in ("theirs", "run"):
        for line in ("COLOR:tomato\r\n", "GEO:1.5;2\r\n"):
            story.phone.edit(uid, line, "")
    with story.context.database.write() as conn:
        for pair in story.pairs.values():  # what has been edited is taken for planned
            conn.execute(
                sa.update(tables.pairs).where(tables.pairs.c.id == pair).values(hub_cursor=revision(conn, pair))
            )
        for row in conn.execute(sa.select(tables.links)).mappings().all():
            this = sa.and_(tables.links.c.pair_id == row["pair_id"], tables.links.c.uid == row["uid"])
            old = {}
            for name in ("hub_base", "remote_base"):
                master = {
                    key: value for key, value in row[name]["master"].items() if key not in ("color", "geo", "aside")
                }
                old[name] = {**row[name], "master": master}
            conn.execute(sa.update(tables.links).where(this).values(old))


def revision(conn, pair):
    calendar = conn.scalar(sa.select(tables.pairs.c.calendar_id).where(tables.pairs.c.id == pair))
    return conn.scalar(sa.select(tables.calendars.c.revision).where(tables.calendars.c.id == calendar))


def test_r42_what_no_base_knows_of_is_no_divergence_and_nothing_is_written_for_it(story):
    from_before(story)
    before, stored = story.writes(), story.phone.stored()
    story.compared()
    story.rest()
    assert story.writes() == before
    assert story.phone.stored() == stored


def test_it_comes_along_when_that_event_is_edited(story):
    from_before(story)
    google(story, "Theirs", summary="Edited there")
    story.phone.edit("mine", "SUMMARY:Mine", "SUMMARY:Edited here")
    story.rest()
    text = story.phone.stored()["theirs"]
    assert "COLOR:tomato\r\n" in text
    assert "GEO:1.5;2\r\n" in text, "with that edit it was looked at for Outlook, too"
    assert "COLOR" not in story.phone.stored()["run"]
    assert google(story, "Edited here")["colorId"] == "9"
    story.settle()
