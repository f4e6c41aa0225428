"""``python -m plivo_sim.cli``."""

from plivo_sim.cli import main

main()
