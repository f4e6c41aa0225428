"""Words that a shell offers where a command takes them. The command itself takes any, and says what
is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _Text = click.ParamType[str]
else:  # click has generic types since 8.2 only
    _Text = click.ParamType


class Words(_Text):
    """A word; ``words`` is asked for those that there are when a shell completes. ``or_file``: the
    name of a file may stand instead."""

    name = "text"

    def __init__(self, words: Callable[[], Iterable[str]], *, or_file: bool = False) -> None:
        self._words = words
        self._or_file = or_file

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Those that begin so, in any case, as they are written."""
        from click.shell_completion import CompletionItem  # here: only a shell needs it

        begun = incomplete.lower()
        fitting = [CompletionItem(each) for each in self._words() if each.lower().startswith(begun)]
        files = [CompletionItem(incomplete, type="file")] if self._or_file else []
        return fitting or files


def _scenarios() -> Iterable[str]:
    from plivo_sim.scenarios.loader import shipped_names

    return shipped_names()


def _machines() -> Iterable[str]:
    from plivo_sim.machines import shipped_names

    return shipped_names()


def _statuses() -> Iterable[str]:
    from plivo_sim.machines.loader import known_machine

    return known_machine().statuses


def _decidable() -> Iterable[str]:
    from plivo_sim.machines.loader import known_machine

    return known_machine().decidable


def _reasons() -> Iterable[str]:
    from plivo_sim.scenarios.rules import PRESETS

    return PRESETS


def _countries() -> Iterable[str]:
    from plivo_sim.catalogue import load_catalogue

    return sorted(load_catalogue(0).names)


def _operations() -> Iterable[str]:
    from plivo_sim.scenarios.operations import OPERATIONS

    return OPERATIONS


def _account_settings() -> Iterable[str]:
    from plivo_sim.settings import ACCOUNT_SETTINGS

    return (f"{name}=" for name in ACCOUNT_SETTINGS)


SCENARIOS = Words(_scenarios, or_file=True)
"""Those that ship, and files; so are machines."""
MACHINES = Words(_machines, or_file=True)
STATUSES = Words(_statuses)
DECIDABLE = Words(_decidable)
"""The statuses that somebody else than the client brings about; callbacks tell of them."""
REASONS = Words(_reasons)
COUNTRIES = Words(_countries)
OPERATIONS = Words(_operations)
ACCOUNT_SETTINGS = Words(_account_settings)
