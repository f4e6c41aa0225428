"""A report in JUnit's XML, as CI servers read it.

There is no standard; GitLab, Jenkins and the actions for GitHub agree on ``testsuites``,
``testsuite``, ``testcase``, ``failure``, ``error``, ``skipped`` and ``system-out``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as XML

_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say, not even as a reference; and carriage returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test. At most one of ``failure`` (it was run, and does not hold), ``error`` (it could not
    be run) and ``skipped`` (it was passed over, or nothing was checked) says why; ``output`` is
    what it printed."""

    name: str
    took_s: float
    failure: str = ""
    error: str = ""
    skipped: str = ""
    output: str = ""


def report(suite: str, cases: Sequence[Case]) -> bytes:
    """The document, UTF-8."""
    counts = {
        "tests": len(cases),
        "failures": sum(bool(each.failure) for each in cases),
        "errors": sum(bool(each.error) for each in cases),
        "skipped": sum(bool(each.skipped) for each in cases),
    }
    about = {name: str(count) for name, count in counts.items()}
    about["time"] = _seconds(sum(each.took_s for each in cases))
    root = XML.Element("testsuites", about)
    inner = XML.SubElement(root, "testsuite", {"name": suite, **about})
    for each in cases:
        _add(inner, suite, each)
    XML.indent(root)
    document: bytes = XML.tostring(root, "utf-8", xml_declaration=True)
    return document + b"\n"


def _add(suite: XML.Element, class_: str, case: Case) -> None:
    about = {"classname": class_, "name": _sayable(case.name), "time": _seconds(case.took_s)}
    element = XML.SubElement(suite, "testcase", about)
    for tag in ("failure", "error", "skipped"):
        if text := _sayable(getattr(case, tag)):
            XML.SubElement(element, tag, {"message": text.partition("\n")[0]}).text = text
    if case.output:
        XML.SubElement(element, "system-out").text = _sayable(case.output)


def _seconds(took_s: float) -> str:
    return f"{took_s:.3f}"


def _sayable(text: str) -> str:
    return _NOT_XML.sub("?", text)
