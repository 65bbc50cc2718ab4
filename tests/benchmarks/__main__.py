"""``make bench``: run the benchmarks, or those named as arguments, and print their figures."""

import importlib
import sys
import time

NAMES = ("first_sync", "faults", "idle", "latency", "dav", "scale", "postgresql", "load", "phones", "copy")

for name in sys.argv[1:] or NAMES:
    began = time.monotonic()
    importlib.import_module(f"tests.benchmarks.{name}").run()
    print(f"({name} took {time.monotonic() - began:.0f} s)", flush=True)
