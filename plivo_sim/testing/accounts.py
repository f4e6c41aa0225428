"""Which account a test is of: what its marker, its fixture's argument and the ini file say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TOKENS = ("auth_token", "subaccount_token")


def merged(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What several say together; the later ones count. Tokens belong to the auth id beside them:
    another auth id does not take them over."""
    found: dict[str, Any] = {}
    for layer in layers:
        if layer.get("auth_id", found.get("auth_id")) != found.get("auth_id"):
            for name in TOKENS:
                found.pop(name, None)
        found |= layer
    return found


def fixed_tokens(wanted: Mapping[str, Any]) -> dict[str, str]:
    """The setting ``credentials`` that they make: an auth id that is given with a token takes no
    other one."""
    auth_id = wanted.get("auth_id")
    if auth_id is None:
        return {}
    fixed = {auth_id: wanted.get("auth_token")}
    fixed[f"SA{auth_id[2:]}"] = wanted.get("subaccount_token") or fixed.get(f"SA{auth_id[2:]}")
    return {id: token for id, token in fixed.items() if token}
