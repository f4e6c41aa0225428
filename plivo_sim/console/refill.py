"""Forms as they were sent: after a refusal, whatever was typed, chosen and ticked is there again.

The page is made as usual; then the fields of the form that was refused get the values that were
sent, in its text. So every form of every page keeps them, without a line in its template. Pure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser

from markupsafe import escape
from werkzeug.datastructures import MultiDict

Tag = dict[str, str | None]
_VALUE = re.compile(r"""\svalue(=("[^"]*"|'[^']*'|[^\s>]*))?(?=[\s/>])""")
_LESS = {
    "checked": re.compile(r"""\schecked(=("[^"]*"|'[^']*'|[^\s>]*))?(?=[\s/>])"""),
    "selected": re.compile(r"""\sselected(=("[^"]*"|'[^']*'|[^\s>]*))?(?=[\s/>])"""),
}
OWN = frozenset({"_token", "_back"})
LEFT_ALONE = frozenset({"hidden", "submit", "button", "file", "password", "reset", "image"})
"""Types of inputs that a person does not fill in, or no page may."""


def refill(page: str, action: str, sent: MultiDict[str, str]) -> str:
    """The page with the values that were sent by its form of this ``action``. Of several such
    forms, those whose hidden fields have what was sent. Without such a form, the page as it is."""
    return _Filler(page, action, sent).filled()


class _Form:
    def __init__(self, action: str, id: str) -> None:
        self.action, self.id = action, id
        self.hidden: list[tuple[str, str]] = []
        self.fields: list[Callable[[], None]] = []


class _Filler(HTMLParser):
    """Reads the page once; changes are noted by their place, and made in the end."""

    def __init__(self, page: str, action: str, sent: MultiDict[str, str]) -> None:
        super().__init__(convert_charrefs=False)
        self._page, self._action, self._sent = page, action, sent
        self._lines = [0, *(found.end() for found in re.finditer("\n", page))]
        self._forms: list[_Form] = []
        self._inside: _Form | None = None
        self._elsewhere: list[tuple[str, Callable[[], None]]] = []
        self._select: tuple[str, list[tuple[int, str, Tag]]] | None = None
        self._changes: list[tuple[int, int, str]] = []

    def filled(self) -> str:
        self.feed(self._page)
        self.close()
        for form in self._forms:
            if form.action == self._action and all(
                name in OWN or value in self._sent.getlist(name) for name, value in form.hidden
            ):
                for fill in form.fields + [each for id, each in self._elsewhere if id == form.id]:
                    fill()
        parts, end = [], 0
        for start, stop, text in sorted(self._changes):
            parts += [self._page[end:start], text]
            end = stop
        return "".join([*parts, self._page[end:]])

    # --- reading -----------------------------------------------------------------------------

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given, at, text = dict(attrs), self._place(), self.get_starttag_text() or ""
        name = given.get("name") or ""
        if tag == "form":
            action = (given.get("action") or "").partition("?")[0]
            self._inside = _Form(action, given.get("id") or "")
            self._forms.append(self._inside)
        elif tag == "input" and name:
            self._input(name, at, text, given)
        elif tag == "select" and name:
            options: list[tuple[int, str, Tag]] = []
            self._select = name, options
            self._keep(given, lambda: self._choose(name, options))
        elif tag == "option" and self._select is not None:
            self._select[1].append((at, text, given))
        elif tag == "textarea" and name:
            self._keep(given, partial(self._write, name, at + len(text)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None

    def _input(self, name: str, at: int, text: str, given: Tag) -> None:
        kind = given.get("type") or "text"
        if kind == "hidden" and self._inside is not None:
            self._inside.hidden.append((name, given.get("value") or ""))
        elif kind in ("checkbox", "radio"):
            self._keep(given, lambda: self._tick(name, at, text, given))
        elif kind not in LEFT_ALONE:
            self._keep(given, lambda: self._type(name, at, text))

    def _keep(self, given: Tag, fill: Callable[[], None]) -> None:
        owner = given.get("form")
        if owner:
            self._elsewhere.append((owner, fill))
        elif self._inside is not None:
            self._inside.fields.append(fill)

    # --- writing -----------------------------------------------------------------------------

    def _change(self, at: int, old: str, new: str) -> None:
        self._changes.append((at, at + len(old), new))

    def _type(self, name: str, at: int, text: str) -> None:
        if name in self._sent:
            value = f'value="{escape(self._sent[name])}"'
            found = _VALUE.search(text)
            filled = _with(text, value)
            if found is not None:
                filled = f"{text[: found.start()]} {value}{text[found.end() :]}"
            self._change(at, text, _with(filled, "data-kept"))

    def _tick(self, name: str, at: int, text: str, given: Tag) -> None:
        ticked = (given.get("value") or "on") in self._sent.getlist(name)
        bare = _less(text, "checked")
        self._change(at, text, _with(bare, "checked data-kept") if ticked else bare)

    def _choose(self, name: str, options: list[tuple[int, str, Tag]]) -> None:
        if name not in self._sent:
            return
        for at, text, given in options:
            value = given.get("value")
            if value is None:
                stop = self._page.find("<", at + len(text))
                value = html.unescape(self._page[at + len(text) : stop])
            bare = _less(text, "selected")
            chosen = value.strip() in self._sent.getlist(name)
            self._change(at, text, _with(bare, "selected data-kept") if chosen else bare)

    def _write(self, name: str, start: int) -> None:
        """An editor that its page has filled says what is left to do."""
        stop = self._page.find("</textarea", start)
        if name in self._sent and not self._page[start:stop].strip():
            self._changes.append((start, stop, f"\n{escape(self._sent[name])}"))


def _less(tag: str, attribute: str) -> str:
    return _LESS[attribute].sub("", tag, count=1)


def _with(tag: str, attributes: str) -> str:
    end = "/>" if tag.endswith("/>") else ">"
    return f"{tag.removesuffix(end).rstrip()} {attributes}{end}"
