"""What any answer costs under our server: an application that reads the question, says 600 bytes, and does nothing else.

Granian runs it as it runs ours (``bridge.server``).
"""

import contextlib
import subprocess
import sys

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from bridge.config import Server as Settings
from bridge.web.turns import WAITING
from tests.benchmarks.dav import servers
from tests.support.hub import free_port, wait_for

BODY = b"<multistatus/>".ljust(600)


def application(environ, start_response):
    environ["wsgi.input"].read()
    start_response("207 Multi-Status", [("Content-Type", "application/xml"), ("Content-Length", str(len(BODY)))])
    return [BODY]


@contextlib.contextmanager
def serving(processes):
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", __name__, str(port), str(processes)])
    try:
        wait_for(lambda: servers.listens(port), seconds=60)
        yield servers.Server("the floor", port, "", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    Granian(
        "tests.benchmarks.dav.floor:application",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=int(sys.argv[2]),
        blocking_threads=Settings.model_fields["web_threads"].default + WAITING,
        log_level=LogLevels.error,
    ).serve()
