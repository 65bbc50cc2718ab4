"""Messages leave by Apprise, and its addresses are told to nobody."""

import logging

import pytest

from bridge.errors import UsageError
from bridge.notify.sender import Sender, personal
from bridge.notify.words import Message
from tests.support.mailbox import Mailbox

MESSAGE = Message("A title", "What to do: run *this*, then\\n that & <those>.")


@pytest.fixture
def mailbox():
    box = Mailbox()
    yield box
    box.close()


def test_every_address_gets_the_message_as_it_is(mailbox):
    assert Sender([mailbox.url("one"), mailbox.url("two")]).send(MESSAGE)
    assert sorted(mailbox.got) == [(name, MESSAGE.title, MESSAGE.text) for name in ("one", "two")]


def test_one_that_does_not_take_it_is_told(mailbox):
    mailbox.refusing.add("two")
    assert not Sender([mailbox.url("one"), mailbox.url("two")]).send(MESSAGE)
    assert not Sender(["json://127.0.0.1:9/nobody"]).send(MESSAGE)


def test_an_address_that_nobody_knows_is_named_by_its_place(mailbox):
    with pytest.raises(UsageError, match="number 2") as told:
        Sender([mailbox.url("one"), "nonsense://user:s3cret@host"])
    assert "s3cret" not in str(told.value)


def test_no_secret_is_logged(mailbox, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    mailbox.refusing.add("x")
    address = mailbox.url("x").replace("json://", "json://user:s3cret@")
    assert not Sender([address]).send(MESSAGE)
    printed = capfd.readouterr()
    assert "s3cret" not in caplog.text + printed.out + printed.err
    assert "s3cret" not in repr(Sender([address]).__dict__)


def test_a_persons_own_address():
    assert personal("mailtos://u:p@smtp.example.org?to={email}", "a+b@example.org").endswith("?to=a%2Bb%40example.org")
