"""A person's other client at a real CalDAV server, which edits one property in the server's text and leaves the rest alone."""

from bridge.providers.caldav.mapping import CaldavLens
from tests.laws.hands import TITLE
from tests.support.caldav_hands import Hands

WORDS = {
    "summary": ("SUMMARY", TITLE, "Yet others"),
    "description": ("DESCRIPTION", TITLE, "Yet others"),
    "location": ("LOCATION", TITLE, "Yet others"),
    "status": ("STATUS", "TENTATIVE", "CONFIRMED"),
    "transp": ("TRANSP", "TRANSPARENT", "OPAQUE"),
    "classification": ("CLASS", "PRIVATE", "CONFIDENTIAL"),
    "categories": ("CATEGORIES", "Other", "Another"),
    "priority": ("PRIORITY", "1", "9"),
    "url": ("URL", "https://example.net/other", "https://example.net/others"),
    "color": ("COLOR", "tomato", "teal"),
    "geo": ("GEO", "48.1;16.2", "-12.5;99.0"),
}
"""The property of a field, and two values of which one is another than it has."""


class Caldav:
    provider = "caldav"
    fields = tuple(WORDS)
    of_the_series = ()
    lens = CaldavLens()

    def __init__(self, client, path):
        self._hands = Hands(client, path)

    def event(self, id):
        return {"recurrence": any(name.startswith("RRULE") for name, _ in self._master(self._text(id)))}

    def occurrences(self, id):
        return []

    def edit(self, id, field):
        name, one, other = WORDS[field]
        text = self._text(id)
        master = self._master(text)
        there = [line for head, line in master if head == name]
        value = other if any(line.partition(":")[2].strip() == one for line in there) else one
        lines = [line for line in text if line not in there or line not in [each for _, each in master]]
        place = lines.index(master[0][1]) if master[0][1] in lines else lines.index("BEGIN:VEVENT") + 1
        lines.insert(place, f"{name}:{value}")
        self._hands.put_text(id.rpartition("/")[2], "\r\n".join(lines))

    def _text(self, id):
        answer = self._hands.client.get(id)
        answer.raise_for_status()
        return answer.content.decode().replace("\r\n ", "").replace("\r\n\t", "").split("\r\n")

    def _master(self, lines):
        """(name, line) of the properties of the event itself."""
        found, event, depth = [], [], 0
        for line in lines:
            head = line.partition(":")[0].partition(";")[0].upper()
            if line.upper() == "BEGIN:VEVENT":
                event, depth = [], 1
            elif depth and head == "BEGIN":
                depth += 1
            elif depth and head == "END":
                depth -= 1
                if not depth and not any(name == "RECURRENCE-ID" for name, _ in event):
                    found = event
            elif depth == 1:
                event.append((head, line))
        return found
