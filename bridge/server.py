"""The command ``caldav-bridge`` and the processes that it starts.

``serve`` is everything in one command: the web in Granian's processes, the sync in a worker process that is started anew
should it die. Both only meet in the database, so the same two can run on many machines (DESIGN §6). What each of them is
made of is loaded where it starts: most commands are neither, and end before that would have been read.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

import structlog

from bridge.cli import main as cli
from bridge.config import Settings
from bridge.errors import UsageError
from bridge.services import addresses, signing
from bridge.services.context import Context, open_context
from bridge.services.principals import RESERVED
from bridge.store import principals

if TYPE_CHECKING:
    from bridge.worker import Worker

log = structlog.get_logger(__name__)

_REFUSING = 2  # threads that tell whoever finds the queue full
_BACKLOG = 2048
_CONNECTIONS = 16_000  # of each web process: a phone keeps one, and asks nothing most of the time

RESTART_PAUSE = 2.0
"""Seconds between the death of a worker process and the start of the next."""


def main() -> None:
    """The command ``caldav-bridge``."""
    _take_interrupts()
    cli.run(_Processes())


def _take_interrupts() -> None:
    """Let Ctrl-C end this process, which then ends the others, one after another.

    A terminal sends SIGINT to all its processes at once, and Granian's web process hangs when that meets the SIGTERM its
    parent sends. So SIGINT is blocked, which threads and processes started from here on inherit, and one thread waits for
    it and makes it a SIGTERM for the main thread.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until Granian or the worker puts its own
    _block_interrupts()
    threading.Thread(target=_wait_for_interrupts, name="interrupts", daemon=True).start()


def _block_interrupts() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _wait_for_interrupts() -> None:
    main_thread = threading.main_thread().ident
    while main_thread is not None:
        signal.sigwait({signal.SIGINT})
        signal.pthread_kill(main_thread, signal.SIGTERM)


class _Processes:
    """What the commands ``serve``, ``web``, ``worker`` and ``demo`` start."""

    def serve(self, settings: Settings, *, with_worker: bool) -> None:
        serve(settings, with_worker=with_worker)

    def work(self, context: Context, *, until_eof: bool) -> None:
        from bridge.worker import Worker  # noqa: PLC0415

        worker = Worker(context)
        if until_eof:
            threading.Thread(target=_stop_at_eof, args=[worker], daemon=True).start()
        worker.run()


def _stop_at_eof(worker: Worker) -> None:
    sys.stdin.read()
    worker.stop()


def serve(settings: Settings, *, with_worker: bool) -> None:
    """Listen until interrupted. Raises UsageError when data, database or the files of ``[onboarding]`` cannot be used."""
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    from bridge.web.turns import WAITING  # noqa: PLC0415

    _require_free(settings.server.host, settings.server.port)
    _let_many_connect()
    signing.signer(settings.onboarding)
    signing.root(settings.onboarding)
    context = open_context(settings)  # a bad setting is told here, once, and not by every process
    url = addresses.listening(settings.server.host, settings.server.port)
    addresses.remember(context, url)
    _tell_of_the_unreachable(context)
    context.close()
    os.environ["CALDAV_BRIDGE_DATA"] = str(settings.data)
    multiprocessing.set_start_method("spawn", force=True)  # no fork of a process that has threads
    resource_tracker.ensure_running()  # here and not by Granian, because its start unblocks SIGINT
    _block_interrupts()
    server = Granian(
        "bridge.wsgi:web_application",
        factory=True,
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.WSGI,
        workers=settings.server.web_processes,
        # made when there is something for them to do
        blocking_threads=settings.server.web_threads + WAITING + _REFUSING,
        backlog=_BACKLOG,
        backpressure=_CONNECTIONS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,  # its warnings are advice on our number of threads
    )
    log.info("listening", url=url, data=str(settings.data))
    if with_worker:
        with _worker_process():
            server.serve()
    else:
        server.serve()


def _tell_of_the_unreachable(context: Context) -> None:
    """Names that became reserved after somebody was called so: their paths are the web's now."""
    with context.database.read() as conn:
        for name in principals.among(conn, RESERVED):
            log.error("nobody reaches the calendars of a person whose name the server needs for itself", person=name)


def _let_many_connect() -> None:
    """Each connection is a file, and processes may open a thousand unless they ask for what they are granted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * _CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * _CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _require_free(host: str, port: int) -> None:
    """Granian lets sockets share a port: a second server would take every other request from the first."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has ended does not count
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(addresses.not_free(host, port, error)) from None


@contextmanager
def _worker_process() -> Iterator[None]:
    """Keep one worker process alive beside this one."""
    ending = threading.Event()
    current: list[subprocess.Popen[bytes]] = []

    def keep_alive() -> None:
        while not ending.is_set():
            # it ends with its standard input, so it does not outlive this process, however that dies
            command = [sys.executable, "-m", "bridge.server", "worker", "--until-eof"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE)
            current[:] = [process]
            code = process.wait()
            # a signal to the whole process group reaches both processes: then this one is ending, too
            if not ending.wait(RESTART_PAUSE):
                log.error("the worker ended and is started again", code=code)

    keeper = threading.Thread(target=keep_alive, name="worker-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        for process in current:
            process.send_signal(signal.SIGTERM)
        keeper.join(timeout=30)


if __name__ == "__main__":
    main()
