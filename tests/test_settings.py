"""Every setting: how it is read, and whether an account may have its own."""

from __future__ import annotations

from dataclasses import Field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.domain.durations import Duration
from plivo_sim.settings import ACCOUNT_SETTINGS, Settings, read_setting

MAIN, SUB = "MA" + "1" * 18, "SA" + "2" * 18


REFUSED = "http://ada:hunter2@hooks.internal:808o/cb?auth_token=hunter2"


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_no_secret_of_a_refused_value_is_told(each: Field[Any]) -> None:
    """It is answered, printed and logged."""
    if each.name in TAKEN:
        return
    with pytest.raises(ValueError, match=each.name) as refused:
        read_setting(each.name, REFUSED)
    assert "hunter2" not in str(refused.value)


TAKEN = {"state", "tls_dir", "tls_cert", "tls_key", "machine", "catalogue", "scenario"}
"""Settings that are paths and names, which are looked for later."""


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("state", "/var/lib/sim", Path("/var/lib/sim")),
        ("seed", "-7", -7),
        ("credentials", "", {}),
        ("credentials", f"{MAIN}:a:b, {SUB}:c", {MAIN: "a:b", SUB: "c"}),
        ("host", "[::1]", "::1"),
        ("allowed_hosts", "Sim.Example., [::1]", ("sim.example", "::1")),
        (
            "cors_origins",
            "HTTP://LocalHost:3000/ https://app.example:443",
            (
                "http://localhost:3000",
                "https://app.example",
            ),
        ),
        ("cors_origins", "http://[::1]:5173", ("http://[::1]:5173",)),
        ("public_url", "https://sim.example/base/", "https://sim.example/base/"),
        ("review_delay", "documented", None),
        ("review_delay", " Documented ", None),
        ("review_delay", "2 business days", Duration(business_days=2)),
        ("review_delay", "0", Duration()),
        ("warp", "86400", 86400.0),
        ("warp", "0.5", 0.5),
        ("paused", "true", True),
        ("paused", "NO", False),
        ("paused", "", False),
        ("strict", "1", True),
        ("start", "2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("start", "2026-01-05T09:00:00", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("start", "2026-01-05T09:00:00Z", datetime(2026, 1, 5, 9, tzinfo=UTC)),
        ("start", "2026-01-05T09:00:00+05:30", datetime(2026, 1, 5, 3, 30, tzinfo=UTC)),
        ("holidays", "", frozenset()),
        ("holidays", "2026-01-26, 2026-08-15", {date(2026, 1, 26), date(2026, 8, 15)}),
        ("new_api", "Current", "current"),
        ("callback_method", "GET", "get"),
        ("callback_encoding", "form", "form"),
        ("callback_retries", "60s, 2m,4m", (Duration(60), Duration(120), Duration(240))),
        ("callback_retries", "", ()),
        ("retry_clock", "simulator", "simulator"),
        ("allow_callback_hosts", "a.example, b.example c", ("a.example", "b.example", "c")),
    ],
)
def test_reading(name: str, text: str, value: Any) -> None:
    """From the text of an option, a variable or a control call."""
    assert read_setting(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "70000"), ("port", "-1"), ("port", "http"), ("seed", "1.5"), ("seed", ""),
        ("credentials", "MA1"), ("credentials", "MA1:"), ("review_delay", "soon"), ("warp", "0"),
        ("warp", "-1"), ("warp", "inf"), ("warp", "nan"), ("warp", "2e9"), ("paused", "perhaps"),
        ("start", "tomorrow"), ("start", "2026-02-30"), ("holidays", "26 January"),
        ("new_api", "legacy"), ("callback_method", "put"), ("callback_encoding", "xml"),
        ("callback_timeout_s", "long"), ("callback_timeout_s", "1_0"), ("warp", "1_0"),
        ("seed", "1_0"), ("seed", "١"), ("port", "1_0"), ("port", "١"),
        ("callback_retries", "60s, soon"), ("retry_clock", "real"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_the_setting(name: str, text: str) -> None:
    """In a ValueError."""
    with pytest.raises(ValueError, match=f"^{name}: "):
        read_setting(name, text)


def test_the_defaults_are_the_documented_ones() -> None:
    """Those that a first user meets."""
    default = Settings()
    assert (default.host, default.port, default.state) == ("127.0.0.1", 8700, None)
    assert (default.review_delay, default.warp, default.paused) == (Duration(5), 1.0, False)
    assert default.callback_retries == (Duration(60), Duration(120), Duration(240))
    assert (default.new_api, default.strict, default.callback_timeout_s) == ("auto", False, 5.0)


def test_every_setting_says_what_it_means() -> None:
    """A sentence, for the command line and the reference."""
    for each in fields(Settings):
        assert each.metadata["help"].endswith("."), each.name


@pytest.mark.parametrize(
    "name", [f.name for f in fields(Settings) if f.name not in ACCOUNT_SETTINGS]
)
def test_what_is_the_server_s_is_no_account_s(name: str) -> None:
    """An account cannot change the port, the state directory or the seed of all."""
    with pytest.raises(ValueError, match=f"{name}: no setting of an account; there are "):
        Settings().for_account({name: "1"})


def test_an_account_s_own_values_go_over_the_server_s() -> None:
    """What it does not name stays."""
    own = Settings(warp=2.0, strict=True).for_account({"warp": "60", "holidays": "2026-01-26"})
    assert (own.warp, own.strict, own.holidays) == (60.0, True, {date(2026, 1, 26)})


def test_settings_are_shared_by_nobody() -> None:
    """Frozen, and without a mutable default."""
    first, second = Settings(), Settings()
    with pytest.raises(AttributeError):
        first.warp = 2.0  # type: ignore[misc]  # on purpose
    assert first.credentials is not second.credentials


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("callback_url", "http://[bad"),
        ("callback_url", "ftp://127.0.0.1/x"),
        ("callback_url", "http://127.0.0.1:0/x"),
        ("callback_url", "http://127.0.0.1/a b"),
        ("callback_url", "http://127.0.0.1/a\tb"),
        ("callback_url", "http://127.0.0.1/\x7f"),
        ("callback_url", "http://127.0.0.1/é"),
        ("callback_url", "http://１２７.0.0.1/"),
        ("callback_url", f"http://127.0.0.1/{'a' * 2048}"),
        ("public_url", "https://sim.example/a b"),
        ("public_url", "sim.example:8700"),
        ("public_url", "sim.example"),
        ("public_url", "ftp://sim.example"),
        ("public_url", "https://sim.example/?a=b"),
        ("public_url", "https://sim.example/#a"),
        ("allowed_hosts", "sim.example:8700"),
        ("allowed_hosts", "http://sim.example"),
        ("allowed_hosts", "*.sim.example"),
        ("allow_callback_hosts", "10.0.0.0/8"),
        ("host", ""),
        ("host", "127.0.0.1:8700"),
        ("host", "http://127.0.0.1"),
        ("state", ""),
        ("catalogue", " "),
        ("credentials", "MA1:token"),
        ("credentials", f"{MAIN}:one,{MAIN}:two"),
        ("atoms_tokens", f"token:{MAIN},token:MA{'2' * 18}"),
        ("callback_timeout_s", "nan"),
        ("callback_timeout_s", "-1"),
        ("callback_timeout_s", "inf"),
        ("start", "0001-01-01T00:00:00+14:00"),
        ("start", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_values_that_would_fail_later_are_refused_now(name: str, text: str) -> None:
    """By the setting's own name."""
    with pytest.raises(ValueError, match=f"^{name}: "):
        read_setting(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("credentials", "s3cret"),
        ("credentials", f"s3cret:{MAIN}"),
        ("credentials", f"{MAIN}:s3cret,{MAIN}:s3cret2"),
        ("atoms_tokens", "s3cret"),
        ("atoms_tokens", f"{MAIN}:s3cret"),
        ("atoms_tokens", f"s3cret:{MAIN},s3cret:MA{'2' * 18}"),
    ],
)
def test_a_refusal_does_not_repeat_a_secret(name: str, text: str) -> None:
    """It goes to standard error, and into logs from there."""
    with pytest.raises(ValueError, match=name) as refused:
        read_setting(name, text)
    assert "s3cret" not in str(refused.value)


def test_host_names_know_no_case() -> None:
    """They are compared in lower case."""
    assert read_setting("allow_callback_hosts", "Hooks.Example.COM") == ("hooks.example.com",)
