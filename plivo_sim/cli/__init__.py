"""The command line: where each command is, and how errors end."""

from __future__ import annotations

import os
import signal
import sys

_STOPS_WITHOUT_FAILURE = (["serve"], ["record"])
"""Commands that run until a signal, which is no failure then."""

if sys.argv[1:2] in _STOPS_WITHOUT_FAILURE and (
    sys.argv[0] == "-m" or os.path.basename(sys.argv[0]).startswith("plivo-sim")
):
    for _name in ("SIGINT", "SIGTERM", "SIGHUP"):  # until the command has handlers of its own
        _each = getattr(signal, _name, signal.SIGTERM)  # Windows has no SIGHUP
        if _name != "SIGHUP" or signal.getsignal(_each) is not signal.SIG_IGN:
            signal.signal(_each, lambda *_: os._exit(0))

try:
    import io
    from collections.abc import Iterator
    from contextlib import contextmanager
    from importlib import import_module
    from typing import Any

    import click

    from plivo_sim import __version__
    from plivo_sim.domain.words import did_you_mean, meant
except KeyboardInterrupt:  # Ctrl-C while it loads
    raise SystemExit(130) from None

INTERRUPTED = 130
"""The exit code after Ctrl-C, as a shell says it."""
UNREAD = 141
"""The exit code when nobody reads the output any more: a shell says so of SIGPIPE."""
_COMMANDS = {
    "serve": "server.serve",
    "try": "applications.try_",
    "status": "accounts.status",
    "doctor": "doctor.doctor",
    "account": "accounts.account",
    "clock": "clock.clock",
    "apps": "applications.apps",
    "catalogue": "catalogue.catalogue",
    "scenario": "scenarios.scenario",
    "machine": "machines.machine",
    "replay": "replay.replay",
    "fault": "faults.fault",
    "webhooks": "webhooks.webhooks",
    "trigger": "trigger.trigger",
    "seed": "seed.seed",
    "snapshot": "accounts.snapshot",
    "reset": "accounts.reset",
    "undo": "undo.undo",
    "history": "history.history",
    "export": "accounts.export",
    "evaluate": "applications.evaluate",
    "logs": "logs.logs",
    "requests": "requests.requests_",
    "coverage": "requests.coverage",
    "report": "reports.report",
    "run": "run.run",
    "wait": "wait.wait",
    "healthcheck": "server.healthcheck",
    "record": "recording.record",
    "learn": "learning.learn",
    "tape": "recording.tape",
    "verify": "verifying.verify",
    "completion": "completion.completion",
    "reference": "reference.reference",
}
"""Where each command is, below ``plivo_sim.cli``; it is loaded when it is called."""

_OTHER_NAMES = {"restore": "snapshot load"}
"""What is called so elsewhere, and the command that does it here."""


class Commands(click.Group):
    """The commands by name. Whatever happens, one ends with its result or with one sentence."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks the letters
                    stream.reconfigure(errors="backslashreplace")
            with _while_read():
                return super().main(*args, **extra)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except UnicodeEncodeError as error:
            if not _is_argument(error.object):
                raise
            from plivo_sim.cli.shared import say

            say(f"Error: {error.object!r} is not UTF-8 text", err=True)
            sys.exit(click.UsageError.exit_code)
        except (OSError, RecursionError) as error:
            from plivo_sim.cli.shared import WrongFile, say, why_unusable

            say(f"Error: {why_unusable(error)}", err=True)
            _leave_unwritten(sys.stdout)
            sys.exit(WrongFile.exit_code)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in _COMMANDS and not word.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{word}'{self._suggestion(ctx, word)}")
        return super().resolve_command(ctx, args)

    def _suggestion(self, ctx: click.Context, word: str) -> str:
        """The commands of groups with this name, else the most similar word."""
        if word in _OTHER_NAMES:
            return meant([_OTHER_NAMES[word]])
        groups = {name: self.get_command(ctx, name) for name in sorted(_COMMANDS)}
        below = [
            f"{name} {word}"
            for name, group in groups.items()
            if isinstance(group, click.Group) and word in group.commands
        ]
        return meant(below) or did_you_mean(word, list(groups))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(".")
        found = getattr(import_module(f"plivo_sim.cli.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _while_read(), _printable_errors(), _own_wording():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        _note_unread()
        with _while_read(), _printable_errors(), _own_wording():
            return super().invoke(ctx)


def _note_unread() -> None:
    """Say on stderr which ``PLIVO_SIM_*`` variables nothing reads."""
    given = {name: text for name, text in os.environ.items() if name.startswith("PLIVO_SIM_")}
    if given:
        from plivo_sim.cli.shared import say
        from plivo_sim.variables import unread

        for name, hint in unread(given):
            say(f"{name} is set, and nothing reads it; {hint}", err=True)


@contextmanager
def _while_read() -> Iterator[None]:
    """End as other programs do when nobody reads the output any more: ``plivo-sim … | head``."""
    try:
        yield
    except BrokenPipeError:
        _leave_unwritten(sys.stdout)
        sys.exit(UNREAD)


@contextmanager
def _printable_errors() -> Iterator[None]:
    """What ends a command may be words from anywhere: they are printed as ``say`` does."""
    try:
        yield
    except click.ClickException as error:
        from plivo_sim.cli.shared import sentences

        error.message = sentences(error.message)  # type: ignore[misc]  # click: Final
        raise


@contextmanager
def _own_wording() -> Iterator[None]:
    """Report an unknown option in the same words with every version of click, and what was meant
    by an unknown word; after Ctrl-C, end without click's "Aborted!"."""
    try:
        yield
    except click.NoSuchOption as error:
        hint = meant(sorted(error.possibilities or ()))
        if error.ctx is not None and error.ctx.command.name == "run":
            hint += "; options of COMMAND stand behind --, as in plivo-sim run -- pytest -q"
        text = f"there is no option {error.option_name}{hint}"
        raise click.UsageError(text, error.ctx) from None
    except click.MissingParameter:  # which names the choices itself
        raise
    except click.BadParameter as error:
        if error.param is not None and isinstance(kind := error.param.type, click.Choice):
            word = error.message.partition(" is not ")[0].strip("'\"")
            hint = did_you_mean(word, list(kind.choices), listed=0)
            text = error.message.rstrip(".") + hint
            raise click.BadParameter(text, error.ctx, error.param) from None
        raise
    except click.UsageError as error:
        for word, command in _OTHER_NAMES.items():
            group = error.ctx.command.name if error.ctx is not None else ""
            told = f"No such command '{word}'"
            if error.message.startswith(told) and command.startswith(f"{group} "):
                raise click.UsageError(told + meant([command]), error.ctx) from None
        raise
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def _is_argument(text: str) -> bool:
    """Whether bytes that are no text came from the command line or a variable."""
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def _leave_unwritten(stream: Any) -> None:
    """Drop what a full disk, or nobody, took: the interpreter would try again at exit, and fail."""
    try:
        stream.flush()
    except (OSError, AttributeError):
        sys.stdout = None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="plivo-sim")
def main() -> None:
    """A local simulator of Plivo's phone-number compliance APIs.

    Exit codes: 0 done, 1 the simulator refused, 2 wrong usage or a wrong file, 3 nothing answers,
    130 Ctrl-C, 141 nobody reads the output any more.
    """
