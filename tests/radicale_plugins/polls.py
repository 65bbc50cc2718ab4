"""What devices ask all day, byte by byte: of a calendar, of a home, and what is new in one."""

HOME, CALENDAR = "/alice/", "/alice/calendar/"
POLL = ("CS:getctag", "D:sync-token", "D:displayname", "D:current-user-privilege-set", "D:resourcetype")


def told(client, path=CALENDAR):
    """A multistatus, byte by byte."""
    body = "".join(f"<{name}/>" for name in POLL)
    return client.xml("PROPFIND", path, f"<D:propfind><D:prop>{body}</D:prop></D:propfind>", Depth="0").content


def listed(client, path=HOME):
    body = "".join(f"<{name}/>" for name in POLL)
    return client.xml("PROPFIND", path, f"<D:propfind><D:prop>{body}</D:prop></D:propfind>", Depth="1").content


def synced(client, path=CALENDAR, token="", level="1"):
    asked = f"<D:sync-token>{token}</D:sync-token><D:sync-level>{level}</D:sync-level><D:prop><D:getetag/></D:prop>"
    return client.xml("REPORT", path, f"<D:sync-collection>{asked}</D:sync-collection>").content
