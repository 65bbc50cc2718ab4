"""``make bench [ONLY=name]``: run the benchmarks, or one of them, and print their figures."""

import importlib
import sys

NAMES = ("first_sync", "latency", "dav")

for name in sys.argv[1:] or NAMES:
    importlib.import_module(f"tests.benchmarks.{name}").run()
