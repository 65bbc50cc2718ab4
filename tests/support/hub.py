"""The product as a person runs it: ``caldav-bridge serve`` in a process of its own, its commands beside it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, *, seconds=30.0, every=0.05):
    """Poll until ``what()`` is true and return that; AssertionError with the last value behind the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; last: {found!r}")
        time.sleep(every)


class Hub:
    """``start`` serves on a free port; ``command`` runs a command on the same data directory.

    ``parts`` are the commands that make it up, a process each; the first one listens.
    """

    def __init__(self, data: Path, **environ):
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CALDAV_BRIDGE_")}
        few = {"CALDAV_BRIDGE_SERVER__WEB_PROCESSES": "1"}  # starting is what costs a test most
        self.environ = {**clean, "CALDAV_BRIDGE_DATA": str(data), **few, **environ}
        self.log = data / "serve.log"
        self.parts = [["serve"]]
        self.processes = []

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        listening, *others = self.parts
        self.processes = [self._spawn(*listening, "--port", str(self.port)), *(self._spawn(*other) for other in others)]
        wait_for(self._answers, seconds=60)
        return self

    def _spawn(self, *arguments):
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bridge.server", *arguments],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self):
        for process in self.processes:
            if process.poll() is not None:
                raise AssertionError(f"{process.args} ended with {process.returncode}:\n{self.log.read_text()}")
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200
        return False

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        try:
            for process in self.processes:
                process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """As the power cut would: web and workers at once."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def run(self, *arguments, stdin=None):
        """The finished process of a command."""
        return subprocess.run(
            [sys.executable, "-m", "bridge.server", *arguments],
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def command(self, *arguments, stdin=None):
        """What a command prints with --json."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
