"""One log line for every callback attempt and every decision; requests have theirs in ``app``."""

from __future__ import annotations

import logging

from plivo_sim.domain.events import StatusChanged
from plivo_sim.runner import Happening
from plivo_sim.world import World

logger = logging.getLogger("plivo_sim")


def log_happening(world: World, happening: Happening) -> None:
    """``callback POST url sdk 200 delivered …`` or ``review id accepted …``."""
    if isinstance(happening, StatusChanged):
        application = happening.application
        why = application.timeline[-1].why
        logger.info("review %s %s %s %s", application.id, application.origin, application.status,
                    why)  # fmt: skip
        return
    delivery = happening.delivery
    attempt = delivery.attempts[-1]
    found = world.store.applications.fetch(delivery.application_id)
    logger.info(
        "callback %s %s %s %s %.1fms %s, attempt %d: %s",
        delivery.method,
        attempt.url,
        found.origin if found is not None else "-",
        attempt.status if attempt.status is not None else attempt.error,
        attempt.latency_s * 1000,
        delivery.state,
        len(delivery.attempts),
        delivery.why,
    )
