"""The unit files start commands that exist, with settings that exist."""

import re
from pathlib import Path

import pytest
import typer

from bridge.cli.main import app
from bridge.config import Settings

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
HOW_TO = (ROOT / "docs/how-to/run-as-a-service.md").read_text()


def values(unit, key):
    return [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{key}=")]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_it_starts_a_command_of_ours(unit):
    (start,) = values(unit, "ExecStart")
    program, *arguments = start.split()
    assert Path(program).name == "caldav-bridge"
    assert arguments[0] in typer.main.get_command(app).commands
    assert f"deploy/systemd/{unit.name}" in HOW_TO


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_its_settings_are_settings(unit):
    for name in re.findall(r"CALDAV_BRIDGE_(\w+)", unit.read_text()):
        section, _, key = name.lower().partition("__")
        assert section in Settings.model_fields
        if key:
            assert key in type(Settings.model_fields[section].default).model_fields


def test_all_of_them_allow_the_same():
    allowed = {unit.read_text().partition("# --- ")[2].partition("[Install]")[0] for unit in UNITS}
    assert len(UNITS) == 3
    assert len(allowed) == 1
    assert "NoNewPrivileges=yes" in allowed.pop()
