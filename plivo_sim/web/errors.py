"""What can go wrong, named by the fact. Each dialect words these in its own way.

An error carries what a caller needs to act on: ids, the true state, and *all* the problems
with their paths at once. No HTTP status and no wire word appears here.
"""

from __future__ import annotations

from collections.abc import Sequence

from plivo_sim.domain.errors import SimError


class Unauthenticated(SimError):
    """Credentials are missing, malformed, or not those of the account."""


class NoSuchPage(SimError):
    """The URL is not one that this server answers."""


class WrongMethod(SimError):
    """The URL exists, the method does not. ``allowed`` lists those that do."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"method not allowed; use {', '.join(allowed)}")
        self.allowed = tuple(allowed)


class TooLarge(SimError):
    """The body is over the limit (``limit_bytes``) and was not read."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the request body is over the limit of {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class RateLimited(SimError):
    """Too many calls in the window; ``retry_after_s`` is real time."""

    def __init__(self, limit: int, retry_after_s: int) -> None:
        super().__init__(f"rate limit of {limit} requests per minute exceeded")
        self.limit = limit
        self.retry_after_s = retry_after_s


class Untrusted(SimError):
    """A control call under a foreign host name, or from another site's page."""


class Injected(SimError):
    """A failure that was asked for; a dialect words it like any other with this HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Cut(SimError):
    """The connection is to be cut before anything is done; ``how``: ``reset`` or ``empty``."""

    def __init__(self, how: str) -> None:
        super().__init__(f"connection cut: {how}")
        self.how = how
