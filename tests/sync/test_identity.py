"""Names that never change, and how two strangers are recognised."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.sync.identity import creation_key, derived_uid, fingerprint, match
from tests.support.worlds import at, retitled, tea


@given(st.text(), st.text(), st.integers(min_value=0))
def test_r12_a_creation_key_suits_google_and_graph(pair, uid, revision):
    assert re.fullmatch("[0-9a-v]{32}", creation_key(pair, uid, revision))
    assert creation_key(pair, uid, revision) == creation_key(pair, uid, revision)


def test_r8_another_pair_another_object_or_another_revision_is_another_key():
    keys = {creation_key(*each) for each in [("1", "a", 1), ("2", "a", 1), ("1", "b", 1), ("1", "a", 2), ("1a", "", 1)]}
    assert len(keys) == 5
    assert derived_uid("1", "a") != derived_uid("2", "a")


def test_r16_a_fingerprint_looks_through_case_spaces_zones_and_the_order_of_a_rule():
    event = tea("Tea  with Bob", rule="FREQ=WEEKLY;COUNT=3")
    same = tea("tea with bob ", rule="COUNT=3;FREQ=weekly")
    same = replace(same, master=replace(same.master, when=replace(same.master.when, zone="Europe/Berlin")))
    assert fingerprint(event) == fingerprint(same)
    others = [
        at(event, 10),
        retitled(event, "Tea"),
        tea("Tea with Bob"),
        tea("Tea with Bob", rule="FREQ=WEEKLY;COUNT=4"),
    ]
    assert fingerprint(event) not in {fingerprint(other) for other in others}


def test_r16_the_uid_comes_first_then_the_fingerprint_one_to_one():
    found = match({"a": "1", "b": "2"}, {"x": ("a", "9"), "y": ("z", "2")})
    assert found.found == {"x": "a", "y": "b"}
    assert not found.ambiguous_hub


def test_r16_several_alike_are_not_guessed_at():
    found = match({"a": "1", "b": "1", "c": "3"}, {"x": ("p", "1"), "y": ("q", "4")})
    assert not found.found
    assert found.ambiguous_hub == {"a", "b"}
    assert found.ambiguous_remote == {"x"}


def test_r16_several_alike_on_one_side_only_are_all_new():
    assert match({"a": "1", "b": "1"}, {}).ambiguous_hub == frozenset()


def test_r15_what_was_linked_before_goes_before_uids_and_likeness():
    found = match({"a": "1", "b": "2"}, {"x": ("b", "2"), "y": ("z", "9")}, {"x": "a", "y": "b", "gone": "a"})
    assert found.found == {"x": "a", "y": "b"}
    assert match({"a": "1"}, {"x": ("q", "1")}, {"x": "gone", "y": "a"}).found == {"x": "a"}
    assert not found.ambiguous_hub
    assert not found.ambiguous_remote
