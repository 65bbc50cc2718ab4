"""The mutation check itself is too slow for every day; that it still fits the code is seen here."""

import pytest

from tests.mutations.switches import ROOT, SWITCHES


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.rule)
def test_the_text_of_a_rule_stands_once_and_its_tests_are_there(switch):
    assert switch.count() == 1, f"{switch.file} has changed: tests/mutations/switches.py follows it"
    assert switch.instead != switch.text
    files = [each for each in switch.tests if each.endswith(".py")]
    assert files
    assert all((ROOT / each).is_file() for each in files)


def test_every_protecting_rule_has_a_switch():
    protecting = {"echo base", "deterministic id", "If-Match", "incomplete listing", "guard", "attendees"}
    assert {switch.rule.partition(":")[0] for switch in SWITCHES} == protecting


def test_a_rule_is_switched_off_in_the_copy_alone(tmp_path):
    switch = SWITCHES[0]
    original = (ROOT / switch.file).read_text()
    copy = tmp_path / switch.file
    copy.parent.mkdir(parents=True)
    copy.write_text(original)
    switch.flip(tmp_path)
    assert switch.instead in copy.read_text()
    assert (ROOT / switch.file).read_text() == original
    with pytest.raises(ValueError, match="does not stand once"):
        switch.flip(tmp_path)
