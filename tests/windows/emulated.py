"""Run a module with plivo_sim seeing what it would see on Windows, as far as that can be had here.

``python -m tests.windows.emulated FOLDER MODULE [ARGUMENT...]``. For the modules of plivo_sim, and
for them only: ``sys.platform`` is ``win32``; names and modules that Windows lacks
(``missing.txt``) are not there; sockets are waited for with ``select``. Below FOLDER the file
system is as strict as NTFS: no open file is replaced or removed, no folder is opened, and names
that NTFS does not take, or takes for those of a file that is there, are refused. What has no
likeness here (``SIGBREAK``, ``SO_EXCLUSIVEADDRUSE``) is played by what Windows lacks, or does no
harm.
"""

from __future__ import annotations

import builtins
import errno
import os
import re
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

BREAK = signal.SIGUSR1
"""What plays ``SIGBREAK``."""
GIVEN: dict[str, dict[str, Any]] = {
    "os": {"name": "nt"},
    "sys": {"platform": "win32"},
    "selectors": {"DefaultSelector": selectors.SelectSelector},
    "signal": {"SIGBREAK": BREAK},
    "socket": {"SO_EXCLUSIVEADDRUSE": socket.SO_KEEPALIVE},
}
MISSING = {
    words[0]: frozenset(words[1:])
    for words in map(str.split, Path(__file__).with_name("missing.txt").read_text().splitlines())
}
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')


class AsOnWindows(ModuleType):
    """A module less what Windows lacks; what is set in it is set in the real one."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        vars(self)["real"] = real

    def __getattr__(self, name: str) -> Any:
        real = vars(self)["real"]
        if name in MISSING.get(real.__name__, ()):
            raise AttributeError(f"{real.__name__}.{name} is not there on Windows")
        return GIVEN.get(real.__name__, {}).get(name) or getattr(real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(vars(self)["real"], name, value)


def hide_what_windows_lacks() -> None:
    """From the modules of plivo_sim that are loaded from now on."""
    assert not any(name.partition(".")[0] == "plivo_sim" for name in sys.modules)
    known: dict[str, AsOnWindows] = {}
    load = builtins.__import__

    def loaded(name: str, globals: Any = None, *others: Any, **named: Any) -> ModuleType:
        importer = str((globals or {}).get("__name__", ""))
        if importer.partition(".")[0] == "plivo_sim":
            if MISSING.get(name) == frozenset():
                raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
            if name in MISSING or name in GIVEN:
                return known.setdefault(name, AsOnWindows(load(name)))
        return load(name, globals, *others, **named)

    builtins.__import__ = loaded


def be_as_strict_as_ntfs(folder: Path) -> None:
    """About the files below this folder, in this process."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            path, _, flags = arguments
            if below(path) and os.path.isdir(path):
                raise PermissionError(
                    errno.EACCES, "is a folder, which Windows does not open", path
                )
            if flags & os.O_CREAT:
                check_name(path)
        elif event in ("os.rename", "os.remove", "os.rmdir"):
            for path in map(os.fspath, arguments[: 2 if event == "os.rename" else 1]):
                if below(path) and is_open(path):
                    raise PermissionError(errno.EACCES, "is open, so Windows keeps it", path)
            if event == "os.rename":
                check_name(os.fspath(arguments[1]))
        elif event == "os.mkdir":
            check_name(os.fspath(arguments[0]))

    def below(path: str) -> bool:
        return Path(os.path.abspath(path)).is_relative_to(folder)

    def is_open(path: str) -> bool:
        """The file, or one in the folder."""
        real = os.path.realpath(path)
        for each in os.listdir("/proc/self/fd"):
            try:
                target = os.readlink(f"/proc/self/fd/{each}")
            except OSError:
                continue
            if target == real or target.startswith(real + os.sep):
                return True
        return False

    def check_name(path: str) -> None:
        if not below(path):
            return
        place = Path(os.path.abspath(path))
        for part in place.relative_to(folder).parts:
            if RESERVED.fullmatch(part) or FORBIDDEN.search(part):
                raise OSError(errno.EINVAL, "NTFS does not take this name", path)
        beside = os.listdir(place.parent) if place.parent.is_dir() else []
        if any(each != place.name and each.lower() == place.name.lower() for each in beside):
            raise OSError(errno.EEXIST, "to NTFS, another has this name", path)

    sys.addaudithook(refuse)


def main() -> None:
    folder, module = Path(sys.argv[1]).resolve(), sys.argv[2]
    del sys.argv[1:3]
    hide_what_windows_lacks()
    be_as_strict_as_ntfs(folder)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
