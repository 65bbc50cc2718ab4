"""What the judges find fault with has a reason, and the page says what they say."""

import pytest

from tests.judges import bench, litmus, page, server_tester


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judges")
    with bench.opened(folder) as devices:
        return server_tester.run(devices, folder / "tester"), litmus.run(devices["alice"], folder)


def test_they_have_looked(verdicts):
    features, plain = verdicts
    assert len(features) >= 100
    assert {name.split("/")[0] for name in plain} == set(litmus.SUITES)
    assert len(plain) >= 60


def test_what_is_not_there_has_a_reason(verdicts):
    assert page.unexplained(*verdicts) == []


def test_the_page_says_what_they_say(verdicts):
    assert page.PAGE.read_text() == page.render(*verdicts), "make judges"


def test_a_line_of_litmus_is_read_as_it_ends():
    printed = (
        "-> running `basic':\n 0. init..................\r 0. init.................. pass\n"
        " 2. options...............\r 2. options............... WARNING: server does not claim Class 2 compliance\n"
        "    ...................... pass (with 1 warning)\n"
        " 3. put_get...............\r 3. put_get............... FAIL (PUT failed)\n 4. delete................ SKIPPED\n"
        "-> running `props':\n 6. propget............... pass\n 7. propget............... FAIL (x)\n"
    )
    assert litmus.read(printed) == {
        "basic/init": "pass",
        "basic/options": "pass",
        "basic/put_get": "failed",
        "basic/delete": "skipped",
        "props/propget": "pass",
        "props/propget 2": "failed",
    }
