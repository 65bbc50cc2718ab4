"""Real CalDAV servers of other people in this process, over real HTTP: a stock Radicale and a Xandikos, each with its own store.

    with radicale(folder) as server:          # about 20 ms to start; the faster one with many small requests
        with server.hands() as client: …      # an httpx client that is signed in
        home = server.home                    # "/alex/" or the like
        server.make_calendar("work")          # its path

``server.screws`` stands between the socket and the server: it counts, and does what servers and proxies do to people.
"""

import base64
import copy
import logging
import re
import secrets
import threading
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import contextmanager

import httpx
from werkzeug.test import run_wsgi_app

from bridge.sandbox.faults import ConnectionDropped, Faults
from bridge.sandbox.listener import Listener

USER = "alex"
PASSWORD = "an app-password: Zürich"
DAV, CALDAV, CS = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
READING = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"}
UNSYNCED = {f"{DAV}sync-token", f"{CS}getctag"}


class Screws:
    """WSGI around a server. All of it is off until a test turns it.

    ``without`` names what the server shall not have ("sync", "ctag", "put-etag", "multiget"); ``limit`` cuts
    sync-collection into pages (507); ``cut`` is called with a 207's or an object's body and answers what is left of it;
    ``edit`` with (method, path) runs behind a request that was carried out, before its answer leaves. ``faults`` strike one
    request each, as at the simulated services.
    """

    def __init__(self, app, *, passwords=None):
        self._app = app
        self.passwords = passwords
        self.faults = Faults()
        self.reset()

    def reset(self):
        """All off, and nothing counted or remembered."""
        self.faults.clear()
        self.requests = 0
        self.methods = Counter()
        self.trouble = None
        self.without = set()
        self.limit = None
        self.cut = None
        self.edit = None
        self.respond = None
        self.seen = []
        self._forgotten, self._issued = set(), set()
        self._pages = {}

    @property
    def writes(self):
        return sum(self.written().values())

    def written(self):
        """How often, by method."""
        return {method: count for method, count in self.methods.items() if method not in READING}

    def forget_tokens(self):
        """No sync token handed out so far is good any more."""
        self._forgotten |= self._issued

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        body = environ["wsgi.input"].read()
        environ["wsgi.input"].seek(0)
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # so that what is answered can be read and cut here
        hands = environ.pop("HTTP_X_HANDS", "")
        if not hands:
            self.requests += 1
            self.methods[method] += 1
            self.seen.append((method, path, environ))
        status, headers, payload = self._answer(environ, method, path, body, hands)
        start_response(status, headers)
        return [payload]

    def _answer(self, environ, method, path, body, hands):
        if self.passwords is not None and not self._signed_in(environ):
            return "401 Unauthorized", [("WWW-Authenticate", 'Basic realm="dav"')], b""
        if hands:
            return self._carried_out(environ)
        if self.respond is not None and (answer := self.respond(method, path, environ)) is not None:
            return answer
        fault = self.faults.take(method, path)
        if fault is not None and fault.phase == "before":
            return _struck(fault)
        answer = self._behaved(environ, method, path, body)
        return answer if fault is None else _struck(fault)

    def _behaved(self, environ, method, path, body):
        if self.trouble == "down":
            return "503 Service Unavailable", [], b"Canary 4711"
        if self.trouble == "busy":
            return "429 Too Many Requests", [("Retry-After", "7")], b""
        status, headers, payload = self._turned(environ, method, path, body)
        if self.trouble == "answer lost":
            raise ConnectionDropped
        if self.edit is not None:
            self.edit(method, path)
        if self.cut is not None and (status.startswith("207") or method == "GET"):
            payload = self.cut(payload)
        return status, headers, payload

    def _signed_in(self, environ):
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            name, _, password = base64.b64decode(token).decode().partition(":")
        except ValueError:
            return False
        return scheme.lower() == "basic" and self.passwords.get(name) == password

    def _carried_out(self, environ):
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return status, headers.to_wsgi_list(), b"".join(chunks)

    def _turned(self, environ, method, path, body):
        report = re.search(rb"<(?:\w+:)?(sync-collection|calendar-multiget)\b", body) if method == "REPORT" else None
        kind = report[1].decode() if report else ""
        if (kind == "sync-collection" and "sync" in self.without) or (
            kind == "calendar-multiget" and "multiget" in self.without
        ):
            return _refused("supported-report")
        if kind == "sync-collection":
            return self._synced(environ, path, body)
        status, headers, payload = self._carried_out(environ)
        if method == "PROPFIND" and status.startswith("207") and self.without & {"sync", "ctag"}:
            payload = self._stripped(payload)
        if method == "PUT" and "put-etag" in self.without:
            headers = [(name, value) for name, value in headers if name.lower() != "etag"]
        return status, headers, payload

    def _stripped(self, payload):
        root = ET.fromstring(payload)
        gone = {f"{DAV}sync-token"} if "sync" in self.without else set()
        gone |= {f"{CS}getctag"} if "ctag" in self.without else set()
        for parent in list(root.iter()):
            for child in list(parent):
                reports = child.tag == f"{DAV}supported-report" and child.find(f".//{DAV}sync-collection") is not None
                if child.tag in gone or (reports and "sync" in self.without):
                    parent.remove(child)
        return ET.tostring(root)

    def _synced(self, environ, path, body):
        token = ET.fromstring(body).findtext(f"{DAV}sync-token") or ""
        if token in self._forgotten:
            return _refused("valid-sync-token")
        if token in self._pages:
            return self._paged(path, *self._pages[token])
        status, headers, payload = self._carried_out(environ)
        if not status.startswith("207"):
            return status, headers, payload
        root = ET.fromstring(payload)
        issued = root.findtext(f"{DAV}sync-token")
        self._issued.add(issued)
        self._forgotten.discard(issued)  # Radicale's token is a digest of what there is: told again, it is known again
        if self.limit is None:
            return status, headers, payload
        return self._paged(path, root.findall(f"{DAV}response"), root.findtext(f"{DAV}sync-token"))

    def _paged(self, path, responses, token):
        root = ET.Element(f"{DAV}multistatus")
        root.extend(copy.deepcopy(each) for each in responses[: self.limit])
        if rest := responses[self.limit :]:
            here = f"urn:page:{secrets.token_hex(8)}"
            self._pages[here] = (rest, token)
            self._issued.add(here)
            more = ET.SubElement(root, f"{DAV}response")
            ET.SubElement(more, f"{DAV}href").text = path
            ET.SubElement(more, f"{DAV}status").text = "HTTP/1.1 507 Insufficient Storage"
            token = here
        ET.SubElement(root, f"{DAV}sync-token").text = token
        return "207 Multi-Status", [("Content-Type", "application/xml; charset=utf-8")], ET.tostring(root)


