"""What all judges say of one server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.judges import bench, caldav_suite, litmus, server_tester, translator
from tests.judges.caldav_suite import Suite
from tests.judges.server_tester import Verdict


@dataclass(frozen=True)
class Said:
    """``untranslated``: what litmus says of the server alone."""

    features: Mapping[str, Verdict]
    litmus: Mapping[str, str]
    untranslated: Mapping[str, str]
    suite: Suite


def hear(folder: Path, *, suite: bool) -> Said:
    """Without ``suite`` the caldav library's tests are not run; what they said last stands."""
    with bench.opened(folder) as devices:
        features = server_tester.run(devices, folder / "tester")
        device = devices["carol"]
        untranslated = litmus.run(device, folder)
        with translator.opened(device.url) as url:
            translated = litmus.run(replace(device, url=url), folder)
        asked = caldav_suite.run(devices, features, folder) if suite else caldav_suite.last()
    return Said(features, translated, untranslated, asked)
