"""Forms as they were sent: after a refusal, whatever was typed, chosen and ticked is there again.

The page is made as usual; then the fields of the form that was refused get the values that were
sent, in its text. So every form of every page keeps them, without a line in its template. And what
is wrong is told by the label of its field, which it leads to. Pure.
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
_UNSAID = re.compile(r"<(select|textarea|code|small)\b.*?</\1>|<[^>]*>", re.DOTALL)
"""Of a label what does not name its field."""
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
    forms, those whose hidden fields have what was sent. Without such a form, the page as it is.

    What is wrong stands in the page as ``<code data-wrong>``, the API's path of it. A field has the
    path that is its name or ``data-path``, and what lies below; the only field of a form has all.
    """
    return _Filler(page, action, sent).filled()


class _Field:
    """Where its tag stands in the page, and what fills it. ``label``, ``group``: where the text of
    its label, and the legend around it, stands."""

    def __init__(self, at: int, text: str, given: Tag, fill: Callable[[], None]) -> None:
        self.at, self.text, self.fill = at, text, fill
        self.id = given.get("id") or f"field-{given['name']}"
        self.has_id, self.is_marked = bool(given.get("id")), "aria-invalid" in given
        self.path = given.get("data-path") or given["name"] or ""
        self.label = self.group = ""

    def has(self, path: str) -> bool:
        return path == self.path or path.startswith((f"{self.path}.", f"{self.path}["))


class _Form:
    def __init__(self, action: str, id: str) -> None:
        self.action, self.id = action, id
        self.hidden: list[tuple[str, str]] = []
        self.fields: list[_Field] = []

    def field_of(self, path: str) -> _Field | None:
        has_it = [each for each in self.fields if each.has(path)]
        only = self.fields if len(self.fields) == 1 else []
        return next(iter([*has_it, *only]), None)


class _Filler(HTMLParser):
    """Reads the page once; changes are noted by their place, and made in the end."""

    def __init__(self, page: str, action: str, sent: MultiDict[str, str]) -> None:
        super().__init__(convert_charrefs=False)
        self._page, self._action, self._sent = page, action, sent
        self._lines = [0, *(found.end() for found in re.finditer("\n", page))]
        self._forms: list[_Form] = []
        self._inside: _Form | None = None
        self._elsewhere: list[tuple[str, _Field]] = []
        self._labelled: list[_Field] = []
        self._label: tuple[int, str] | None = None
        self._labels: dict[str, str] = {}
        self._groups: list[str] = []
        self._legend = 0
        self._wrong: list[tuple[int, str]] = []
        self._tags: dict[int, tuple[str, str]] = {}
        self._select: tuple[str, list[tuple[int, str, Tag]]] | None = None
        self._changes: list[tuple[int, int, str]] = []

    def filled(self) -> str:
        self.feed(self._page)
        self.close()
        for form in self._forms:
            if form.action == self._action and all(
                name in OWN or value in self._sent.getlist(name) for name, value in form.hidden
            ):
                form.fields += [each for id, each in self._elsewhere if id == form.id]
                for field in form.fields:
                    field.fill()
                self._lead(form)
        for at, (old, new) in self._tags.items():
            self._changes.append((at, at + len(old), new))
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
        if tag == "code" and "data-wrong" in given:
            self._wrong.append((at, text))
        elif tag == "label":
            self._label = at, given.get("for") or ""
            self._labelled = []
        elif tag == "fieldset":
            self._groups.append("")
        elif tag == "legend":
            self._legend = at
        elif tag == "form":
            action = (given.get("action") or "").partition("?")[0]
            self._inside = _Form(action, given.get("id") or "")
            self._forms.append(self._inside)
        elif tag == "input" and name:
            self._input(name, at, text, given)
        elif tag == "select" and name:
            options: list[tuple[int, str, Tag]] = []
            self._select = name, options
            self._keep(at, text, given, lambda: self._choose(name, options))
        elif tag == "option" and self._select is not None:
            self._select[1].append((at, text, given))
        elif tag == "textarea" and name:
            self._keep(at, text, given, partial(self._write, name, at + len(text)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = None
        elif tag == "label" and self._label is not None:
            (start, owner), self._label = self._label, None
            said = self._said(start)
            self._labels[owner] = said
            for each in self._labelled:
                each.label = said
        elif tag == "legend" and self._groups:
            self._groups[-1] = self._said(self._legend)
        elif tag == "fieldset" and self._groups:
            self._groups.pop()

    def _said(self, start: int) -> str:
        """The words from there to here, as they stand in the page."""
        said = " ".join(_UNSAID.sub(" ", self._page[start : self._place()]).split())
        return said.removesuffix(" (required)")

    def _input(self, name: str, at: int, text: str, given: Tag) -> None:
        kind = given.get("type") or "text"
        if kind == "hidden" and self._inside is not None:
            self._inside.hidden.append((name, given.get("value") or ""))
        elif kind in ("checkbox", "radio"):
            self._keep(at, text, given, lambda: self._tick(name, at, text, given))
        elif kind == "file":
            self._keep(at, text, given, lambda: None)
        elif kind not in LEFT_ALONE:
            self._keep(at, text, given, lambda: self._type(name, at, text))

    def _keep(self, at: int, text: str, given: Tag, fill: Callable[[], None]) -> None:
        owner, field = given.get("form"), _Field(at, text, given, fill)
        field.group = next(iter(self._groups[-1:]), "")
        if self._label is not None:
            self._labelled.append(field)
        if owner:
            self._elsewhere.append((owner, field))
        elif self._inside is not None:
            self._inside.fields.append(field)

    def _lead(self, form: _Form) -> None:
        """From what is wrong to its field."""
        for at, text in self._wrong[:]:
            stop = self._page.find("</code>", at)
            path = html.unescape(self._page[at + len(text) : stop])
            field = form.field_of(path)
            label = (field.label or self._labels.get(field.id, "")) if field else ""
            if field is None or not label:
                continue
            told = f"{field.group}, {label}" if field.group else label
            link = f'<a href="#{escape(field.id)}">{told}</a> ('
            self._changes.append((at, at, link))
            self._changes.append((stop + len("</code>"), stop + len("</code>"), ")"))
            if not field.has_id:
                self._add(field, f'id="{escape(field.id)}"')
            if not field.is_marked:
                self._add(field, 'aria-invalid="true"')
            field.has_id = field.is_marked = True
            self._wrong.remove((at, text))

    # --- writing -----------------------------------------------------------------------------

    def _change(self, at: int, old: str, new: str) -> None:
        self._tags[at] = old, new

    def _add(self, field: _Field, attributes: str) -> None:
        old, new = self._tags.get(field.at, (field.text, field.text))
        self._tags[field.at] = old, _with(new, attributes)

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
