"""The schemas of the simulator's own answers, found by method, path and status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plivo_sim.client.verify import Schemas
from plivo_sim.recording.comparison import Difference
from plivo_sim.recording.words import SURFACES
from plivo_sim.web.endpoints import JSON


class AnswerSchemas:
    """Of all APIs."""

    def __init__(self) -> None:
        self._surfaces = [Schemas(each) for each in SURFACES]

    def differences(self, method: str, target: str, status: int, body: Any) -> list[Difference]:
        """What of a recorded answer our schema does not know, a status that no answer has too."""
        path = target.partition("?")[0]
        for schemas in self._surfaces:
            operation = _operation(schemas.paths, method, path)
            if operation is not None:
                return _differences(schemas, operation, status, body)
        return []


def _operation(paths: Mapping[str, Any], method: str, path: str) -> Mapping[str, Any] | None:
    """The most exact of those that match: the one with the fewest parameters."""
    wanted = path.rstrip("/")
    for each in sorted(paths, key=lambda each: each.count("{")):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(each.rstrip("/")))
        if method.lower() in paths[each] and re.fullmatch(pattern, wanted):
            found: Mapping[str, Any] = paths[each][method.lower()]
            return found
    return None


def _differences(
    schemas: Schemas, operation: Mapping[str, Any], status: int, body: Any
) -> list[Difference]:
    answer = operation["responses"].get(str(status))
    if answer is None:
        return [Difference("status", str(status), f"one of {', '.join(operation['responses'])}")]
    schema = answer.get("content", {}).get(JSON, {}).get("schema")
    if schema is None:
        return []
    return [Difference(path, text, "-") for path, text in schemas.misfits(schema, body)]
