"""Why does a receiver's signature check fail? Tries what receivers get wrong, one at a time.

Plivo tells no receiver why its check fails (invented); the ways to be wrong are those observed in
the SDKs' validators (docs/wire-facts.md, "Quirks of the validators") and behind proxies: another
URL than the one that was called, a lost port, parameters left out or taken apart, the nonce of the
other version, the token of another account, another encoding.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from plivo_sim.account.account import Account
from plivo_sim.domain import limits
from plivo_sim.domain.records import Pairs
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.urls import authority
from plivo_sim.webhooks.signatures import keyed, sign_v2, sign_v3, v3_rest


class SentRequest(NamedTuple):
    """A callback as the log has it."""

    method: str
    url: str
    body: str
    headers: Mapping[str, str]


def sent_with_nonce(account: Account, headers: Mapping[str, str]) -> SentRequest | None:
    """The logged attempt whose nonce a receiver saw: each attempt has its own. Caller holds the
    lock."""
    nonces = {value for name, value in headers.items() if name.lower() in _NONCES and value}
    for delivery in account.store.deliveries.every():
        for attempt in delivery.attempts:
            sent = {name.lower(): value for name, value in attempt.headers}
            if any(sent.get(name) in nonces for name in _NONCES):
                return SentRequest(delivery.method, attempt.url, attempt.body, sent)
    return None


_NONCES = ("x-plivo-signature-v2-nonce", "x-plivo-signature-v3-nonce")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """What a receiver saw, and the tokens that it checks with: any of ``tokens`` for V2 and V3,
    ``main_token`` for Ma-V3. ``known``: other tokens that may have been the key, by whose they
    are. ``sent``: the attempt in the log that has its nonce."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    tokens: tuple[str, ...]
    main_token: str
    known: tuple[tuple[str, str], ...] = ()
    sent: SentRequest | None = None


def diagnose(seen: ReceivedRequest) -> dict[str, Any]:
    """For V2, V3 and Ma-V3: whether it is valid as seen, and which single change makes it so.

    ``covers``: what a valid V3 or Ma-V3 was made of. A JSON body may be signed with its fields or
    without (docs/wire-facts.md, "Signatures of JSON bodies"), and both are valid here (invented); a
    receiver that expects the other refuses it. Raises ValueError for a URL that cannot be read, and
    for a request that is too large to be signed some hundred times.
    """
    _check_size(seen)
    headers = {name.lower(): value for name, value in seen.headers.items()}
    params = params_of(seen)
    coverings = _coverings(seen, params)
    rests: dict[tuple[str, int], str] = {}

    def verdict(version: str, tokens: tuple[str, ...]) -> dict[str, Any]:
        return _Check(seen, headers, version, tokens, params, coverings, rests).verdict()

    return {
        "v2": verdict("v2", seen.tokens),
        "v3": verdict("v3", seen.tokens),
        "ma_v3": verdict("ma-v3", (seen.main_token,)),
    }


def _check_size(seen: ReceivedRequest) -> None:
    texts = (
        seen.url,
        seen.body,
        seen.main_token,
        *seen.tokens,
        *seen.headers,
        *seen.headers.values(),
    )
    limits.SIGNED.check(sum(map(len, texts)), "URL, headers and body")
    query = urlsplit(seen.url).query
    limits.SIGNED_FIELDS.check(
        query.count("&") + seen.body.count("&") + seen.body.count(","), "parameters and fields"
    )


def params_of(seen: ReceivedRequest) -> Pairs:
    """The flat fields of the body: of a form, or of a JSON object of scalars."""
    if seen.method == "GET" or not seen.body.strip():
        return ()
    try:
        value = decode_json(seen.body)
    except ValueError:
        return tuple(parse_qsl(seen.body, keep_blank_values=True))
    if not isinstance(value, dict):
        return ()
    return tuple((key, str(each)) for key, each in value.items())


_URL = "the URL"
_FIELDS = "the URL and the fields of the body"
_WITHOUT = (
    "the URL without the fields of the JSON body (callback_json_signed is off): give the validator"
    " no parameters"
)
_WITH = (
    "the URL and the fields of the JSON body (callback_json_signed is on): give the validator the"
    " parsed JSON as parameters"
)


