"""What DAVx5 sends when a phone and another side change the same event, request by request (R37, R38; CLIENTS §1.2)."""

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"


def synced(dav, token=""):
    """(etags by href, None for what is gone; the new token), as its sync-collection asks."""
    body = (
        f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    answer = dav.report(CALENDAR, body, Depth="0")
    found = {href: None if answer.status(href) else answer.text(href, "D:getetag") for href in answer.hrefs}
    return found, answer.root.findtext("D:sync-token", namespaces=dav.NAMES)


def test_r37_an_edit_of_what_was_deleted_elsewhere_comes_to_an_end(dav, event):
    """412, then the deletion is seen, then the phone's copy goes up as a new one: no endless circle."""
    etag = dav.put(A, event("a"), If_None_Match="*").headers["ETag"]
    _, token = synced(dav)
    assert dav.request("DELETE", A).status_code == 204
    edited = event("a", "DTSTART:20260311T090000Z")
    assert dav.put(A, edited, If_Match=etag).status_code == 412
    found, token = synced(dav, token)
    assert found == {A: None}
    assert dav.put(A, edited, If_None_Match="*").status_code == 201
    found, token = synced(dav, token)
    assert found == {A: dav.get(A).headers["ETag"]}
    assert synced(dav, token)[0] == {}


def test_r36_r37_an_edit_of_what_was_edited_elsewhere_loses_nothing(dav, event):
    """412, then the other version is fetched and edited, with the etag of that one."""
    etag = dav.put(A, event("a"), If_None_Match="*").headers["ETag"]
    _, token = synced(dav)
    theirs = event("a", "DTSTART:20260311T090000Z")
    assert dav.put(A, theirs, If_Match=etag).status_code == 204
    assert dav.put(A, event("a", "DTSTART:20260312T090000Z"), If_Match=etag).status_code == 412
    found, token = synced(dav, token)
    fetched = dav.get(A)
    assert (fetched.content, fetched.headers["ETag"]) == (theirs, found[A])
    both = theirs.replace(b"END:VEVENT", b"LOCATION:Here\r\nEND:VEVENT")
    assert dav.put(A, both, If_Match=found[A]).status_code == 204
    assert dav.get(A).content == both


def test_r38_an_etag_moves_with_its_object_alone(dav, event):
    """Neither what happens to others, nor looking, nor the collection's properties, nor the same bytes again."""
    etag = dav.put(A, event("a"), If_None_Match="*").headers["ETag"]
    _, token = synced(dav)
    dav.put(CALENDAR + "b.ics", event("b"))
    dav.request("DELETE", CALENDAR + "b.ics")
    dav.multi(
        "PROPPATCH",
        CALENDAR,
        "<D:propertyupdate><D:set><D:prop><D:displayname>Home</D:displayname></D:prop></D:set></D:propertyupdate>",
    )
    assert dav.put(A, event("a"), If_Match=etag).status_code == 204
    dav.get(A)
    assert A not in synced(dav, token)[0]
    assert dav.get(A).headers["ETag"] == etag
