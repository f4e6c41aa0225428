"""Every setting, once: its default, how it is read, and whether an account may have its own.

The command line, ``PLIVO_SIM_*`` variables, ``POST /_sim/accounts`` and the reference in the docs
are made from this one class.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from plivo_sim.domain import limits
from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.secrets import as_told, masked_text
from plivo_sim.domain.serving import ServingRule, read_rule
from plivo_sim.domain.text import number_in, whole_in
from plivo_sim.domain.typed import short
from plivo_sim.domain.urls import (
    base_url,
    is_uncallable,
    names_off_limits,
    off_limits_text,
    option_and_variable,
    read_host,
    split_host,
    url_trouble,
)
from plivo_sim.domain.words import did_you_mean

DEFAULT_URL = "http://127.0.0.1:8700"
"""Where a simulator answers whose settings are the defaults."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
DOCUMENTED = "documented"
LONGEST_TIMEOUT_S = 120.0
HOSTS = "allow_callback_hosts"
"""The setting that no document brings along: where an account's callbacks may go is its own."""


def read_flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("", "0", "false", "no", "off"):
        return False
    raise ValueError(f"{as_told(text)} is neither true nor false")


def read_words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def read_hosts(text: str) -> tuple[str, ...]:
    """Host names and addresses, as they are compared. Raises ValueError for what matches none."""
    return tuple(map(read_host, read_words(text)))


def read_origins(text: str) -> tuple[str, ...]:
    """Origins, as browsers write them. Raises ValueError for what is none."""
    return tuple(map(_origin, read_words(text)))


def _origin(text: str) -> str:
    scheme, _, rest = text.lower().partition("://")
    host, port = split_host(rest.rstrip("/"))
    if scheme not in ("http", "https") or not host:
        raise ValueError(f"{as_told(text)} is no origin: write http://localhost:3000")
    return base_url(scheme, host, port)


def read_url(text: str) -> str:
    """An http or https URL, or nothing. Raises ValueError."""
    if text and (trouble := url_trouble(text)):
        raise ValueError(f"{as_told(text)} {trouble}")
    return text


def read_base_url(text: str) -> str:
    """An http or https URL that paths can be put behind, or nothing. Raises ValueError."""
    if "?" in read_url(text) or "#" in text:
        raise ValueError(f"{as_told(text)} has a query or a fragment: no path can follow")
    return text


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses, and networks with their length. Raises ValueError for what is none."""
    limits.SETTING.check(len(text), "the list")
    return tuple(map(_network, read_words(text)))


def _network(word: str) -> Network:
    try:
        return ipaddress.ip_network(word)
    except ValueError as error:
        raise ValueError(str(error).replace(repr(word), as_told(word))) from None


def read_path(text: str) -> Path:
    if not text.strip():
        raise ValueError("the path is empty")
    return Path(text)


def read_machine(text: str) -> str:
    """A name or a path; which it is, is seen when it is read."""
    if not text.strip():
        raise ValueError("the name is empty")
    return text


def read_timeout(text: str) -> float:
    return _seconds(text, "the timeout")


def read_wait(text: str) -> float:
    return _seconds(text, "the wait", may_be_none=True)


def _seconds(text: str, what: str, *, may_be_none: bool = False) -> float:
    limits.NUMBER.check(len(text), what)
    try:
        seconds = number_in(text)
    except ValueError:
        seconds = -1
    is_none = seconds == 0 and not may_be_none
    if is_none or not 0 <= seconds <= LONGEST_TIMEOUT_S:
        least = "from 0 to" if may_be_none else "over 0 and at most"
        raise ValueError(
            f"{what} must be a number of seconds {least} {LONGEST_TIMEOUT_S:g}, not {as_told(text)}"
        )
    return seconds


def read_durations(text: str) -> tuple[Duration, ...]:
    """Durations between commas, as many as a callback may have retries. Raises ValueError."""
    parts = [part for part in text.split(",") if part.strip()]
    limits.RETRIES.check(len(parts), "waits")
    return tuple(map(parse_duration, parts))


def read_instant(text: str) -> datetime:
    """An ISO 8601 instant; without an offset it is UTC. Raises ValueError."""
    limits.INSTANT.check(len(text), "the instant")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        told = as_told(text)
        raise ValueError(f"cannot read instant {told}: write 2026-01-05T09:00:00Z") from None
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"instant {as_told(text)} is out of range") from None


def read_start(text: str) -> datetime:
    """An instant at which a clock can start. Raises ValueError."""
    instant = read_instant(text)
    if instant > limits.LATEST:
        raise ValueError(limits.CLOCK_ENDS)
    return instant


def read_review_delay(text: str) -> Duration | None:
    return None if text.strip().lower() == DOCUMENTED else parse_duration(text)


def read_rate(text: str) -> float:
    limits.NUMBER.check(len(text), "the rate")
    try:
        rate = number_in(text)
    except ValueError:
        rate = 0
    if not limits.SLOWEST <= rate <= limits.FASTEST:
        raise ValueError(f"the rate must be a number from 1e-9 to 1e9, not {as_told(text)}")
    return rate


def read_credentials(text: str) -> dict[str, str]:
    """What is wrong is told by its place: any part of it may be a secret. Raises ValueError."""
    pairs = (word.partition(":") for word in read_words(text))
    return check_credentials((auth_id, token) for auth_id, _, token in pairs)


def check_credentials(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The same of pairs, an auth id and its token."""
    pairs: dict[str, str] = {}
    for place, (auth_id, token) in enumerate(given, 1):
        if not token:
            raise ValueError(f"credential {place} is not ID:TOKEN")
        if not re.fullmatch(r"[MS]A[A-Za-z0-9]{18}", auth_id):
            raise ValueError(
                f"what credential {place} begins with is no auth id: MA or SA and 18 letters or"
                " digits"
            )
        if pairs.setdefault(auth_id, token) != token:
            raise ValueError(f"{auth_id} has two tokens")
    return pairs


