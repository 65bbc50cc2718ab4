"""caldav-bridge dns: the records by which devices find the server, and whether they are there."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from bridge.cli.state import Json, opened, show_rows
from bridge.services import addresses


def dns(
    ctx: typer.Context,
    domain: Annotated[str, typer.Argument(help="The mail domain of the people, for instance: example.org")],
    nameserver: Annotated[
        str | None, typer.Option("--nameserver", help="Ask this one: an address, or address#port.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the DNS records by which devices find the server from a mail address, and check them; 1 if anything is amiss."""
    from bridge.services import dns_records  # noqa: PLC0415 - no other command needs a resolver
    from bridge.services.dns_records import Verdict  # noqa: PLC0415

    context = opened(ctx)
    url = addresses.public_url(context)
    wanted = dns_records.records(domain, url)
    asked = dns_records.resolver(nameserver)
    findings = [dns_records.check_record(record, asked) for record in wanted]
    name, parts = dns_records.domain_name(domain), urlsplit(url)
    findings.append(dns_records.check_well_known(name, url))
    served = dns_records.domain_name(parts.hostname or ""), parts.port or 443
    for host, port in dict.fromkeys([(name, 443), served]):
        findings.append(dns_records.check_certificate(host, port, now=context.now()))
    rows = [{"state": each.verdict.value, "what": each.what, "to do": each.advice} for each in findings]
    show_rows(rows, as_json=as_json, empty="", below=("what", "to do"))
    if any(each.verdict is not Verdict.OK for each in findings):
        raise typer.Exit(1)
