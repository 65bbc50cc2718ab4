"""X-16: where a meeting is joined by video. What Google has made reaches the phone; nothing said here touches Google's link."""

from tests.support.bridged import at, event


def meet(story, title):
    """A person adds a Meet on Google's page."""
    id = story.google.find(title)
    wanted = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    path = f"calendars/primary/events/{id}"
    story.google.client.patch(f"{path}?conferenceDataVersion=1", json={"conferenceData": wanted}).raise_for_status()
    return link(story, title)


def link(story, title):
    id = story.google.find(title)
    return story.google.client.get(f"calendars/primary/events/{id}").raise_for_status().json()["hangoutLink"]


def put(story):
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10)))
    story.rest()


def test_a_meet_link_reaches_the_phone_and_other_edits_leave_both(story):
    put(story)
    made = meet(story, "Tea")
    story.rest()
    assert f"CONFERENCE;VALUE=URI;FEATURE=VIDEO:{made}\r\n" in story.phone.stored()["tea"]
    story.graph.retitle(story.graph.find("Tea"), "Cake")
    story.rest()
    assert f":{made}\r\n" in story.phone.stored()["tea"]
    assert link(story, "Cake") == made
    story.compared()


def test_a_phone_that_drops_it_does_not_take_googles_link_away(story):
    put(story)
    made = meet(story, "Tea")
    story.rest()
    story.phone.put("tea", event("Tea at last", at(1, 9), at(1, 10)))
    story.rest()
    assert link(story, "Tea at last") == made
    assert "CONFERENCE" not in story.phone.stored()["tea"]
    story.compared()


def test_a_link_from_the_phone_comes_back_from_nowhere_else(story):
    ours = "CONFERENCE;VALUE=URI;FEATURE=VIDEO;LABEL=Join:https://meet.example.com/tea"
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10), ours))
    story.rest()
    before = story.phone.stored()["tea"]
    story.google.retitle(story.google.find("Tea"), "Cake")
    story.rest()
    assert f"{ours}\r\n" in story.phone.stored()["tea"] != before
    assert story.mails() == []