@dataclass(frozen=True, slots=True)
class _Check:
    """The check of one signature. ``params``: the fields of the body; ``coverings``: what a V3
    signature may be made of. ``rests``: what follows the path, by query and index of the covering,
    made once for all signatures."""

    seen: ReceivedRequest
    headers: Mapping[str, str]
    version: str
    tokens: tuple[str, ...]
    params: Pairs
    coverings: list[tuple[str, Pairs]]
    rests: dict[tuple[str, int], str]

    @property
    def nonce_name(self) -> str:
        return f"x-plivo-signature-{self.version.removeprefix('ma-')}-nonce"

    def verdict(self) -> dict[str, Any]:
        name = f"x-plivo-signature-{self.version}"
        missing = [each for each in (name, self.nonce_name) if not self.headers.get(each)]
        if missing:
            return _verdict(wrong=[f"header {each} is missing" for each in missing])
        nonce, given = self.headers[self.nonce_name], frozenset(self.headers[name].split(","))
        made = self._made(self.seen.url, nonce, self.tokens)
        for signature, covers in made.items():
            if signature in given:
                return _verdict(covers=covers)
        wrong = [told for told, made in self._candidates(nonce) if not given.isdisjoint(made)]
        wrong += [told for right in made for told in _encoding(given, right)]
        unknown = "none of the usual mistakes: compare token, URL and body with the sender's log"
        return _verdict(
            wrong=list(dict.fromkeys(wrong)) or list(self._differences(name)) or [unknown]
        )

    def _made(self, url: str, nonce: str, tokens: Iterable[str]) -> dict[str, str]:
        """Every signature that would be right, with what it covers."""
        if self.version == "v2":
            return {sign_v2(token, url, nonce): _URL for token in tokens}
        return {
            self._signed(token, url, nonce, index): covers
            for token in tokens
            for index, (covers, _) in enumerate(self.coverings)
        }

    def _signed(self, token: str, url: str, nonce: str, index: int) -> str:
        """As ``sign_v3`` with the fields of that covering."""
        parts = urlsplit(url)
        rest = self.rests.get((parts.query, index))
        if rest is None:
            rest = v3_rest(self.seen.method, parts.query, self.coverings[index][1])
            self.rests[parts.query, index] = rest
        return keyed(token, f"{parts.scheme}://{parts.netloc}{parts.path}{rest}.{nonce}")

    def _differences(self, name: str) -> Iterator[str]:
        """What differs between what was seen and what the log has, if the nonce is in it."""
        seen, sent = self.seen, self.seen.sent
        if sent is None:
            return
        ours, theirs = urlsplit(sent.url), urlsplit(seen.url)
        pairs = [
            (f"URL: {part}", getattr(ours, part), getattr(theirs, part))
            for part in ("scheme", "hostname", "port", "path", "query")
        ]
        if self.version != "v2":
            pairs.append(("method", sent.method, seen.method))
            made = dict(params_of(replace(seen, body=sent.body)))
            got = dict(self.params)
            pairs += [
                (f"parameters: {key}", made.get(key), got.get(key))
                for key in dict.fromkeys((*made, *got))
            ]
        if self.headers[name] != sent.headers.get(name):
            pairs.append(("signature", sent.headers.get(name), self.headers[name]))
        for what, was, saw in pairs:
            if was != saw:
                told = f"the sender's was {was or 'none'}, the receiver saw {saw or 'none'}"
                yield f"{what}: {told}"

    def _candidates(self, nonce: str) -> Iterator[tuple[str, Set[str]]]:
        """The usual mistakes, each with the signatures that are right without it."""
        seen = self.seen
        for told, url in _urls(seen.url):
            yield f"URL: {told} ({url})", self._made(url, nonce, self.tokens).keys()
        other = "v3" if self.version == "v2" else "v2"
        swapped = self.headers.get(f"x-plivo-signature-{other}-nonce", "")
        told = "nonce: it is the other version's"
        yield told, self._made(seen.url, swapped, self.tokens).keys()
        trimmed = [token.strip() for token in self.tokens]
        yield "token: it has white space around it", self._made(seen.url, nonce, trimmed).keys()
        for whose, token in seen.known:
            told = f"token: the sender signed with another token than this check: the {whose}'s"
            yield told, self._made(seen.url, nonce, (token,)).keys()
        if self.version != "v2":
            query = set(parse_qsl(urlsplit(seen.url).query, keep_blank_values=True))
            less = tuple(pair for pair in self.params if pair not in query)
            for told, params in (
                ("parameters: the sender signed none, leave the body out", ()),
                ("parameters: those of the query are not parameters of the body", less),
            ):
                yield (
                    told,
                    {sign_v3(token, seen.method, seen.url, nonce, params) for token in self.tokens},
                )


def _verdict(covers: str | None = None, wrong: Sequence[str] = ()) -> dict[str, Any]:
    return {"valid": not wrong, "covers": covers, "wrong": list(wrong)}


def _coverings(seen: ReceivedRequest, params: Pairs) -> list[tuple[str, Pairs]]:
    """What a V3 signature may be made of, sorted: of JSON, nobody knows."""
    if not params:
        return [(_URL, ())]
    try:
        decode_json(seen.body)
    except ValueError:
        return [(_FIELDS, tuple(sorted(params)))]
    return [(_WITH, tuple(sorted(params))), (_WITHOUT, ())]


def _urls(url: str) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    swapped = "https" if parts.scheme == "http" else "http"
    host = parts.hostname or ""
    yield f"scheme: the sender called {swapped}", urlunsplit(parts._replace(scheme=swapped))
    if "@" in parts.netloc:
        bare = urlunsplit(parts._replace(netloc=authority(host, parts.port)))
        yield "credentials: the request line has none, leave them out", bare
    if parts.port is not None:
        yield "port: the sender's URL has none", urlunsplit(parts._replace(netloc=authority(host)))
    for port in (80, 443, 3000, 4000, 5000, 8000, 8080, 8443):
        if parts.port != port:
            netloc = authority(host, port)
            yield f"port: the sender's URL has {port}", urlunsplit(parts._replace(netloc=netloc))
    for name in ("localhost", "127.0.0.1", "host.docker.internal"):
        if name != host:
            netloc = authority(name, parts.port)
            yield f"host: the sender called {name}", urlunsplit(parts._replace(netloc=netloc))
    path = parts.path
    slashed = path.rstrip("/") if path.endswith("/") else f"{path}/"
    yield "path: the last slash differs", urlunsplit(parts._replace(path=slashed))
    if parts.query:
        yield "query: the sender's URL has none", urlunsplit(parts._replace(query=""))


def _encoding(given: Set[str], right: str) -> list[str]:
    try:
        raw = base64.b64decode(right)
    except binascii.Error:
        return []
    told = {
        "encoding: the signature is in hexadecimal, it should be base64": raw.hex(),
        "encoding: the signature is in URL-safe base64": base64.urlsafe_b64encode(raw).decode(),
        "encoding: the padding of the base64 is lost": right.rstrip("="),
        "encoding: '+' became a space on its way": right.replace("+", " "),
    }
    return [text for text, candidate in told.items() if candidate in given and candidate != right]
