"""Machine files that several tests use."""

from __future__ import annotations

from plivo_sim.machines.loader import load_machine

IN_REVIEW = """\
machine: with-in-review
extends: default
statuses:
  in_review: {legacy: in_review, current: in_review, beta: reviewing, atoms: in_review, locks: true}
arrows:
  - {from: submitted, to: in_review, by: time, after: 1h}
  - {from: in_review, to: accepted, by: [reviewer, hand], not_before: 1d}
  - {from: in_review, to: rejected, by: [reviewer, hand], not_before: 1d}
  - {from: submitted, to: accepted, by: null}
  - {from: submitted, to: rejected, by: null}
"""
YEARLY = """\
machine: yearly
extends: default
arrows: [{from: accepted, to: expired, after: 365d}]
"""
NO_ACCEPTANCE = """\
machine: no-acceptance-yet
extends: default
review: {outcome: rejected, delay: 2h}
arrows:
  - {from: submitted, to: accepted, by: null}
  - {from: rejected, to: accepted, by: hand}
"""
WITH_IN_REVIEW, WITH_YEARS = load_machine(IN_REVIEW), load_machine(YEARLY)
WITHOUT_ACCEPTANCE = load_machine(NO_ACCEPTANCE)
