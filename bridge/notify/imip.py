"""Scheduling messages as mail (RFC 6047): made for people and programs alike, sent by SMTP, read from IMAP."""

from __future__ import annotations

import email.policy
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Literal

from imapclient import SEEN, IMAPClient  # type: ignore[import-untyped]
from imapclient.exceptions import IMAPClientError  # type: ignore[import-untyped]

_TIMEOUT = 20.0
_SUBJECTS = {"REQUEST": "Invitation", "CANCEL": "Cancelled", "REPLY": "Answer"}
_LARGEST = 2_000_000


class NotTaken(Exception):
    """The mail server did not take a message. ``forever``: nor will it, for this recipient."""

    def __init__(self, *, forever: bool) -> None:
        super().__init__("refused for good" if forever else "not taken now")
        self.forever = forever


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A server, and who one is there; without ``user`` nobody is asked to sign in."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str = ""
    password: str = ""
    folder: str = "INBOX"


@dataclass(frozen=True, slots=True)
class Letter:
    """``sender`` and ``reply_to`` are addresses, ``name`` is who invites; ``words`` are for people.

    ``key`` makes its Message-ID: the same letter has the same.
    """

    sender: str
    name: str
    reply_to: str
    recipient: str
    method: str
    title: str
    words: str
    calendar: bytes
    key: str


def letter(of: Letter) -> EmailMessage:
    """The mail: words and, as an alternative to them, the message for programs."""
    made = EmailMessage(policy=email.policy.SMTP)
    user, _, domain = of.sender.rpartition("@")
    made["From"] = Address(_line(of.name), user, domain)
    made["To"] = of.recipient
    if of.reply_to != of.sender:
        made["Reply-To"] = of.reply_to
    made["Subject"] = _line(f"{_SUBJECTS.get(of.method, 'Calendar')}: {of.title or 'a meeting'}")[:200]
    made["Message-ID"] = f"<{of.key}@{domain}>"
    made.set_content(of.words)
    made.add_alternative(
        of.calendar, maintype="text", subtype="calendar", params={"method": of.method, "charset": "utf-8"}
    )
    return made


def _line(value: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in value).split())


def send(mailbox: Mailbox, made: EmailMessage, *, sender: str, recipient: str) -> None:
    """Raises NotTaken."""
    context = ssl.create_default_context()
    try:
        with _smtp(mailbox, context) as smtp:
            smtp.send_message(made, sender, [recipient])
    except smtplib.SMTPRecipientsRefused as refused:
        code = next(iter(refused.recipients.values()))[0]
        raise NotTaken(forever=500 <= code < 600) from None
    except smtplib.SMTPResponseException as refused:
        raise NotTaken(forever=isinstance(refused, smtplib.SMTPDataError) and 500 <= refused.smtp_code < 600) from None
    except (OSError, smtplib.SMTPException, ValueError):
        raise NotTaken(forever=False) from None


@contextmanager
def _smtp(mailbox: Mailbox, context: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    made = (
        smtplib.SMTP_SSL(mailbox.host, mailbox.port, timeout=_TIMEOUT, context=context)
        if mailbox.security == "tls"
        else smtplib.SMTP(mailbox.host, mailbox.port, timeout=_TIMEOUT)
    )
    with made as smtp:
        if mailbox.security == "starttls":
            smtp.starttls(context=context)
        if mailbox.user:
            smtp.login(mailbox.user, mailbox.password)
        yield smtp


@dataclass(frozen=True, slots=True)
class Received:
    """A mail to ``sender+token``: who says that they sent it, and its text/calendar part."""

    token: str
    sender: str
    calendar: bytes


def read(mailbox: Mailbox, *, address: str, take: Callable[[Received], None]) -> int:
    """Hand over each unseen mail that answers to ``address`` with a token, then mark it seen; how many that were.

    Whatever else is in the mailbox stays as it is. Raises NotTaken where the mailbox cannot be read.
    """
    user, _, domain = address.lower().rpartition("@")
    pattern = re.compile(rf"{re.escape(user)}\+([0-9a-f]{{24}})@{re.escape(domain)}")
    count = 0
    try:
        with IMAPClient(mailbox.host, mailbox.port, ssl=mailbox.security == "tls", timeout=_TIMEOUT) as imap:
            imap.login(mailbox.user, mailbox.password)
            imap.select_folder(mailbox.folder)
            for uid in imap.search(["UNSEEN", "TO", f"{user}+"]):
                fetched = imap.fetch([uid], ["RFC822.SIZE", "BODY.PEEK[]"]).get(uid, {})
                if fetched.get(b"RFC822.SIZE", 0) > _LARGEST:
                    continue
                received = _received(bytes(fetched.get(b"BODY[]", b"")), pattern)
                if received is None:
                    continue
                take(received)
                imap.add_flags([uid], [SEEN])
                count += 1
    except (OSError, IMAPClientError):
        raise NotTaken(forever=False) from None
    return count


def _received(raw: bytes, pattern: re.Pattern[str]) -> Received | None:
    mail = message_from_bytes(raw, policy=email.policy.default)
    try:
        to = [
            found
            for _, found in getaddresses(
                [str(each) for name in ("To", "Delivered-To") for each in mail.get_all(name, [])]
            )
        ]
        token = next((match[1] for each in to if (match := pattern.fullmatch(each.strip().lower()))), None)
        sender = next((found for _, found in getaddresses([str(mail.get("From", ""))])), "")
        part = next((each for each in mail.walk() if each.get_content_type() == "text/calendar"), None)
        content = None if part is None else part.get_payload(decode=True)
    except (ValueError, LookupError, IndexError):  # a mail that is none
        return None
    return Received(token, sender.lower(), content) if token is not None and isinstance(content, bytes) else None
