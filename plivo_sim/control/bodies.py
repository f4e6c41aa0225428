"""Bodies of control calls that have a shape of their own, for the OpenAPI document: parts of the
scenario language, a machine, a snapshot, a create of the new API. Rows name them, so that a start
makes none.
"""

from __future__ import annotations

from inspect import getdoc
from typing import Annotated, Any

import msgspec
from msgspec import Meta, structs

from plivo_sim.apis.phone_number.beta.schemas import CreateIn
from plivo_sim.control.answers.accounts import SnapshotOut
from plivo_sim.control.inputs import IN_BODY, object_of
from plivo_sim.control.moves import MOVE, Belongings
from plivo_sim.control.settings import setting_schemas
from plivo_sim.domain.machine import Arrow, MachineFile, Review, Starts, StatusRow
from plivo_sim.scenarios.language import Decision, FaultRule, Scenario, Submit, WebhookPolicy
from plivo_sim.web.endpoints import FILE

__all__ = ["CreateIn"]  # what is evaluated, as the beta page writes it


def fault_body() -> Any:
    return _with_account("FaultBody", FaultRule)


def webhook_policy_body() -> Any:
    return _with_account("WebhookPolicyBody", WebhookPolicy)


def next_outcome_body() -> Any:
    return _with_account("NextOutcomeBody", Decision)


def _with_account(name: str, part: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """A part of the scenario language as a body, which may name its account."""
    account = Annotated[str, Meta(description=IN_BODY.partition(": ")[2])]
    made = msgspec.defstruct(
        name, [("account", account, "")],
        bases=(part,), frozen=True, kw_only=True, forbid_unknown_fields=True,
    )  # fmt: skip
    made.__doc__ = f"{getdoc(part)}\n\nThe whole language: docs/scenarios.md."
    return made


def account_body() -> Any:
    settings = object_of(**setting_schemas()) | {
        "additionalProperties": False,
        "description": "name: value, which may be a text; see docs/settings.md",
    }
    return object_of(
        "auth_id", auth_id="string: MA and 18 letters or digits", settings=settings,
        anew="boolean: remove everything in it first, as a reset does",
    )  # fmt: skip


def snapshot_body() -> Any:
    return object_of(
        name="string: default: snapshot-1, snapshot-2 …",
        snapshot=Annotated[SnapshotOut, Meta(description="a snapshot as a document, to be kept")],
        move=MOVE,
        account=IN_BODY,
    )


def takeover_body() -> Any:
    return object_of(
        "snapshot",
        snapshot=Annotated[SnapshotOut, Meta(description="the account, as GET /_sim/handover")],
        rest=Annotated[Belongings, Meta(description="as POST /_sim/handover answers it")],
        move=MOVE,
        account=IN_BODY,
    )


def restore_body() -> Any:
    return object_of(
        name="string: of a snapshot that the simulator has",
        snapshot=Annotated[SnapshotOut, Meta(description="a snapshot as a document, instead")],
        account=IN_BODY,
    )


def scenario_body() -> Any:
    return object_of(
        name="string: of one that ships",
        yaml="string: the text of one",
        scenario=Annotated[Scenario, Meta(description="one as an object")],
        account=IN_BODY,
    )


def dry_run_body() -> Any:
    return object_of(
        application="string: the id of one of the account",
        submit=Annotated[Submit, Meta(description="one that is made up, instead")],
        attempt={"type": "integer", "minimum": 1, "description": "which attempt it is; else next"},
        name="string: of a scenario that ships, instead of the account's",
        yaml="string: the text of a scenario, likewise",
        scenario=Annotated[Scenario, Meta(description="one as an object, likewise")],
        account=IN_BODY,
    )


def machine_body() -> Any:
    return object_of(
        name="string: of one that ships",
        yaml="string: the text of one, whole or changes",
        machine=Annotated[_machine_changes(), Meta(description="the same as an object")],
        account=IN_BODY,
    )


def _machine_changes() -> Any:
    """A machine, whole or as changes to the one that it ``extends``: so no key is required, and
    null takes a status or an arrow away."""
    row: Any = _changes(StatusRow) | None
    arrow: Any = _changes(Arrow)
    return _changes(
        MachineFile,
        extends=str,
        starts=_changes(Starts),
        review=_changes(Review),
        statuses=dict[str, row],
        arrows=list[arrow],
    )


def _changes(part: type[msgspec.Struct], **others: Any) -> Any:
    """A part of a machine file of which every key may be missing, or null; ``others``: keys of
    another type."""
    known = {each.name: each for each in structs.fields(part)}
    types = {name: each.type for name, each in known.items()} | others
    return msgspec.defstruct(
        f"{part.__name__.removesuffix('File')}Changes",
        [(name, kind | None, None) for name, kind in types.items()],
        rename={name: each.encode_name for name, each in known.items()},
        forbid_unknown_fields=True,
    )


def evaluated_form() -> Any:
    """What the current dialect takes: ``data``, and the files of its documents."""
    files = {f"documents[{index}].file": FILE for index in range(3)}
    return object_of("data", data="string: the create as JSON", **files)
