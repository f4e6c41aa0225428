"""The body of a request as a page shows it: what came, where its reading stopped, and the words
with which curl sends the same bytes again.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator
from typing import Any

from plivo_sim.console.actions import curl, login_words
from plivo_sim.console.pages import as_json, base_url, readable
from plivo_sim.domain.text import HTTP_TOKEN, curl_file
from plivo_sim.web.kept_bodies import KeptBody, KeptPart
from plivo_sim.web.parts import bare_name
from plivo_sim.web.request_log import Exchange, login_in

Shown = dict[str, Any]
_MEDIA_TYPE = re.compile(f"{HTTP_TOKEN}/{HTTP_TOKEN}")
HEX_WIDTH, HEX_LINES = 16, 32
CHANGES = {
    "cut": "Only its first {kept:,} of {size:,} bytes are kept.",
    "masked": "Secrets in it are masked: *** stands for each.",
    "unpacked": "It came packed; it is shown, and sent again, unpacked.",
    "recoded": "It came in another charset; it is shown, and sent again, as UTF-8.",
}


def shown_body(exchange: Exchange, each: Shown) -> Shown:
    """``parts`` of a form, or ``text`` as ``before``, ``mark`` and ``after`` where its reading
    stopped; ``hex`` if it is no text. ``notes``: how it differs from what came. ``tree``: JSON
    indented, if that is not as it came."""
    sent, kept = each["sent"], exchange.sent
    if sent is None or kept is None:
        return {"notes": (), "parts": (), "size": 0}
    notes = [CHANGES[name].format(kept=len(kept.content), size=kept.size_bytes)
             for name in kept.changed]  # fmt: skip
    if not kept.is_wanted:
        notes.append("Nobody has read it: the call was over before, or takes no body.")
    shown = {"notes": notes, "parts": (), "size": kept.size_bytes, "stopped": sent["stopped"]}
    if kept.parts and not kept.content:
        if any("sha256" in part for part in kept.parts):
            notes.append("The bytes of files are not kept: only name, type, size and hash.")
        return {**shown, "parts": [_part(part) for part in each["body"]]}
    if sent["text"] is None:
        at = sent["stopped"]["offset"] if sent["stopped"] else 0
        return {**shown, "hex": hex_lines(kept.content, at)}
    tree = as_json(each["body"]) if _is_tree(kept, each["body"]) else ""
    if tree and not sent["stopped"]:
        return {**shown, "before": tree, "mark": "", "after": "", "fields": ()}
    at = sent["stopped"]["offset"] if sent["stopped"] else len(kept.content)
    before, after = (piece.decode("utf-8", "replace") for piece in _cleft(kept.content, at))
    fields = [_part(part) for part in each["body"] or ()] if kept.parts else []
    return {**shown, "before": before, "mark": after[:1], "after": after[1:], "fields": fields}


def _is_tree(kept: KeptBody, value: Any) -> bool:
    return kept.is_read and not kept.parts and "cut" not in kept.changed and value is not None


def _cleft(content: bytes, at: int) -> tuple[bytes, bytes]:
    return content[:at], content[at:]


def _part(part: KeptPart) -> Shown:
    """A part with what stands before, at and behind the place where it is no JSON any more."""
    stopped = part.get("stopped")
    if stopped is None:
        return {**part, "text": readable(part["text"])} if "text" in part else {**part}
    before, after = (
        piece.decode("utf-8", "replace")
        for piece in _cleft(part["text"].encode(), stopped["offset"])
    )
    return {
        **part, "before": before, "mark": after[:1], "after": after[1:], "why": stopped["why"],
        "where": f"line {stopped['line']}, column {stopped['column']}",
    }  # fmt: skip


def hex_lines(content: bytes, at: int = 0) -> str:
    """Bytes as hexadecimal numbers beside their characters, around a place in them."""
    first = max(at // HEX_WIDTH - HEX_LINES // 2, 0) * HEX_WIDTH
    last = first + HEX_LINES * HEX_WIDTH
    lines = [f"… {first:,} bytes before"] if first else []
    for begin in range(first, min(last, len(content)), HEX_WIDTH):
        row = content[begin : begin + HEX_WIDTH]
        shown = "".join(chr(each) if 32 <= each < 127 else "·" for each in row)
        lines.append(f"{begin:08x}  {row.hex(' '):<{3 * HEX_WIDTH}} {shown}")
    if last < len(content):
        lines.append(f"… {len(content) - last:,} bytes more")
    return "\n".join(lines)


# --- as curl ---------------------------------------------------------------------------------


def as_curl(exchange: Exchange, each: Shown, auth_id: str) -> str:
    """The same request once more: to this simulator, whichever host it named, with the token left
    to the environment, and with the very bytes that came."""
    headers, url = dict(each["headers"]), base_url() + each["target"]
    words, piped = list(_header_words(exchange, headers)), ""
    if exchange.sent is not None:
        if "recoded" in exchange.sent.changed:
            headers["Content-Type"] = exchange.content_type.partition(";")[0].strip()
        piped, body = _body_words(exchange.sent, each["sent"])
        words += body
    if exchange.sent is not None and exchange.sent.parts and not exchange.sent.content:
        headers.pop("Content-Type", None)  # curl makes it, with a boundary
    command = curl(each["method"], url, headers, words, _credentials(each, auth_id))
    return piped + command


def _header_words(exchange: Exchange, headers: dict[str, str]) -> Iterator[str]:
    sent = exchange.sent
    if sent is None:
        return
    coding = headers.get("Content-Encoding")
    if coding and "unpacked" not in sent.changed:
        yield from ("-H", f"Content-Encoding: {coding}")
    if sent.content and not exchange.content_type:
        yield from ("-H", "Content-Type:")  # else curl calls it a form


def _credentials(each: Shown, auth_id: str) -> str:
    """Words in which the shell fills the variable in. ``auth_id``: where the call does not say
    it."""
    if each["dialect"] != "atoms":
        given = each["headers"].get("Authorization", "")
        if name := login_in(given) or auth_id:
            return login_words(name)
        return '-u "$PLIVO_AUTH_ID:$PLIVO_AUTH_TOKEN"' if given else ""
    if "Authorization" in each["headers"]:
        return '-H "Authorization: Bearer $ATOMS_TOKEN"'
    return '-H "Cookie: session=$ATOMS_TOKEN"'


def _body_words(kept: KeptBody, sent: Shown) -> tuple[str, list[str]]:
    """What is piped into curl, and the words for its body."""
    if kept.parts and not kept.content:
        return "", [word for part in kept.parts for word in _part_words(part)]
    if sent["text"] is not None:
        return "", ["--data-raw", sent["text"]] if kept.content else []
    packed = base64.b64encode(kept.content).decode()
    return f"printf %s {shlex.quote(packed)} | base64 -d | ", ["--data-binary", "@-"]


def _part_words(part: KeptPart) -> tuple[str, str]:
    name = part["name"].replace("=", "%3D")  # else it would end there
    if "text" in part:
        return "--form-string", f"{name}={part['text']}"
    file = curl_file(bare_name(part["filename"] or part["name"]))
    media_type = part.get("media_type", "")
    is_plain = _MEDIA_TYPE.fullmatch(media_type)  # behind a comma curl would read another file
    return "-F", f"{name}=@{file}" + (f";type={media_type}" if is_plain else "")
