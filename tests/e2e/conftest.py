"""A fresh world for each story; for stories of one program, a hub of its own with a device for each."""

import httpx
import pytest

from tests.e2e import worlds
from tests.support.hub import Hub


@pytest.fixture
def world(tmp_path):
    with worlds.opened(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with Hub(tmp_path_factory.mktemp("hub") / "data") as running:
        running.command("user", "add", "alex", "--email", "alex@example.com")
        yield running


@pytest.fixture
def device(hub, request):
    return hub.command("device", "add", "alex", request.node.name)


@pytest.fixture
def web(device):
    with httpx.Client(base_url=device["url"], auth=(device["username"], device["password"])) as client:
        yield client
