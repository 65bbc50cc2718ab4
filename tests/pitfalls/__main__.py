"""``python -m tests.pitfalls``: write docs/reference/pitfalls.md anew."""

from tests.pitfalls.page import PAGE, by_rule, render, rules

PAGE.write_text(render(rules()[0], by_rule()))
print(f"written: {PAGE}")
