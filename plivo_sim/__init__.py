"""plivo-sim: a local, stateful simulator of Plivo's phone-number compliance APIs."""

from __future__ import annotations

__version__ = "0.1.0"
