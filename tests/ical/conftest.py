"""What the tests of this room share."""

import datetime as dt
import random

import pytest


@pytest.fixture(scope="session")
def now():
    return dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def refold():
    """The same content lines with other line ends and folds, some of them within a UTF-8 sequence."""

    def run(data: bytes, seed: int) -> bytes:
        rnd = random.Random(seed)
        eol = rnd.choice([b"\r\n", b"\n", b"\r\n", b"\r\r\n"])
        out = []
        for line in data.replace(b"\r\n ", b"").split(b"\r\n")[:-1]:
            cut = rnd.randrange(1, len(line)) if len(line) > 1 and rnd.random() < 0.4 else len(line)
            out.append(line[:cut] + (eol + rnd.choice([b" ", b"\t"]) + line[cut:] if cut < len(line) else b""))
            if line != b"END:VCALENDAR" and rnd.random() < 0.05:
                out.append(b'X-MOZ-NOTE;X-P="a:b;c":kept, as;it is\\')
        return eol.join(out) + rnd.choice([eol, eol + eol, b""])

    return run
