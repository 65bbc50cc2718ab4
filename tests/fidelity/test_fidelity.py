"""The page says what the services answer today, about everything that an object may say."""

import pytest

from bridge.sandbox.server import Sandbox
from tests.fidelity.page import PAGE, measured, object_of, render, rows, todo_rows

NO_PROPERTY = {
    "X-28": "an answer is an act",
    "X-41": "of the calendar",
    "X-56": "the service's own defaults",
    "R-29": "how the rules before it are shown",
}
NUMBERS = [
    *(f"X-{number:02}" for number in (*range(1, 42), *range(50, 59))),
    *(f"R-{number:02}" for number in range(1, 30)),
]


@pytest.fixture(scope="module")
def found():
    sandbox = Sandbox()
    sandbox.start()
    yield measured(sandbox)
    sandbox.stop()


def test_the_page_says_what_the_services_answer(found):
    assert PAGE.read_text() == render(rows(), todo_rows(), found), (
        "write it anew with `make fidelity`, and read what has changed"
    )


def test_every_row_is_there():
    assert {number.partition(" ")[0] for number in rows()} == {*NUMBERS} - {*NO_PROPERTY}


def test_every_row_of_to_dos_is_there():
    numbered = {number.partition(" ")[0] for number in todo_rows() if number.startswith("X-")}
    assert numbered == {f"X-{number}" for number in range(60, 73)}


def test_a_refusal_has_its_reason_and_nothing_else_has(found):
    assert {each.word for each in found.values()} == {
        *("exact", "converted", "in parts", "stashed", "stays here", "refused")
    }
    assert all(each.why for each in found.values() if each.word == "refused")
    assert not any(each.why for each in found.values() if each.word not in ("refused", "in parts"))


def test_the_objects_of_the_rows_differ():
    assert len({object_of(row) for row in rows().values()}) >= len(rows()) - 1, "no alarm is a title alone"
