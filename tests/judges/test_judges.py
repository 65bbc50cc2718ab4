"""What the judges find fault with has a reason, and the page says what they say."""

from importlib.metadata import version

import pytest

from tests.judges import caldav_suite, hearing, litmus, page, translator


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return hearing.hear(tmp_path_factory.mktemp("judges"), suite=False)


def test_they_have_looked(said):
    assert len(said.features) >= 100
    for heard in (said.litmus, said.untranslated):
        assert {name.split("/")[0] for name in heard} == set(litmus.SUITES)
        assert len(heard) >= 60
    assert len(said.suite.tests) >= 70


def test_what_is_not_there_has_a_reason(said):
    assert page.unexplained(said) == []


def test_the_page_says_what_they_say(said):
    assert page.PAGE.read_text() == page.render(said), "make judges"


def test_the_caldav_librarys_tests_are_those_of_the_library_that_is_used():
    """They are not run here: so at least whoever takes another library has to ask them again."""
    assert caldav_suite.last().version == caldav_suite.version() == version("caldav"), "make judges"


def test_a_report_of_the_caldav_librarys_tests_is_read():
    report = (
        '<testsuites><testsuite><testcase classname="tests.test_caldav.TestForServerBridge" name="a"/>'
        '<testcase classname="tests.test_caldav.TestForServerBridge" name="b"><failure/></testcase>'
        '<testcase classname="tests.test_caldav.TestForServerBridge" name="c"><error/></testcase>'
        '<testcase classname="tests.test_caldav.TestForServerBridge" name="d"><skipped/></testcase></testsuite></testsuites>'
    )
    states = {"a": "pass", "b": "failed", "c": "failed", "d": "skipped"}
    assert caldav_suite.read(report) == {f"TestForServer/{name}": state for name, state in states.items()}


@pytest.mark.parametrize("text", ["one\ntwo; three, four\\n\n", "ünder 😀" * 40, "x" * 500, " "])
def test_the_translator_gives_back_what_it_took(text):
    assert translator.as_text(translator.as_object(text, "u")) == text


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