def _struck(fault):
    if fault.drop:
        raise ConnectionDropped
    return f"{fault.status} Struck", [*fault.headers.items()], fault.payload()


def _refused(precondition):
    body = f'<error xmlns="DAV:"><{precondition}/></error>'.encode()
    return "403 Forbidden", [("Content-Type", "application/xml")], body


class Server:
    """A running one. ``home`` is the path of the calendar home."""

    def __init__(self, url, home, screws):
        self.url, self.home, self.screws = url, home, screws

    @contextmanager
    def hands(self):
        """Its owner's other client: neither counted nor disturbed by the screws."""
        with httpx.Client(
            base_url=self.url, auth=(USER, PASSWORD), headers={"X-Hands": "1"}, timeout=30, verify=False
        ) as client:
            yield client

    def make_calendar(self, name, *, components=("VEVENT",), **props):
        """Its path. ``props`` are its name and colour (displayname, color)."""
        kinds = "".join(f'<C:comp name="{each}"/>' for each in components)
        shown = "".join(
            [
                f"<D:displayname>{props['displayname']}</D:displayname>" if "displayname" in props else "",
                f"<A:calendar-color>{props['color']}</A:calendar-color>" if "color" in props else "",
            ]
        )
        body = (
            '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/">'
            f"<D:set><D:prop>{shown}<C:supported-calendar-component-set>{kinds}</C:supported-calendar-component-set>"
            "</D:prop></D:set></C:mkcalendar>"
        )
        path = f"{self.home}{name}/"
        with self.hands() as client:
            client.request("MKCALENDAR", path, content=body, headers={"Content-Type": "text/xml"}).raise_for_status()
        return path


@contextmanager
def serving(app, home, *, passwords=None):
    """Any WSGI application behind the screws."""
    screws = Screws(app, passwords=passwords)
    listener = Listener("127.0.0.1", 0, screws)
    try:
        yield Server(f"http://127.0.0.1:{listener.server_address[1]}", home, screws)
    finally:
        listener.close()


def in_store(folder, path):
    """The folder in which ``radicale(folder)`` keeps the objects of the calendar at this path, each in a file of its name."""
    return folder / "radicale" / "collection-root" / path.strip("/")


@contextmanager
def radicale(folder):
    """Stock Radicale with its own filesystem store in ``folder``, its own htpasswd sign-in, and no calendar yet."""
    from radicale import Application, config

    (folder / "radicale" / "collection-root").mkdir(parents=True, exist_ok=True)  # it would say so in the log
    (folder / "htpasswd").write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
    configuration = config.load()
    configuration.update(
        {
            "auth": {
                "type": "htpasswd",
                "htpasswd_filename": str(folder / "htpasswd"),
                "htpasswd_encryption": "plain",
                "delay": "0",
            },
            "storage": {"filesystem_folder": str(folder / "radicale"), "_filesystem_fsync": "False"},
            "rights": {"type": "owner_only"},
            "logging": {"level": "critical"},
        },
        "test",
        privileged=True,
    )
    log = logging.getLogger("radicale")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it shares this process, not the log of what is tested in it
    try:
        with serving(Application(configuration), f"/{USER}/") as server:
            with server.hands() as client:  # a principal is made at the first sign-in
                client.request("PROPFIND", server.home, headers={"Depth": "0"}).raise_for_status()
            yield server
    finally:
        log.setLevel(level)


@contextmanager
def xandikos(folder):
    """Xandikos with its git store in ``folder``. It leaves signing in to others: the screws do that."""
    from xandikos.web import SingleUserFilesystemBackend, XandikosApp

    (folder / "xandikos").mkdir(exist_ok=True)
    backend = SingleUserFilesystemBackend(str(folder / "xandikos"))
    backend.create_principal(f"/{USER}/", create_defaults=False)
    backend._mark_as_principal(f"/{USER}/")
    app = XandikosApp(backend, f"/{USER}/")
    lock = threading.Lock()  # it is made for one event loop

    def alone(environ, start_response):
        with lock:
            return app.handle_wsgi_request(environ, start_response)

    with serving(alone, f"/{USER}/calendars/", passwords={USER: PASSWORD}) as server:
        yield server
