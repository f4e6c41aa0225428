"""``python -m plivo_sim.catalogue`` writes ``catalogue.json`` anew, from the YAML files."""

from __future__ import annotations

from pathlib import Path

from plivo_sim.catalogue import shipped_as_json

Path(__file__).with_name("catalogue.json").write_bytes(shipped_as_json())
