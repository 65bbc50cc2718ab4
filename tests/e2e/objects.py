"""Calendar objects as text, and what a collection in the hub has: for the stories of programs that others wrote."""


def component(kind, uid, title, *lines):
    return "\r\n".join([
        f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{title}", *lines, f"END:{kind}", "",
    ])  # fmt: skip


def resource(*components):
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{''.join(components)}END:VCALENDAR\r\n".encode()


def stored(web, place):
    """The objects of a collection, by address."""
    listed = web.request("PROPFIND", place, headers={"Depth": "1"}).text
    hrefs = [part.split("<")[0] for part in listed.split("href>") if part.split("<")[0].endswith(".ics")]
    return {href: web.get(href).text for href in dict.fromkeys(hrefs)}
