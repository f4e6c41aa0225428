"""How the simulator of a test starts."""

from __future__ import annotations

from typing import Any

from plivo_sim.settings import Settings
from plivo_sim.testing.values import setting_of

AUTH_ID = "MATESTTESTTESTTESTTE"

AUTH_TOKEN = "test-token"  # noqa: S105  # not a secret: any token is taken


class SettingsOfTest(Settings):
    """Those of a simulator that a test starts, which reads no option and no variable."""

    __slots__ = ()

    def way(self, name: str, value: str) -> str:
        """See ``Settings.way``."""
        where = "the marker plivo_sim, in_process or served"
        return f'{name}="{value}" as an argument of {where}'


def test_settings(**changes: Any) -> Settings:
    """What tests start with: a clock that stands still, reviews as long as published, seed 1; and
    these changes. Raises ValueError for a setting that is none, and a value that is none of it."""
    read = {name: setting_of(name, each) for name, each in changes.items()}
    return SettingsOfTest(**{"port": 0, "paused": True, "review_delay": None} | read)


test_settings.__test__ = False  # type: ignore[attr-defined]  # its name begins with test
