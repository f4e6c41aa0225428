"""The file of a tape: a line of JSON for what it is, then one for each exchange or callback."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from errno import EFBIG, ENOSPC
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from plivo_sim import __version__
from plivo_sim.apis.atoms.routes import ATOMS
from plivo_sim.apis.phone_number.routes import BETA, CURRENT
from plivo_sim.catalogue.user_files import bytes_in, open_plain
from plivo_sim.domain.limits import BODY
from plivo_sim.domain.text import decode_json, encode_json
from plivo_sim.domain.typed import fitted
from plivo_sim.recording.bodies import MOST_FILE_BYTES, MOST_TEXT_BYTES, Body
from plivo_sim.recording.writer import NotKept

VERSION = 1
MOST_LINE_BYTES = MOST_TEXT_BYTES
MOST_TAPE_BYTES = 64 << 20
MOST_LINES = 20_000
CALLBACKS = "/_callbacks"
"""The target of every callback; where a recorder runs, callbacks come to this path and below."""
MOST_ESCAPES = 3
"""So often may a path be escaped, one server after the other: ``%252e``."""
_APIS = ("/v1/", f"{CURRENT.mount}/v1/", f"{BETA.mount}/v1/", f"{ATOMS.prefix}/")

Kind = Literal["exchange", "callback"]


class Header(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The first line. ``upstream``: the host, where it is Plivo's, or its stand-in."""

    tape: int
    made_by: str
    on: str
    upstream: str


Name = Annotated[str, Meta(pattern=r"^[!-9;-~]{1,200}\Z")]
Value = Annotated[str, Meta(pattern=r"^[\t -~\u00a0-\u00ff]*\Z")]
Target = Annotated[str, Meta(pattern=r"^/[!-~]*\Z")]
"""A path, and so nothing that names another host."""
Method = Annotated[str, Meta(pattern=r"^[A-Z]{1,20}\Z")]


class _Json(msgspec.Struct, forbid_unknown_fields=True):
    json: Any


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    json: Any = msgspec.UNSET
    kind: str = ""
    bytes: Annotated[int, Meta(ge=0)] = 0
    content: str = ""

    def __post_init__(self) -> None:
        if self.json is msgspec.UNSET and not (self.kind and self.content):
            raise ValueError("a file has json, or kind, bytes and content")


class _Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a body may hold; see ``bodies.py``."""

    json: Any = msgspec.UNSET
    form: list[tuple[str, str | _Json]] = []
    files: list[tuple[str, _File]] = []
    text: str = ""
    bytes: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        made = sum(min(file.bytes, MOST_FILE_BYTES) for _, file in self.files)
        BODY.check(made, "bytes of the files")


class Request(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``target``: path and query."""

    method: Method
    target: Target
    headers: list[tuple[Name, Value]] = []
    body: Body = {}


class Answer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    status: Annotated[int, Meta(ge=100, le=999)]
    headers: list[tuple[Name, Value]] = []
    body: Body = {}


