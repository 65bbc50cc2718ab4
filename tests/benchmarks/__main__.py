"""``make bench``: run the benchmarks, or those named as arguments, and print their figures."""

import importlib
import sys

NAMES = ("first_sync", "faults", "idle", "latency", "dav", "scale", "postgresql", "load", "phones")

for name in sys.argv[1:] or NAMES:
    importlib.import_module(f"tests.benchmarks.{name}").run()
