"""Asking a person. In a script nobody answers: then nothing is done, and it is said which option goes on without asking."""

from __future__ import annotations

import getpass
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bridge.cli.state import fail, printable


def confirm(question: str) -> None:
    """Return with a yes. A no ends the command with exit code 1, and the end of the input with 2."""
    with _answered(otherwise="say --yes to go on without being asked"):
        agreed = typer.confirm(printable(question))
    if not agreed:
        typer.echo("Nothing was done.")
        raise typer.Exit(1)


def password() -> str:
    """Asked for without being shown."""
    with (
        _answered(otherwise="say --password-stdin to read the password from standard input"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", getpass.GetPassWarning)  # there is no terminal whose echo it could turn off
        typed: str = typer.prompt("Password", hide_input=True, err=True)
    return typed


@contextmanager
def _answered(*, otherwise: str) -> Iterator[None]:
    try:
        yield
    except typer.Abort as error:
        # Ctrl-C comes as the same exception as the end of the input
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        typer.echo()
        fail(f"nothing done; {otherwise}")
