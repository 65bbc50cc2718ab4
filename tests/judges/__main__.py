"""``python -m tests.judges``: ask the judges again, and write docs/reference/judges.md anew."""

import sys
import tempfile
from pathlib import Path

from tests.judges import bench, litmus, page, server_tester

with tempfile.TemporaryDirectory() as made:
    folder = Path(made)
    with bench.opened(folder) as devices:
        verdicts = server_tester.run(devices, folder / "tester")
        plain = litmus.run(devices["alice"], folder)
page.PAGE.write_text(page.render(verdicts, plain))
print(f"caldav-server-tester: {sum(one.support == 'full' for one in verdicts.values())} of {len(verdicts)} full")
print(f"litmus: {sum(state == 'pass' for state in plain.values())} of {len(plain)} pass")
print(f"written: {page.PAGE}")
if missing := page.unexplained(verdicts, plain):
    sys.exit("\n".join(missing))
