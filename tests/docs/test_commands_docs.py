"""A command or an option that is not documented fails."""

from pathlib import Path

import pytest
import typer

from bridge.cli.main import app

TEXT = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()


def every_command():
    root = typer.main.get_command(app)
    for name, command in root.commands.items():
        for inner, each in getattr(command, "commands", {"": command}).items():
            yield f"{name} {inner}".strip(), each


@pytest.mark.parametrize("command", [name for name, _ in every_command()])
def test_every_command_is_documented(command):
    assert f"| `{command}" in TEXT


@pytest.mark.parametrize(("command", "each"), list(every_command()))
def test_every_option_is_documented(command, each):
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{command}"))
    for parameter in each.params:
        if parameter.param_type_name == "option" and not parameter.hidden and parameter.name != "help":
            assert parameter.opts[0] in row, f"{command} {parameter.opts[0]}"
