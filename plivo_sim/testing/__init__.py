"""The simulator for test suites: in process, served or remote, with verbs that read as sentences.

The pytest plugin hands these out as fixtures; ``in_process()``, ``served()`` and ``remote(url)``
are the same for unittest and other test runners.
"""

from __future__ import annotations

from plivo_sim.testing.aio import Aio
from plivo_sim.testing.handle import Handle
from plivo_sim.testing.runs import Remote, remote
from plivo_sim.testing.simulators import InProcess, Served, in_process, served
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN, test_settings

__all__ = [
    "AUTH_ID",
    "AUTH_TOKEN",
    "Aio",
    "Handle",
    "InProcess",
    "Remote",
    "Served",
    "in_process",
    "remote",
    "served",
    "test_settings",
]
