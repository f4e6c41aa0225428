"""``python -m tests.openapi.clients FOLDER``: a client from every OpenAPI document, as
openapi-python-client makes it; what it complains of is printed. In a process of its own, because
the generator is heavy and not ours."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from plivo_sim.app import SURFACES, document

OVERRIDES = dict.fromkeys(("application/pdf", "image/svg+xml"), "application/octet-stream")
"""The generator knows neither, and says itself that this is what to do about it."""


def main(folder: Path) -> int:
    """The number of complaints."""
    complaints = 0
    options = ConfigFile(post_hooks=[], content_type_overrides=OVERRIDES)
    for name in SURFACES:
        source = folder / f"{name}.json"
        source.write_text(json.dumps(document(name)))
        package = folder / f"{name}_client"
        config = Config.from_sources(options, MetaType.NONE, source, "utf-8", False, package)
        for each in generate(config=config):
            complaints += 1
            sys.stderr.write(f"{name}: {each.level}: {each.header} {each.detail}\n")
    return complaints


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
