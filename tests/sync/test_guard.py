"""R6: a mass deletion is parked whole."""

import pytest

from bridge.sync.guard import Toll, allowance, holds


def deletions(count, links, doubtful=0):
    return Toll([f"hub-{n}" for n in range(count)], [], links, doubtful)


@pytest.mark.parametrize(
    ("count", "links", "held"),
    [(10, 10, False), (11, 11, True), (11, 110, False), (11, 109, True), (100, 1000, False), (101, 1000, True)],
)
def test_r6_more_than_ten_and_more_than_a_tenth(count, links, held):
    assert holds(deletions(count, links), approved=None) is held


def test_r6_both_sides_count_together_and_so_does_what_nobody_has_looked_after():
    assert holds(Toll(["a"] * 4, ["b"] * 4, 30, doubtful=3), approved=None)


def test_r6_an_approval_covers_what_was_shown_and_little_more():
    shown = deletions(40, 100).summary()
    assert allowance(100, shown) == 50
    assert not holds(deletions(50, 100), approved=shown)
    assert holds(deletions(90, 100), approved=shown)


def test_the_summary_counts_everything_and_names_some():
    summary = deletions(40, 100, doubtful=2).summary()
    assert (summary["hub"], summary["remote"], summary["links"]) == (42, 0, 100)
    assert len(summary["hub_uids"]) == 20
