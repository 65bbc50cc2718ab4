"""What Evolution and GNOME Calendar do, with their own data server; run by the system's Python in a D-Bus session.

Reads a command a line from stdin, a JSON list, and answers each with a line. ``discover`` comes first, ``open`` before the others.
"""

import json
import sys
import threading
from urllib.parse import urlsplit

import gi

gi.require_versions({"ECal": "2.0", "EDataServer": "1.2", "ICalGLib": "3.0"})
from gi.repository import ECal, GLib, ICalGLib  # noqa: E402 - their versions are chosen first
from gi.repository import EDataServer as Eds  # noqa: E402

KINDS = {"events": ECal.ClientSourceType.EVENTS, "tasks": ECal.ClientSourceType.TASKS}
EXTENSIONS = {"events": Eds.SOURCE_EXTENSION_CALENDAR, "tasks": Eds.SOURCE_EXTENSION_TASK_LIST}
WANTED = Eds.WebDAVDiscoverSupports.EVENTS | Eds.WebDAVDiscoverSupports.TASKS
SECONDS = 60


class Hands:
    def __init__(self, url, user, password):
        # it asks for the password whenever it likes, also while a call below waits for it
        threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
        self.url, self.user = url, user
        self.credentials = Eds.NamedParameters.new()
        self.credentials.set("username", user)
        self.credentials.set("password", password)
        self.registry = Eds.SourceRegistry.new_sync(None)
        self.client = None

    def _source(self, url):
        source = Eds.Source.new(None, None)
        place = urlsplit(url)
        sign_in = source.get_extension(Eds.SOURCE_EXTENSION_AUTHENTICATION)
        sign_in.set_host(place.hostname)
        sign_in.set_port(place.port)
        sign_in.set_user(self.user)
        sign_in.set_method("plain/password")
        source.get_extension(Eds.SOURCE_EXTENSION_SECURITY).set_method("none")
        source.get_extension(Eds.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path(place.path)
        return source

    def discover(self):
        """What is found below the address, and the addresses of the person."""
        done, _, _, found, addresses = Eds.webdav_discover_sources_sync(
            self._source(self.url), self.url, WANTED, self.credentials, None
        )
        assert done
        return {
            "calendars": {
                one.href: {
                    "name": one.display_name,
                    "colour": one.color,
                    "events": bool(one.supports & Eds.WebDAVDiscoverSupports.EVENTS),
                    "tasks": bool(one.supports & Eds.WebDAVDiscoverSupports.TASKS),
                    "schedules": bool(one.supports & Eds.WebDAVDiscoverSupports.CALENDAR_AUTO_SCHEDULE),
                }
                for one in found
            },
            "addresses": addresses,
        }

    def open(self, url, kind):
        """Add the calendar to the data server and wait until its CalDAV backend has signed in."""
        source = self._source(url)
        source.set_display_name(kind)
        source.set_parent("caldav-stub")
        source.get_extension(EXTENSIONS[kind]).set_backend_name("caldav")
        self.registry.commit_source_sync(source, None)
        source = self.registry.ref_source(source.get_uid())
        source.connect("credentials-required", lambda asking, *_: asking.invoke_authenticate_sync(self.credentials))
        self.client = ECal.Client.connect_sync(source, KINDS[kind], SECONDS, None)
        self.client.wait_for_connected_sync(SECONDS, None)
        return {"read_only": self.client.is_readonly()}

    def shows(self):
        """What it has, after asking the server."""
        self.client.refresh_sync(None)
        _, found = self.client.get_object_list_sync("#t", None)
        return sorted(one.as_ical_string() for one in found)

    def create(self, text):
        return self.client.create_object_sync(ICalGLib.Component.new_from_string(text), ECal.OperationFlags.NONE, None)[
            1
        ]

    def rename(self, uid, title):
        _, component = self.client.get_object_sync(uid, None, None)
        component.set_summary(title)
        self.client.modify_object_sync(component, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)

    def remove(self, uid):
        self.client.remove_object_sync(uid, None, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)


hands = Hands(*sys.argv[1:])
for line in sys.stdin:
    word, *arguments = json.loads(line)
    try:
        answer = {"done": getattr(hands, word)(*arguments)}
    except GLib.Error as error:
        answer = {"failed": f"{error.domain}: {error.message}"}
    print(json.dumps(answer), flush=True)
