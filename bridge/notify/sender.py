"""Messages out by Apprise: mail, chat, webhooks. Its addresses hold passwords, and are told to nobody."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import quote

import apprise

from bridge.errors import UsageError
from bridge.notify.words import Message

# its lines name hosts and people, and at debug the addresses themselves
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


class Sender:
    """Sends to all of some addresses. Raises UsageError for one that Apprise does not know, naming its place, not itself."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._apprise = apprise.Apprise()
        for number, url in enumerate(urls, start=1):
            if not self._apprise.add(url):
                raise UsageError(
                    f"message address number {number} is none that Apprise knows; see https://appriseit.com/"
                )

    def __len__(self) -> int:
        return len(self._apprise)

    def send(self, message: Message) -> bool:
        """Whether every address took it. Blocks for as long as the services take, a few seconds each at most."""
        if not len(self._apprise):
            return True
        try:
            return bool(
                self._apprise.notify(
                    title=message.title,
                    body=message.text,
                    body_format=apprise.NotifyFormat.TEXT,
                    interpret_escapes=False,
                )
            )
        except Exception:  # noqa: BLE001 - one of a hundred plugins; the message is tried again
            return False


def personal(template: str, email: str) -> str:
    """A person's own address: ``{email}`` in the template stands for hers."""
    return template.replace("{email}", quote(email, safe=""))
