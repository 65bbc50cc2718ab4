"""``python -m tests.fidelity``: ask the simulated services again, and write docs/reference/fidelity.md anew."""

from bridge.sandbox.server import Sandbox
from tests.fidelity.page import PAGE, measured, render, rows, todo_rows

sandbox = Sandbox()
sandbox.start()
try:
    PAGE.write_text(render(rows(), todo_rows(), measured(sandbox)))
finally:
    sandbox.stop()
print(f"written: {PAGE}")