class Exchange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One call and its answer. ``after_s``: since the tape began. ``line``: of the file."""

    kind: Kind
    after_s: float
    request: Request
    answer: Answer
    line: int = 0


class WrongTape(ValueError):
    """The file is no tape, or a line of it is wrong; the text says which one."""


def check_target(kind: Kind, target: str) -> None:
    """Raises ValueError unless it is where callbacks come, or a path of an imitated API: whoever
    plays a tape calls nothing else of a simulator, such as its control API."""
    if kind == "callback":
        if target != CALLBACKS:
            raise ValueError(f"request.target: that of a callback is {CALLBACKS}")
        return
    path = target.partition("?")[0]
    if not path.startswith(_APIS):
        raise ValueError(f"request.target: is no path of an imitated API ({', '.join(_APIS)})")
    if has_dots(path):
        raise ValueError("request.target: has a segment of dots")


def has_dots(path: str) -> bool:
    """Whether a server may take it for a path elsewhere: it has a segment ``.`` or ``..``, in
    whatever way that is written; with parameters (``..;x``) too, which some pass over."""
    for _ in range(MOST_ESCAPES):
        path = unquote(path)
    segments = re.split(r"[/\\]", path)
    return any(each.partition(";")[0].strip() in (".", "..") for each in segments)


class Tape:
    """A tape that is being made: each line is written at once and whole.

    Raises FileExistsError where a file is and ``replaces`` is not set, OSError, too for what is no
    plain file.
    """

    def __init__(self, path: Path, upstream: str, *, replaces: bool = False) -> None:
        self._lock = Lock()
        mode = "wb" if replaces else "xb"
        self._file = open(path, mode, 0, opener=_open_private)  # noqa: SIM115  # until ``close``
        made_by = f"plivo-sim {__version__}"
        on = f"{datetime.now(UTC):%Y-%m-%d}"
        self._bytes = 0
        self._write(encode_json(Header(tape=VERSION, made_by=made_by, on=on, upstream=upstream)))
        self.count = 0

    def add(self, exchange: Exchange) -> None:
        """Of one that is longer than a line may be, or could not be read again, such as for its
        depth, the bodies are left out. Raises NotKept where that is not enough; OSError, too when
        the tape would be longer than what is read."""
        line = _encode(exchange)
        if not _is_readable(line):
            exchange.request.body = {"bytes": len(encode_json(exchange.request.body))}
            exchange.answer.body = {"bytes": len(encode_json(exchange.answer.body))}
            line = _encode(exchange)
            if not _is_readable(line):
                raise NotKept("it could not be read again")
        with self._lock:
            if self._bytes + len(line) >= MOST_TAPE_BYTES or self.count + 1 >= MOST_LINES:
                raise OSError(EFBIG, "the tape is full; start another one")
            self._write(line)
            self.count += 1

    def _write(self, line: bytes) -> None:
        if self._file.write(line + b"\n") <= len(line):
            self._file.truncate(self._bytes)  # else the next line would go on with the torn one
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        self._bytes += len(line) + 1

    def close(self) -> None:
        self._file.close()


def _open_private(path: str, flags: int) -> int:
    """For its owner's eyes only."""
    file = open_plain(path, flags | os.O_APPEND, 0o600)
    if sys.platform != "win32":  # whose files have no mode
        os.fchmod(file, 0o600)  # of one that is replaced
    return file


def _encode(exchange: Exchange) -> bytes:
    told: dict[str, Any] = msgspec.to_builtins(exchange)
    return encode_json({key: value for key, value in told.items() if key != "line"})


def _decoded(line: bytes) -> Exchange:
    exchange = fitted(decode_json(line), Exchange)
    check_target(exchange.kind, exchange.request.target)
    for body in (exchange.request.body, exchange.answer.body):
        fitted(body, _Body)
    return exchange


def _is_readable(line: bytes) -> bool:
    try:
        _decoded(line)
    except ValueError:
        return False
    return len(line) <= MOST_LINE_BYTES


def read_tape(path: Path) -> tuple[Header, list[Exchange]]:
    """What is on a tape. Raises WrongTape that names the file and the line, OSError.

    A last line that is not whole, because its recorder was killed, is passed over.
    """
    content = bytes_in(path, MOST_TAPE_BYTES)
    if len(content) > MOST_TAPE_BYTES:
        raise WrongTape(f"{path}: is too large; at most {MOST_TAPE_BYTES} bytes are read")
    header: Header | None = None
    exchanges = []
    for number, line in _lines(path, BytesIO(content)):
        try:
            if header is None:
                header = _header(decode_json(line))
            else:
                exchange = _decoded(line)
                exchange.line = number
                exchanges.append(exchange)
        except ValueError as error:
            raise WrongTape(f"{path}:{number}: {error}") from None
    if header is None:
        raise WrongTape(f"{path}: is empty; plivo-sim record makes a tape")
    return header, exchanges


def _header(told: Any) -> Header:
    if not isinstance(told, dict) or "tape" not in told:
        raise ValueError("is not the first line of a tape; plivo-sim record makes one")
    if told["tape"] != VERSION:
        raise ValueError(f"the tape is of version {told['tape']}; {VERSION} is read")
    return fitted(told, Header)


def _lines(path: Path, file: BytesIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(iter(partial(file.readline, MOST_LINE_BYTES + 2), b""), 1):
        if number > MOST_LINES:
            raise WrongTape(f"{path}:{number}: a tape has at most {MOST_LINES} lines")
        if len(line) > MOST_LINE_BYTES + 1:
            raise WrongTape(f"{path}:{number}: a line has at most {MOST_LINE_BYTES} bytes")
        if line.endswith(b"\n"):
            yield number, line[:-1]
        elif number == 1:
            raise WrongTape(f"{path}:1: is not the first line of a tape")
