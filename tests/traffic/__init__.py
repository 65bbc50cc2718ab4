"""A second pair of eyes: whatever the tests exchange with the simulated services is held against the vendors' own schemas.

``google`` and ``graph`` judge one exchange each and know neither the bridge nor the sandbox. ``recording`` sees the exchanges of
this process, ``plugin`` fails the test that had a bad one. See docs/decisions/0024-traffic-is-checked.md.
"""
