"""Each level may what the one below it may, and something more."""

from bridge.policy.access import Access, Deed, may


def test_levels_include_each_other():
    allowed = [{deed for deed in Deed if may(access, deed)} for access in sorted(Access)]
    assert allowed == [
        set(),
        {Deed.READ, Deed.DESCRIBE},
        {Deed.READ, Deed.DESCRIBE, Deed.WRITE},
        set(Deed),
    ]
