"""``python -m tests.judges``: ask the judges again, and write docs/reference/judges.md anew."""

import sys
import tempfile
from pathlib import Path

from tests.judges import caldav_suite, hearing, page

with tempfile.TemporaryDirectory() as made:
    said = hearing.hear(Path(made), suite=True)
caldav_suite.keep(said.suite)
page.PAGE.write_text(page.render(said))
print(f"written: {page.PAGE}")
if missing := page.unexplained(said):
    sys.exit("\n".join(missing))
