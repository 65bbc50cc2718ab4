"""The remote control that Mozilla's programs have built in, as far as it takes to run JavaScript in their main window.

The protocol: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import socket


class Raised(Exception):
    """The script threw, or the program showed a dialog that nobody was to answer."""


class Marionette:
    """A session of its own, with the rights of the program itself (``-remote-allow-system-access``)."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._received = self._socket.makefile("rb")
        self._message()  # it introduces itself
        self._asked = 0
        self._ask("WebDriver:NewSession", capabilities={})
        self._ask("Marionette:SetContext", value="chrome")

    def run(self, script, *arguments):
        """What an async function with this body returns, called with the arguments as ``args``."""
        body = """
            const [args, answer] = arguments;
            (async () => { %s })().then(value => answer({value}), thrown => answer({thrown: `${thrown} ${thrown?.stack}`}));
        """  # a promise that fails is reported without a word of why
        told = self._ask(
            "WebDriver:ExecuteAsyncScript",
            script=body % script,
            args=[arguments],
            scriptTimeout=60_000,
            sandbox="system",
            newSandbox=False,
        )["value"]
        if "thrown" in told:
            raise Raised(told["thrown"])
        return told.get("value")

    def quit(self):
        self._ask("Marionette:Quit", flags=["eForceQuit"])
        self._received.close()
        self._socket.close()

    def _ask(self, command, **parameters):
        self._asked += 1
        question = json.dumps([0, self._asked, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(question), question))
        _, asked, failed, told = self._message()
        assert asked == self._asked
        if failed:
            raise Raised(f"{failed['error']}: {failed['message']} {failed.get('data') or ''}")
        return told

    def _message(self):
        length = b""
        while (character := self._received.read(1)) != b":":
            assert character, "it has hung up"
            length += character
        return json.loads(self._received.read(int(length)))