def read_atoms_tokens(text: str) -> dict[str, str]:
    """What is wrong is told by its place: any part of it may be a secret. Raises ValueError."""
    pairs = (word.rpartition(":") for word in read_words(text))
    return check_atoms_tokens((token, auth_id) for token, _, auth_id in pairs)


def check_atoms_tokens(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The same of pairs, a token and its account."""
    pairs: dict[str, str] = {}
    for place, (token, auth_id) in enumerate(given, 1):
        if not (token and re.fullmatch(r"MA[A-Za-z0-9]{18}", auth_id)):
            raise ValueError(f"pair {place} is not TOKEN:MA and 18 letters or digits")
        if pairs.setdefault(token, auth_id) != auth_id:
            raise ValueError(f"one token has two accounts: {pairs[token]} and {auth_id}")
    return pairs


def read_holidays(text: str) -> frozenset[date]:
    return frozenset(map(_date, read_words(text)))


def _date(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{as_told(word)} is not a date: write 2026-01-26") from None


class OneOf:
    """What reads one of a few words, in any case. Raises ValueError that lists them."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, text: str) -> str:
        if text.lower() not in self.words:
            hint = did_you_mean(text.lower()[:80], self.words, listed=0)
            told = short(masked_text(text))
            raise ValueError(f"{told} is not one of {', '.join(self.words)}{hint}")
        return text.lower()


def read_whole(text: str) -> int:
    limits.NUMBER.check(len(text), "the number")
    try:
        return whole_in(text)
    except ValueError:
        raise ValueError(f"{as_told(text)} is not a whole number") from None


def _port(text: str) -> int:
    if not (text.strip().isdecimal() and 0 <= read_whole(text) <= 65535):
        raise ValueError(f"{as_told(text)} is not a port: a whole number from 0 to 65535")
    return int(text)


def setting(default: Any, read: Callable[[str], Any], help: str, *, account: bool = False) -> Any:
    metadata = {"read": read, "help": help, "account": account}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """See the module; the help texts below say what each one means."""

    host: str = setting("127.0.0.1", read_host, "Address to listen on.")
    port: int = setting(8700, _port, "Port to listen on; 0 picks a free one.")
    state: Path | None = setting(
        None, read_path, "Directory to keep state in; without it, memory only."
    )
    fsync: str = setting(
        "never",
        OneOf("always", "interval", "never"),
        "When state is forced to disk: at every write (always), within a second (interval), or when"
        " the system likes (never). It matters when the machine loses its power; a killed simulator"
        " loses nothing with any of them.",
    )
    tls: bool = setting(
        False, read_flag, "Serve https, with a certificate for api.plivo.com and api.smallest.ai."
    )
    tls_dir: Path | None = setting(
        None, read_path, "Directory of the local certificate authority; default: ~/.plivo-sim/tls."
    )
    seed: int = setting(
        1,
        read_whole,
        "Seed of all ids and random choices: the same seed and calls give the same answers.",
    )
    catalogue: Path | None = setting(
        None,
        read_path,
        "YAML file, or folder of them, that adds countries or replaces what they require.",
    )
    machine: str = setting(
        "default",
        read_machine,
        "Status machine: one that ships, by its name, or a YAML file, whole or changes.",
    )
    credentials: dict[str, str] = setting(
        {},
        read_credentials,
        "ID:TOKEN pairs; for these ids no other token is accepted. A subaccount's (SA...) needs its"
        " account's (MA...) beside it, which may call for it.",
    )
    public_url: str = setting(
        "", read_base_url, "Base of download URLs; default: the request's own host."
    )
    review_delay: Duration | None = setting(
        Duration(5),
        read_review_delay,
        "How long a review takes (5s, 36h, '2 business days'), or 'documented': as many business"
        " days as the requirement publishes.",
        account=True,
    )
    warp: float = setting(
        1.0, read_rate, "Simulated seconds per real second (86400: a day per second).", account=True
    )
    paused: bool = setting(False, read_flag, "Start with the clock standing still.", account=True)
    start: datetime | None = setting(
        None,
        read_start,
        "Simulated instant to start at; default: now, or 2026-01-05T09:00Z if paused.",
        account=True,
    )
    holidays: frozenset[date] = setting(
        frozenset(), read_holidays, "Dates that are no business days.", account=True
    )
    new_api: str = setting(
        "auto",
        OneOf("auto", "current", "beta"),
        "Dialect of PhoneNumber/Compliance: current or beta; auto: what the request says, else "
        "current.",
        account=True,
    )
    strict: bool = setting(
        False,
        read_flag,
        "Refuse what the live service refuses, where the default is to warn; in the current"
        " dialect also http callback URLs, so local receivers and the built-in inbox.",
        account=True,
    )
    rent_restrictions: bool = setting(
        True,
        read_flag,
        "Offer no Indian mobile numbers, and rent Indian numbers to businesses only, as Plivo does"
        " today; without it, both are rented like any other.",
        account=True,
    )
    subaccount_release: bool = setting(
        False,
        read_flag,
        "Let a subaccount release its numbers; reports differ on whether Plivo does.",
        account=True,
    )
    magic: bool = setting(
        True, read_flag, "Let magic values in aliases, names and files decide.", account=True
    )
    rate_limits: bool = setting(
        False,
        read_flag,
        "Answer 429 over the published rate limits; off, a warning header says so.",
        account=True,
    )
    callback_url: str = setting(
        "", read_url, "Account-wide callback, for applications without their own.", account=True
    )
    callback_method: str = setting(
        "post", OneOf("get", "post"), "Method of the account-wide callback.", account=True
    )
    callback_encoding: str = setting(
        "json", OneOf("json", "form"), "Body of POST callbacks: json or form.", account=True
    )
    callback_json_signed: bool = setting(
        True,
        read_flag,
        "Sign the fields of JSON callbacks too, as those of a form (V3 and Ma-V3); off: only the"
        " URL. What the live service does is unknown.",
        account=True,
    )
    callback_timeout_s: float = setting(
        5.0, read_timeout, "Real seconds that a receiver has to answer.", account=True
    )
    callback_retries: tuple[Duration, ...] = setting(
        (Duration(60), Duration(120), Duration(240)),
        read_durations,
        "Waits before each retry of a callback.",
        account=True,
    )
    retry_clock: str = setting(
        "auto",
        OneOf("auto", "simulator"),
        "Clock of retries: auto takes real time when the warp is over 60.",
        account=True,
    )
    allow_callback_hosts: tuple[str, ...] = setting(
        (),
        read_hosts,
        "Hosts beyond local ones that callbacks may go to: names or addresses, no ports. A"
        " link-local, metadata or reserved address only if the server is started with it.",
        account=True,
    )
    atoms_tokens: dict[str, str] = setting(
        {},
        read_atoms_tokens,
        "TOKEN:MA... pairs: the accounts of Atoms tokens; the others are derived from the token.",
    )
    atoms_cooldown: Duration = setting(
        Duration(),
        parse_duration,
        "How long Atoms refuses to refresh an application again (60s, as Smallest's own page).",
        account=True,
    )
    allowed_hosts: tuple[str, ...] = setting(
        (),
        read_hosts,
        "Hosts, beyond loopback, under which control calls and the console answer, and browsers may"
        " call the imitated APIs; web pages of these hosts may make control calls. Names or"
        " addresses, no ports.",
    )
    cors_origins: tuple[str, ...] = setting(
        (),
        read_origins,
        "Origins of web pages, such as http://localhost:3000, whose code may call the imitated APIs"
        " (CORS). Pages of other sites are refused.",
    )
    require_account: bool = setting(
        False,
        read_flag,
        "Refuse control calls that name no account, where the default is to take the only one: for"
        " several servers behind one proxy.",
    )
    serves: ServingRule = setting(
        ServingRule(),
        read_rule,
        "Accounts that this server has, by the end of their auth ids: '*[0-7]', several with"
        " commas; calls of others are answered 421. Default: every account.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        read_networks,
        "Addresses and networks (10.0.0.0/8) of proxies whose X-Forwarded-Host, -Proto and -For are"
        " believed: download URLs and callbacks' signatures then have the client's own URL.",
    )
    drain_s: float = setting(
        0.0,
        read_wait,
        "Real seconds for which open connections may bring one more request when the server is to"
        " stop, so that a proxy in front of it loses none.",
    )
    log_format: str = setting(
        "text", OneOf("text", "json"), "The log: text, or json with an object a line."
    )

    def way(self, name: str, value: str) -> str:
        """How one gives this setting where the simulator was started, for advice."""
        return option_and_variable(name, value)

    def for_account(self, overrides: Mapping[str, str]) -> Settings:
        """With an account's own values; of the hosts of its callbacks, without those that only this
        server's own setting allows. Callbacks go nowhere that no request can go to. Raises
        ValueError for a name or value that is not one, and for more text than is written down with
        each record."""
        length = sum(map(len, overrides.values()))
        limits.ACCOUNT_SETTINGS.check(length, "the account's own settings")
        if is_uncallable(overrides.get("callback_url", "")):
            overrides = {**overrides, "callback_url": ""}
        values = {name: _read_account(name, text) for name, text in overrides.items()}
        if HOSTS in values:
            barred = self.barred(values[HOSTS])
            values[HOSTS] = tuple(each for each in values[HOSTS] if each not in barred)
        return replace(self, **values)

    def barred(self, hosts: Iterable[str]) -> list[str]:
        """Those that no account's own setting allows: addresses that are off limits, and that this
        server was not started with."""
        return [
            each
            for each in hosts
            if names_off_limits(each) and each not in self.allow_callback_hosts
        ]


def text_of(value: Any) -> str:
    """A value as its option takes it; a flag is ``on`` or ``off``; "" for nothing."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Collection) and not isinstance(value, str):
        texts = map(text_of, value)
        return ",".join(sorted(texts) if isinstance(value, frozenset) else texts)
    return "" if value is None else str(value)


ACCOUNT_SETTINGS = tuple(f.name for f in fields(Settings) if f.metadata["account"])


def read_setting(name: str, text: str) -> Any:
    """The value of one setting from its text; raises ValueError that names the setting."""
    by_name = {f.name: f for f in fields(Settings)}
    try:
        limits.SETTING.check(len(text), "the text")
        return by_name[name].metadata["read"](text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def account_troubles(
    overrides: Mapping[str, str], server: Settings | None = None
) -> Iterator[tuple[str, str]]:
    """The name of each that is no setting of an account, or whose text is not one, and why.
    ``server``: whose accounts they are to be set for, where that is now."""
    for name, text in overrides.items():
        try:
            value = _read_account(name, text)
        except ValueError as error:
            yield name, str(error).removeprefix(f"{name}: ")
            continue
        if name == HOSTS and server is not None:
            yield from ((name, off_limits_text(each, server.way)) for each in server.barred(value))


def _read_account(name: str, text: str) -> Any:
    if name not in ACCOUNT_SETTINGS:
        every, word = ", ".join(ACCOUNT_SETTINGS), name[:80].replace("-", "_")
        is_server = word in Settings.__slots__
        hint = "" if is_server else did_you_mean(word, ACCOUNT_SETTINGS, listed=0)
        raise ValueError(f"{name}: no setting of an account{hint or f'; there are {every}'}")
    return read_setting(name, text)
