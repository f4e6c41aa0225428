"""Which account a test is of: what its marker, its fixture's argument and the ini file say; and
what a handle tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plivo_sim.testing.checked import checked
from plivo_sim.testing.records import Machine, Request, machine_of
from plivo_sim.testing.values import setting_text

if TYPE_CHECKING:
    from plivo_sim.testing.handle import Handle

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


def called_instead(
    elsewhere: Mapping[str, Sequence[Request]], fits: Callable[[Request], bool]
) -> str:
    """What to say of requests to accounts that the test does not name, of those that fit and were
    let in; empty if there are none."""
    for auth_id, came in elsewhere.items():
        if found := [each for each in came if each.is_let_in and fits(each)]:
            last = found[-1]
            key = ", or that of an Atoms API key with atoms_tokens=" * (last.dialect == "atoms")
            return (
                f"account {auth_id} was called in this test, which does not name it:"
                f" {len(found)} such requests, the last {last.method} {last.url}: {last.status};"
                f" choose the account of the test with auth_id={key}"
            )
    return ""


class AccountOfTest:
    """The account that a handle is about, as the control API tells of it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.auth_id, self.auth_token = handle.auth_id, handle.auth_token

    @property
    def machine(self) -> Machine:
        """The status machine in use."""
        return machine_of(self._handle.calls.get("/machine"))

    @property
    def settings(self) -> dict[str, str]:
        """Its own settings, as texts; those of the server hold for the rest."""
        return self.configure({})

    @checked
    def configure(self, settings: Mapping[str, Any]) -> dict[str, str]:
        """Change its own settings, given as texts or values; returns all of them. Raises
        ValueError."""
        texts = {name: setting_text(name, each) for name, each in settings.items()}
        body = {"auth_id": self.auth_id, "settings": texts}
        told: dict[str, str] = self._handle.calls.post("/accounts", body)["settings"]
        return told
