"""caldav-bridge dns: the records by which devices find the server, and whether they are there."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from bridge.cli.state import Json, opened, show_rows
from bridge.services import addresses, dns_records
from bridge.services.dns_records import Verdict


def dns(
    ctx: typer.Context,
    domain: Annotated[str, typer.Argument(help="The mail domain of the people, for instance: example.org")],
    nameserver: Annotated[
        str | None, typer.Option("--nameserver", help="Ask this one: an address, or address#port.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the DNS records by which devices find the server from a mail address, and check them; 1 if anything is amiss."""
    context = opened(ctx)
    url = urlsplit(addresses.public_url(context))
    wanted = dns_records.records(domain, url.geturl())
    asked = dns_records.resolver(nameserver)
    findings = [dns_records.check_record(record, asked) for record in wanted]
    now, host, port = context.now(), url.hostname or "", url.port or 443
    findings += dns_records.check_https(domain, 443, now=now, well_known=True)
    if (host, port) != (domain, 443):
        findings += dns_records.check_https(host, port, now=now, well_known=False)
    rows = [{"state": each.verdict.value, "what": each.what, "to do": each.advice} for each in findings]
    show_rows(rows, as_json=as_json, empty="", below=("what", "to do"))
    if any(each.verdict is not Verdict.OK for each in findings):
        raise typer.Exit(1)
