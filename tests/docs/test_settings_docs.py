"""An undocumented setting fails, and so does an example that shows another default."""

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from bridge.config import Settings

ROOT = Path(__file__).parents[2]


def every_setting():
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            for inner in type(default).model_fields:
                yield f"{name}.{inner}", getattr(default, inner)
        else:
            yield name, default


@pytest.mark.parametrize("name", [name for name, _ in every_setting()])
def test_every_setting_is_documented(name):
    assert f"`{name}`" in (ROOT / "docs/reference/settings.md").read_text()


def test_the_example_shows_every_default():
    example = tomllib.loads((ROOT / "config/config.toml").read_text())
    for name, default in every_setting():
        section, _, key = name.partition(".")
        if not key or default is None:
            assert section == "data" or f"# {key or name} = " in (ROOT / "config/config.toml").read_text()
            continue
        shown = example[section][key]
        plain = default.get_secret_value() if isinstance(default, SecretStr) else default
        assert shown == (list(plain) if isinstance(plain, tuple) else plain), name
