"""caldav-bridge notices: what needs a person."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.cli.state import Json, fail, opened, say, show
from bridge.services import noticing


def notices(
    ctx: typer.Context,
    test: Annotated[bool, typer.Option("--test", help="Send a message to the addresses of [notify] urls.")] = False,
    as_json: Json = False,
) -> None:
    """Show what needs a person now, and what to do about it. They are sent to the addresses of [notify], if there are any."""
    context = opened(ctx)
    if test:
        if not noticing.send_test(context):
            fail("the message could not be sent to every address of [notify] urls", code=1)
        say("The message was sent.")
        return
    # where no worker runs nobody else would notice that
    noticing.review(context)
    shown = noticing.open_notices(context)
    rows = [
        {
            "notice": one.notice.id,
            "kind": one.notice.kind,
            "subject": one.notice.subject,
            "detail": one.notice.detail,
            "raised_at": one.notice.raised_at,
            "sent_at": one.notice.sent_at,
            "title": one.message.title,
            "text": one.message.text,
        }
        for one in shown
    ]
    text = "\n\n".join(f"{one.message.title}\n  {one.message.text}" for one in shown) or "Nothing needs a person."
    show(rows, as_json=as_json, text=text)
