"""Plivo as Atoms reaches it: the core, with faults in between.

A fault for ``plivo-for-atoms`` hits these calls, and Atoms answers 502: "Plivo's compliance API
returned an error or is unavailable" (documented). The calls are named as those of the new API
(invented), so a fault can choose: ``compliance.requirements``, ``.create``, ``.update``, ``.get``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from plivo_sim.dialects.calls import Call
from plivo_sim.errors import Injected, SimError
from plivo_sim.faults.model import CUTTING, FaultRule

API = "plivo-for-atoms"
_METHODS = {"create": "POST", "update": "PATCH"}
_PLACES = {"create": "", "requirements": "Requirements/"}

Strike = Callable[[Call, Mapping[str, str]], FaultRule | None]
"""Finds the fault that hits a call to another API."""


class Plivo:
    """See the module; for one call to Atoms."""

    def __init__(self, call: Call, strike: Strike) -> None:
        self._call = call
        self._strike = strike

    @contextmanager
    def asked(self, what: str, compliance_id: str = "") -> Iterator[bool]:
        """What Plivo is asked is done within; yields whether Atoms will get its answer.

        Raises Injected with 502 when a fault keeps the call from Plivo, or its answer from Atoms.
        The account's lock must be free: a fault may take its time.
        """
        fault = self._strike(self._call, self._told(what, compliance_id))
        if fault is None:
            yield True
            return
        if fault.strikes_late:
            with suppress(SimError):  # whatever Plivo said is lost
                yield False
        raise Injected(502, _text(fault))

    def _told(self, what: str, compliance_id: str) -> dict[str, str]:
        place = _PLACES.get(what, f"{compliance_id}/")
        return {
            "api": API,
            "operation": f"compliance.{what}",
            "method": _METHODS.get(what, "GET"),
            "path": f"/v1/Account/{self._call.account.auth_id}/PhoneNumber/Compliance/{place}",
            "application": compliance_id,
        }


def _text(fault: FaultRule) -> str:
    down = fault.effect == "unavailable" or fault.effect in CUTTING
    told = "is unavailable" if down else "returned an error"
    return f"Plivo's compliance API {told}" + (f": {fault.message}" if fault.message else "")
