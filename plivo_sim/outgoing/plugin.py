"""The guard in a pytest run: on from before the first conftest is imported, off at the end.

``plivo_guard = off`` (ini) or ``@pytest.mark.plivo_guard("off")`` lets calls pass;
``plivo_guard_hosts`` (ini) is the list of hosts. A call whose error somebody caught is told in the
test's report and at the end of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plivo_sim.outgoing import HOSTS
from plivo_sim.outgoing.guard import ADVICE, Guard

SECTION = "plivo-sim guard"
OUTSIDE = "plivo-sim guard, outside of tests"
_CAUGHT = "A call to a live service was stopped; the error was caught, or came in another thread:"
_WORDS = ("on", "off")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "plivo_guard", "on, or off: whether calls to live services are stopped", None, "on"
    )
    hosts = "the hosts of the live services, one a line"
    parser.addini("plivo_guard_hosts", hosts, "linelist", list(HOSTS))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    _start(early_config)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", 'plivo_guard("on" or "off"): whether calls to live services are stopped'
    )
    _start(config)


def _start(config: pytest.Config) -> None:
    """Once a run, at the first opportunity: a plugin of ``-p`` has no early one."""
    if config.pluginmanager.has_plugin(_Guarding.__name__):
        return
    word = str(config.getini("plivo_guard")).strip().lower()
    if word not in _WORDS:
        raise pytest.UsageError(f"plivo_guard: {word!r} is not one of on, off{_hint(word)}")
    try:
        guard = Guard(config.getini("plivo_guard_hosts"), str(config.rootpath))
    except ValueError as error:
        raise pytest.UsageError(f"plivo_guard_hosts: {error}") from None
    guard.switch(word == "on")
    config.add_cleanup(lambda: guard.switch(False))
    config.pluginmanager.register(_Guarding(guard), _Guarding.__name__)


class _Guarding:
    """Switches the guard as markers say, and tells what it stopped."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._outside: list[str] = []

    @pytest.hookimpl(hookwrapper=True)  # the newer kind of wrapper needs pluggy 1.2
    def pytest_make_collect_report(self) -> Any:
        report: pytest.CollectReport = (yield).get_result()
        shown = str(report.longrepr)
        self._outside += [text for text in self._guard.take() if text not in shown]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._outside += self._guard.take()
        before, (word, _) = self._guard.is_on, _word_of(item)
        self._guard.switch(word == "on" if isinstance(word, str) else before)
        yield
        self._guard.switch(before)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        _, wrong = _word_of(item)
        if wrong:
            raise pytest.fail.Exception(f"@pytest.mark.plivo_guard: {wrong}", pytrace=False)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self) -> Any:
        report: pytest.TestReport = (yield).get_result()
        caught = self._guard.take()
        if caught and report.failed:
            caught = [each for each in caught if each not in report.longreprtext]
        for title, texts in ((SECTION, caught), (OUTSIDE, self._outside)):
            if lines := list(dict.fromkeys(texts)):
                report.sections.append((title, "\n".join([_CAUGHT, *lines])))
        self._outside = []

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        told = dict.fromkeys([*_told_by(terminalreporter.stats), *(("", t) for t in self._outside)])
        if not told:
            return
        terminalreporter.section("plivo-sim: stopped calls to live services")
        for node, text in told:
            terminalreporter.line(f"{node or 'outside of tests'}: {text}")
        terminalreporter.line(ADVICE)


def _word_of(item: pytest.Item) -> tuple[str | None, str]:
    """What the nearest marker says, None without one; or what is wrong with it, which is all that
    is told then. An argument that is no text is not compared: not everything can be."""
    marker = item.get_closest_marker("plivo_guard")
    if marker is None:
        return None, ""
    said = (*marker.args, *marker.kwargs.items())
    word = said[0] if len(said) == 1 else said
    if isinstance(word, str) and word in _WORDS:
        return word, ""
    return None, f"{word!r} is not one of 'on', 'off'{_hint(word)}"


def _hint(word: object) -> str:
    from plivo_sim.domain.words import did_you_mean  # only for who mistyped it

    return did_you_mean(str(word), _WORDS, listed=0)


def _told_by(stats: dict[str, list[Any]]) -> Iterator[tuple[str, str]]:
    """What the reports tell (those of xdist's workers, too): the test, and a line."""
    for reports in stats.values():
        for report in reports:
            for title, text in getattr(report, "sections", ()):
                if title in (SECTION, OUTSIDE):
                    node = report.nodeid if title == SECTION else ""
                    yield from ((node, line) for line in text.splitlines()[1:])
