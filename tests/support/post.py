"""A mail server that takes mail (SMTP) and one that keeps a mailbox (IMAP), each a real one."""

import subprocess
import sys
import threading
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller
from imapclient import IMAPClient

from tests.support.hub import free_port, wait_for


class Taker:
    """``got`` are the mails taken, as (recipient, mail). ``refuses`` gives a code for a recipient."""

    def __init__(self):
        self.got = []
        self.refuses = {}
        self._lock = threading.Lock()
        self.port = free_port()
        self.reopen()

    def reopen(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuses:
            return f"{self.refuses[address]} no"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with self._lock:
            mail = message_from_bytes(envelope.content, policy=policy.default)
            self.got += [(recipient, mail) for recipient in envelope.rcpt_tos]
        return "250 OK"

    def close(self):
        self._controller.stop()


class Keeper:
    """A mailbox of somebody's; ``put`` leaves a mail in it."""

    user, password = "demouser", "demopass"

    def __init__(self):
        self.port = free_port()
        self._process = subprocess.Popen(
            [
                *(Path(sys.executable).with_name("pymap"), "--host", "127.0.0.1", "--port", str(self.port), "--no-tls"),
                *("--no-service", "admin", "--no-service", "managesieve", "dict"),
                *("--demo-data", "--demo-user", self.user, "--demo-password", self.password),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers)

    def _answers(self):
        try:
            with self.opened():
                return True
        except OSError:
            return False

    def opened(self):
        imap = IMAPClient("127.0.0.1", self.port, ssl=False)
        imap.login(self.user, self.password)
        return imap

    def put(self, mail):
        with self.opened() as imap:
            imap.append("INBOX", bytes(mail))

    def unseen(self):
        with self.opened() as imap:
            imap.select_folder("INBOX", readonly=True)
            return len(imap.search("UNSEEN"))

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=10)
