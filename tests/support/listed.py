"""A person whose lists of to-dos are mirrored: the phone's hands on *Tasks*, and hers in Google Tasks and Microsoft To Do."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
import icalendar

from bridge.services import pairing
from bridge.store import calendars, objects
from tests.support import bridged, simulated_graph
from tests.support.bridged import PERSON, Bridged, Phone
from tests.support.simulated_google import TASKS

PREFER = 'IdType="ImmutableId", outlook.timezone="W. Europe Standard Time"'
TODO_SCOPES = (*simulated_graph.SCOPES, "Tasks.ReadWrite")


class TodoPhone(Phone):
    """Puts VTODOs."""

    def put(self, uid, *lines):
        super().put(uid, "\n".join(lines))

    def write(self, conn, href, data):
        data = data.replace(b"BEGIN:VEVENT", b"BEGIN:VTODO").replace(b"END:VEVENT", b"END:VTODO")
        super().write(conn, href, data)

    def replace(self, uid, text):
        """The whole object, as a phone puts it."""
        with self.context.database.write() as conn:
            stored = objects.by_uid(conn, self.calendar, uid)
            objects.put(conn, self.calendar, stored.href, text.encode(), actor="device:1", now=self.context.now())

    def find(self, title):
        (uid,) = [uid for uid, each in self.todos().items() if each.get("SUMMARY") == title]
        return uid

    def todos(self):
        """The to-do of each object."""
        return {uid: icalendar.Calendar.from_ical(data).walk("VTODO")[0] for uid, data in self.stored().items()}

    def titles(self):
        return sorted(str(each.get("SUMMARY", "")) for each in self.todos().values())

    def says(self, title, *names):
        """The lines of these properties, as they are written."""
        wanted = {name.upper() for name in names}
        data = self.stored()[self.find(title)].replace("\r\n ", "")
        return [line for line in data.split("\r\n") if line.partition(":")[0].partition(";")[0] in wanted]


@dataclass(eq=False)
class Hands:
    """What both services' own APIs do alike."""

    client: httpx.Client

    def task(self, title):
        (found,) = [each for each in self.all() if each["title"] == title]
        return found

    def titles(self):
        return sorted(each["title"] for each in self.all())

    def edit(self, title, /, **fields):
        self.client.patch(f"{self.list}/{self.task(title)['id']}", json=fields).raise_for_status()

    def tick(self, title):
        self.edit(title, status="completed")

    def remove(self, title):
        self.client.delete(f"{self.list}/{self.task(title)['id']}").raise_for_status()

    def done(self, title):
        return self.task(title)["status"] == "completed"


@dataclass(eq=False)
class GoogleTasks(Hands):
    """The default list, over the API as another app of hers would use it."""

    list: str = "lists/@default/tasks"

    def all(self):
        items, page = [], None
        while True:
            query = {"showHidden": "true", "maxResults": 100, **({"pageToken": page} if page else {})}
            answer = self.client.get(self.list, params=query).raise_for_status().json()
            items += answer.get("items", [])
            page = answer.get("nextPageToken")
            if page is None:
                return items

    def add(self, title, *, parent="", **fields):
        query = {"parent": parent} if parent else {}
        answer = self.client.post(self.list, params=query, json={"title": title, **fields})
        return answer.raise_for_status().json()["id"]

    def due(self, title):
        return self.task(title).get("due", "")[:10]


class MicrosoftTodo(Hands):
    """The list called Tasks."""

    @property
    def list(self):
        lists = self.client.get("me/todo/lists").raise_for_status().json()["value"]
        return f"me/todo/lists/{next(each['id'] for each in lists if each['wellknownListName'] == 'defaultList')}/tasks"

    def all(self):
        url, items = f"{self.list}?$top=100&$expand=linkedResources", []
        while url:
            page = self.client.get(url, headers={"Prefer": PREFER}).raise_for_status().json()
            items += page["value"]
            url = page.get("@odata.nextLink")
        return items

    def add(self, title, **fields):
        return self.client.post(self.list, json={"title": title, **fields}).raise_for_status().json()["id"]

    def due(self, title):
        """The day that is meant: a midnight where she lives."""
        due = self.task(title).get("dueDateTime")
        return due["dateTime"][:10] if due else ""


class Lists(Bridged):
    """``phone``, ``google`` and ``graph`` as in a story of calendars; ``pairs`` are those of the lists."""

    def sign_in(self):
        tokens = {
            self.google: self.sandbox.google.token(PERSON, TASKS, client_id="hands"),
            self.graph: simulated_graph.tokens(self.sandbox.microsoft, scopes=TODO_SCOPES)["access_token"],
        }
        for side, token in tokens.items():
            side.client.headers["Authorization"] = f"Bearer {token}"

    def places(self):
        return {"phone": self.phone, "google": self.google, "graph": self.graph}

    def titles(self):
        """What is on the list, which has to be the same in all places."""
        self.rest()
        seen = {name: side.titles() for name, side in self.places().items()}
        assert seen["google"] == seen["graph"] == seen["phone"], seen
        self.compared()
        return seen["phone"]


def pair_lists(context, *, wanted=("google", "microsoft")):
    """The default list of each service with *Tasks*; the numbers of the pairs."""
    made = {}
    _, held = pairing.calendars_of(context, "alex")
    for account, listed in held:
        found = [one for one in listed if one.calendar.component == "VTODO" and one.calendar.primary]
        if account.provider in wanted:
            (known,) = found
            pair = pairing.add(context, "alex/tasks", str(known.id), direction="both", how_often="realtime").pair
            made[account.provider] = pair.id
    return made


@contextmanager
def opened(sandbox, folder, *, lists=("google", "microsoft"), now=None, before=lambda lists: None):
    """A fresh story; ``before`` may put something into the lists before they are paired and cycled once."""
    with ExitStack() as stack:
        story = stack.enter_context(bridged.opened(sandbox, folder, now=now))
        google = stack.enter_context(httpx.Client(base_url=f"{sandbox.url}/google/tasks/v1/", timeout=30))
        graph = stack.enter_context(simulated_graph.client(sandbox.microsoft, scopes=TODO_SCOPES))
        mine = Lists(sandbox, story.context, GoogleTasks(google), MicrosoftTodo(graph))
        mine.outcomes = []
        mine.sign_in()
        with story.context.database.read() as conn:
            mine.phone = TodoPhone(story.context, calendars.get(conn, "alex", "tasks").id)
        before(mine)
        mine.pairs = pair_lists(story.context, wanted=lists)
        for provider in mine.pairs:
            mine.cycle(provider)
        yield mine
