"""What is on a tape: stand-ins for all that somebody told, and exchanges that can be read again."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

import plivo
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Http
from plivo_sim.recording import tapes
from plivo_sim.recording.masks import Masks
from plivo_sim.recording.stand_ins import StandIns
from plivo_sim.recording.tapes import (
    MOST_LINE_BYTES,
    Answer,
    Exchange,
    Request,
    Tape,
    WrongTape,
    read_tape,
)
from plivo_sim.recording.writer import NotKept
from plivo_sim.settings import Settings
from plivo_sim.web.server import make_server
from plivo_sim.webhooks.signatures import Tokens, signature_headers
from tests.recording.traffic import (
    ALIAS,
    AUTH_ID,
    BIRTHDAY,
    COOKIE,
    EMAIL,
    NAME,
    NOWHERE,
    ORIGINALS,
    PASSPORT,
    REQUIREMENTS,
    TOKEN,
    Application,
    creation,
    decider,
    legacy,
    reads,
    recording,
    writes,
)
from tests.support import PDF, Receiver, basic

pytestmark = pytest.mark.live


def readings(text: str) -> Iterator[str]:
    """A text as it is, and as whoever looks for something could read it."""
    yield text
    yield unquote(text)
    yield unquote_plus(text)
    yield json.dumps(json.loads(f"[{','.join(text.splitlines())}]"), ensure_ascii=False)
    for each in re.findall(r"[A-Za-z0-9+/]{8,}={0,2}", text):
        try:
            yield base64.b64decode(each).decode()
        except ValueError:
            continue


def found_on(tape: Path, originals: tuple[str, ...] = ORIGINALS) -> list[str]:
    """The originals that are on a tape."""
    told = "\n".join(readings(tape.read_text("utf-8"))).casefold()
    return [each for each in originals if each.casefold() in told]


def test_nobody_is_found_on_the_tape_of_a_whole_life(live: LiveSimulator, tape: Path) -> None:
    """Forms with files, JSON, queries, answers that repeat what was sent, refusals that quote."""
    with recording(live.url, tape) as url:
        caller = Application(url)
        reads(caller)
        writes(caller, decider(live))
        legacy(caller, decider(live))
    answers = json.dumps(caller.answers, default=str)
    assert all(each in answers for each in (NAME, ALIAS, EMAIL, "Mukherjee"))
    assert found_on(tape) == []
    assert len(read_tape(tape)[1]) == len(caller.answers)


class Echo:
    """An upstream that says everything again, in places where it is not expected."""

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        told = {
            "error": f"'{NAME}' of {EMAIL}, born {BIRTHDAY}, is not {ALIAS}: {PASSPORT}",
            "rejection_reason": f"the passport of Mukherjee ({PASSPORT}) is not readable",
            "message": "no 415\u2013555\u2013012 here", "415.555.012": 1,
            "status": "Mukherjee", "Mukherjee": {"Anindita": [NAME, {PASSPORT: EMAIL}]},
            "next": f"/v1/Account/{AUTH_ID}/EndUser/?name={NAME}", "code": int(PASSPORT[1:]),
            "amount": float(PASSPORT[1:]), "api_id": f"https://user:{TOKEN}@kolkatateahouse.test/x",
        }  # fmt: skip
        headers = [
            ("Content-Type", "application/json"), ("Set-Cookie", f"{COOKIE}; Path=/"),
            ("X-Plivo-Signature-V3", TOKEN), ("X-Mukherjee", NAME), ("Location", f"/{NAME}"),
        ]  # fmt: skip
        start_response("200 OK", headers)
        return [json.dumps(told).encode()]


@pytest.fixture
def echo() -> Iterator[str]:
    server = make_server(Echo())
    server.start()
    yield server.url
    server.stop()


def test_nobody_is_found_where_nobody_is_expected(echo: str, tape: Path) -> None:
    """Keys, statuses, numbers, broken JSON, JSON within forms, parts with file names, headers,
    credentials in URLs and in Basic."""
    file = ("data", ("Raghunathan", json.dumps({"alias": ALIAS, NAME: PASSPORT}).encode()))
    shape = {"Content-Type": "application/json"}
    with recording(echo, tape) as url:
        caller = Application(url)
        caller.call("POST", "EndUser/", headers=shape, body=f'{{"name": "{NAME}", '.encode())
        caller.call(
            "POST", "EndUser/", form=[file, ("information", json.dumps([NAME])), (NAME, "x")]
        )
        caller.call("POST", f"EndUser/{EMAIL}/?name=Mukherjee&Anindita={PASSPORT}&status=Mukherjee")
        caller.call("GET", "EndUser/?[415][555][012]=x")
        caller.call("POST", "EndUser/", headers={"Content-Type": "text/plain"}, body=NAME.encode())
        caller.call(
            "POST", "EndUser/", headers={"X-Mukherjee": NAME, "Authorization": f"Bearer {TOKEN}"}
        )
        caller.call("POST", "EndUser/", headers={"Authorization": basic("Mukherjee", TOKEN)})
        caller.call("MUKHERJEE", "EndUser/")
        named = "application/vnd.kolkatateahouse+json"
        caller.call("POST", "EndUser/", headers={"Content-Type": named, "Accept": named}, body=b"{")
        caller.json("POST", "EndUser/", {"file": base64.b64encode(PDF + NAME.encode()).decode()})
    numbers = ("415\u2013555\u2013012", "415.555.012", "[415][555][012]")
    originals = (*ORIGINALS, PASSPORT[1:], base64.b64encode(NAME.encode())[:16].decode(), *numbers)
    assert found_on(tape, originals) == []
    assert len(read_tape(tape)[1]) == 9


def test_words_of_the_apis_stay(live: LiveSimulator, tape: Path) -> None:
    """What a requirement asks for, statuses, messages, texts of refusals."""
    with recording(live.url, tape) as url:
        caller = Application(url)
        reads(caller)
        writes(caller, decider(live))
    _, exchanges = read_tape(tape)
    required = exchanges[0].answer.body["json"]["document_types"]
    names = [each["name"] for each in required]
    assert names == ["Registration Certificate", "GST certificate"]
    assert required[0]["required_fields"][0]["friendly_name"] == "Legal Name"
    told = tape.read_text()
    for text in (
        "Compliance application created and submitted for review.",
        "Compliance application not found.",
        "Unknown query parameter",
        "Cannot delete compliance application in accepted status. Linked numbers:",
        '"status":"accepted"',
        "country_iso=IN&number_type=local&user_type=business",
    ):
        assert text in told


def test_a_stand_in_is_the_same_wherever_its_original_is(live: LiveSimulator, tape: Path) -> None:
    """The alias that was sent is the one that comes back; the account of the path is that of the
    credentials; ids lead from one call to the next."""
    with recording(live.url, tape) as url:
        writes(Application(url), decider(live))
    _, exchanges = read_tape(tape)
    made = next(each for each in exchanges if each.answer.status == 201)
    id = made.answer.body["json"]["compliance_id"]
    read = next(each for each in exchanges if f"{id}/?expand" in each.request.target)
    sent = next(value for name, value in made.request.body["form"] if name == "data")["json"]
    shown = read.answer.body["json"]["compliance"]
    assert shown["alias"] == sent["alias"] != ALIAS
    assert shown["end_user"]["email"] == sent["end_user"]["email"]
    credentials = dict(made.request.headers)["Authorization"].removeprefix("Basic ")
    account = base64.b64decode(credentials).decode().partition(":")[0]
    assert made.request.target.startswith(f"/v1/Account/{account}/")
    assert account != AUTH_ID


def test_two_tapes_have_nothing_in_common(live: LiveSimulator, tape: Path, tmp_path: Path) -> None:
    """Each has a key of its own, which is thrown away."""
    for each in (tape, tmp_path / "other.jsonl"):
        with recording(live.url, each) as url:
            Application(url).call("GET", REQUIREMENTS)
    targets = [read_tape(each)[1][0].request.target for each in (tape, tmp_path / "other.jsonl")]
    assert targets[0] != targets[1]


@pytest.mark.parametrize(
    ("original", "form"),
    [
        (EMAIL, r"[a-z]{17}@[a-z]{8}\.example"),
        (BIRTHDAY, r"19[5-8]\d-0\d-1\d"),
        ("2099-01-31", r"20[5-8]\d-0\d-1\d"),
        ("2026-04-06T10:44:17.899379Z", r"2001-0\d-1\dT0\d:1\d:2\d\.\d{6}Z"),
        ("2026-04-06 10:44:17+00:00", r"2001-0\d-1\d 0\d:1\d:2\d\+00:00"),
        ("1b592b77-d072-1298-b193-370ba887f94a", r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-.*"),
        (AUTH_ID, r"MA[A-Z0-9]{18}"),
        ("+912212345678", r"\+91\d{10}"),
        ("Añb 12", r"[A-Z][^ -~][a-z] \d\d"),
        ("Deed of Raghunathan.pdf", r"[A-Z][a-z]{3} [a-z]{2} [A-Z][a-z]{10}\.pdf"),
        ("https://hooks.acme.test:8443/in/Acme?status=accepted",
         r"https://[a-z]{8}\.example:8443/in/[A-Z][a-z]{3}\?status=accepted"),
        ("http://127.0.0.1:9000/callback", r"http://127\.0\.0\.1:9000/callback"),
    ],
)  # fmt: skip
def test_a_stand_in_has_the_form_of_its_original(original: str, form: str) -> None:
    """So that a simulator takes or refuses it as it would the original."""
    masks = Masks(StandIns(b"key"))
    made = masks.text(original, "alias")
    assert re.fullmatch(form, made)
    assert masks.text(original, "alias") == made
    assert Masks(StandIns(b"other")).text(original, "x") != made or "127" in original


def test_one_letter_has_another_one() -> None:
    """However few there are, none stands for itself, nor two for one."""
    draw = StandIns(b"key")
    drawn = {each: draw.text(each) for each in "abcdefghij"}
    assert all(one != other for one, other in drawn.items())
    assert len(set(drawn.values())) == len(drawn)


# --- handing on ----------------------------------------------------------------------------------


def test_only_reads_are_handed_on(live: LiveSimulator, tape: Path) -> None:
    """A write is refused with a sentence that says how to allow it, and leaves no trace."""
    with recording(live.url, tape, allows_writes=False) as url:
        caller = Application(url)
        for method in ("POST", "PATCH", "DELETE", "PUT"):
            told = caller.call(method, "EndUser/")
            assert "--allow-writes" in told["error"]
        assert {status for status, _ in caller.answers} == {403}
        assert "HEAD" in caller.call("OPTIONS", "EndUser/")["error"]
    assert live.sim.accounts() == []
    assert read_tape(tape)[1] == []


def test_an_answer_comes_back_as_it_was(live: LiveSimulator, tape: Path) -> None:
    """Status, headers and body, those of a file and of HEAD too."""
    with recording(live.url, tape) as url:
        target = f"/v1/Account/{AUTH_ID}/{REQUIREMENTS}"
        headers = {"Authorization": basic(AUTH_ID, TOKEN)}
        for method in ("GET", "HEAD"):
            here, there = (Http(each).send(method, target, headers) for each in (url, live.url))
            assert here.status == there.status == 200
            assert len(here.data) == len(there.data)
            for name in ("Content-Type", "Content-Length", "X-RateLimit-Limit"):
                assert here.headers[name] == there.headers[name]


@pytest.mark.parametrize(
    "target",
    [
        "/_callbacks/v1/Account/x/ComplianceRequirement/",
        f"/v1/Account/{AUTH_ID}/EndUser/Requirements/x/",
        "/v1/Account/ComplianceRequirement/EndUser/",
        f"/v1/Account/{AUTH_ID}/ComplianceRequirement/x/EndUser/",
    ],
)
def test_only_what_tells_a_requirement_is_taken_for_one(tape: Path, target: str) -> None:
    """Its texts stay, so a path that only has the word must not pass for it."""

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"name": NAME, "description": [ALIAS]}).encode()]

    server = make_server(answer)
    server.start()
    with recording(server.url, tape, receiver=server.url) as url:
        assert Http(url).send("GET", target, {}).json()["name"] == NAME
    server.stop()
    assert len(read_tape(tape)[1]) == 1
    assert found_on(tape) == []


@pytest.mark.parametrize("allows_writes", [True, False])
def test_a_read_cannot_say_that_it_is_a_write(
    tape: Path, receiver: Receiver, allows_writes: bool
) -> None:
    """Unless writes are allowed."""
    with recording(receiver.url, tape, allows_writes=allows_writes) as url:
        Http(url).send("GET", "/v1/x", {"X-HTTP-Method-Override": "DELETE"})
    assert ("X-Http-Method-Override" in receiver.received[0].headers) is allows_writes


FOREIGN = [
    {"Origin": "https://evil.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.org", "User-Agent": "Mozilla/5.0", "Accept-Language": "en"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("target", ["/v1/Account/x", "/_callbacks"])
def test_no_page_of_another_site_calls_anything(
    receiver: Receiver, tape: Path, headers: dict[str, str], target: str
) -> None:
    """By whatever name it finds the recorder. Nothing is handed on, and nothing kept."""
    with recording(receiver.url, tape, receiver=receiver.url) as url:
        answer = Http(url).send("POST", target, headers, body=b"{}")
        assert answer.status == 403
        assert "--allowed-hosts" in answer.json()["error"]
        assert receiver.received == []
    assert read_tape(tape)[1] == []


@pytest.mark.parametrize("headers", [FOREIGN[0], FOREIGN[3]])
def test_a_host_may_be_allowed(receiver: Receiver, tape: Path, headers: dict[str, str]) -> None:
    """Its pages and its name."""
    settings = Settings(allowed_hosts=("evil.test", "evil.org"))
    with recording(receiver.url, tape, settings=settings) as url:
        assert Http(url).send("GET", "/v1/Account/x", headers).status == 200


class Elsewhere:
    """Sends callers to another server."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        start_response("302 Found", [("Location", f"{self._url}/taken"), ("Content-Length", "0")])
        return [b""]


def test_a_redirect_is_handed_back(tape: Path, receiver: Receiver) -> None:
    """Nothing is sent to where it leads."""
    server = make_server(Elsewhere(receiver.url))
    server.start()
    with recording(server.url, tape) as url:
        answer = Http(url).send("GET", "/x", {})
    server.stop()
    assert answer.status == 302
    assert answer.headers["Location"] == f"{receiver.url}/taken"
    assert receiver.received == []


def test_a_whole_url_leads_nowhere_else(
    live: LiveSimulator, tape: Path, receiver: Receiver
) -> None:
    """As proxies are called: the path counts, the host does not."""
    with recording(live.url, tape) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(
                f"GET {receiver.url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            )
            assert sock.recv(100).startswith(b"HTTP/1.1 404")
    assert receiver.received == []


def test_a_silent_upstream_is_told(tape: Path) -> None:
    """502 with a sentence."""
    with recording("http://127.0.0.1:9", tape) as url:
        caller = Application(url)
        assert "nothing answers" in caller.call("GET", "EndUser/")["error"]
    assert caller.answers[0][0] == 502


def test_an_upstream_over_tls(tmp_path: Path, tape: Path) -> None:
    """With the file of its authority, and not without."""
    with LiveSimulator(Settings(port=0, paused=True, tls=True, tls_dir=tmp_path)) as live:
        with recording(live.url, tape, authority=str(live.authority)) as url:
            assert "document_types" in Application(url).call("GET", REQUIREMENTS)
        with recording(live.url, tmp_path / "other.jsonl") as url:
            assert "not trusted" in Application(url).call("GET", REQUIREMENTS)["error"]


def test_a_callback_is_handed_on_and_kept(
    live: LiveSimulator, tape: Path, receiver: Receiver
) -> None:
    """With its signature and its query; what it says is masked on the tape."""
    with recording(live.url, tape, receiver=receiver.url) as url:
        sent = {"compliance_id": "1b592b77-d072-4298-b193-370ba887f94a", "status": "approved",
                "rejection_reason": f"ask {NAME}"}  # fmt: skip
        body, headers = (
            json.dumps(sent).encode(),
            {"Content-Type": "application/json", "X-Plivo-Signature-V3": TOKEN},
        )
        answer = Http(url).send("POST", "/_callbacks?a=1", headers, body=body)
    assert answer.status == 200
    assert receiver.received[0].json() == sent
    assert receiver.received[0].url.endswith("?a=1")
    assert receiver.received[0].headers["X-Plivo-Signature-V3"] == TOKEN
    [kept] = read_tape(tape)[1]
    assert kept.kind == "callback"
    assert kept.request.body["json"]["status"] == "approved"
    assert found_on(tape) == []


DOTS = [
    "..", ".", "%2e%2e", ".%2E", "%252e%252e", "..;a=b", "..%3b", "a%2f..%2fb", "..%5c", "..\\x",
]  # fmt: skip


@pytest.mark.parametrize("segment", DOTS)
def test_nothing_is_called_but_what_is_below_the_url(
    tape: Path, receiver: Receiver, segment: str
) -> None:
    """Neither of a receiver nor of the service, however dots are written."""
    with recording(receiver.url, tape, receiver=f"{receiver.url}/hooks/plivo") as url:
        line = HTTPConnection(url.removeprefix("http://"), timeout=60)
        for before in ("/_callbacks", "/v1/Account/x"):
            line.request("GET", f"{before}/{segment}/{segment}/admin")  # as it is
            with line.getresponse() as answer:
                assert answer.status == 400
                assert "dots" in answer.read().decode()
        line.request("GET", "/_callbacks/a..b/...;/.c?x=/../")
        with line.getresponse() as answer:
            assert answer.status == 200
        line.close()
    [called] = receiver.received
    assert called.url == f"{receiver.url}/hooks/plivo/a..b/...;/.c?x=/../"


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("allows_writes", [True, False])
def test_a_callback_is_a_get_or_a_post(
    tape: Path, receiver: Receiver, method: str, allows_writes: bool
) -> None:
    with recording(receiver.url, tape, receiver=receiver.url, allows_writes=allows_writes) as url:
        assert Http(url).send(method, "/_callbacks/x", {}).status == 405
    assert receiver.received == []


def test_without_a_receiver_callbacks_go_nowhere(live: LiveSimulator, tape: Path) -> None:
    """Not to the upstream either."""
    with recording(live.url, tape) as url:
        answer = Http(url).send("POST", "/_callbacks", {}, body=b"{}")
    assert answer.status == 404
    assert "--callbacks-to" in answer.json()["error"]
    assert read_tape(tape)[1] == []


def test_what_is_of_no_imitated_api_is_handed_on_but_not_kept(
    live: LiveSimulator, tape: Path
) -> None:
    """So that a tape can be read, whatever an application called."""
    with recording(live.url, tape) as url:
        assert Http(url).send("GET", "/_sim/health", {}).status == 200
    assert read_tape(tape)[1] == []


# --- the file ------------------------------------------------------------------------------------


def exchange(**body: Any) -> Exchange:
    request = Request(method="GET", target="/v1/x")
    return Exchange(
        kind="exchange", after_s=0, request=request, answer=Answer(status=200, body=body)
    )


def test_threads_write_whole_lines(tape: Path) -> None:
    """None is torn or lost."""
    made = Tape(tape, "x")
    threads = [
        threading.Thread(target=lambda: [made.add(exchange(json="y" * 5000)) for _ in range(20)])
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    made.close()
    assert len(read_tape(tape)[1]) == 160


def test_a_line_is_never_too_long_to_be_read(tape: Path) -> None:
    """Its bodies are left out."""
    made = Tape(tape, "x")
    made.add(exchange(json="y" * MOST_LINE_BYTES))
    made.close()
    [kept] = read_tape(tape)[1]
    assert kept.answer.body == {"bytes": MOST_LINE_BYTES + len('{"json":""}')}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "body",
    [{"json": nested(64)}, {"json": [0] * 200_000}, {"form": [], "files": [["x", {"name": "x"}]]}],
    ids=["depth", "values", "shape"],
)
def test_of_what_could_not_be_read_again_the_bodies_are_left_out(
    tape: Path, body: dict[str, Any]
) -> None:
    """Else nothing of the tape could be."""
    made = Tape(tape, "x")
    made.add(exchange(**body))
    made.add(exchange(json="y"))
    made.close()
    assert [list(each.answer.body) for each in read_tape(tape)[1]] == [["bytes"], ["json"]]


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "PROP-FIND"},
        {"method": "GET", "headers": [("Ünü", "x")]},
        {"method": "GET", "headers": [("X", "\x01")]},
    ],
)
def test_what_could_not_be_read_again_at_all_is_not_kept(
    tape: Path, request_: dict[str, Any]
) -> None:
    """A service, or a caller, may send what it likes."""
    made, told = Tape(tape, "x"), exchange(json="y")
    told.request = Request(target="/v1/x", **request_)
    with pytest.raises(NotKept, match="read again"):
        made.add(told)
    made.close()
    assert read_tape(tape)[1] == []


class Filling:
    """A file of which a disk takes half a line, once."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.is_full = True

    def write(self, line: bytes) -> int:
        taken = line[: len(line) // 2] if self.is_full else line
        self.is_full = False
        return int(self._file.write(taken))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_after_a_torn_line_comes_a_whole_one(tape: Path) -> None:
    """When the disk has room again."""
    made = Tape(tape, "x")
    made._file = Filling(made._file)  # type: ignore[assignment]
    with pytest.raises(OSError, match="space"):
        made.add(exchange(json="first"))
    made.add(exchange(json="second"))
    made.close()
    assert [each.answer.body["json"] for each in read_tape(tape)[1]] == ["second"]


@pytest.mark.parametrize(
    ("name", "most"), [("MOST_LINES", 4), ("MOST_TAPE_BYTES", 700)], ids=["lines", "bytes"]
)
def test_a_tape_is_never_too_long_to_be_read(
    tape: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    """What comes when it is full is refused."""
    monkeypatch.setattr(tapes, name, most)
    made = Tape(tape, "x")
    refused = 0
    for _ in range(10):
        try:
            made.add(exchange(json="y"))
        except OSError:
            refused += 1
    made.close()
    assert 0 < refused < 10
    assert len(read_tape(tape)[1]) == made.count == 10 - refused


def test_a_tape_is_for_its_owner_and_is_not_replaced(tape: Path) -> None:
    """Unless that is asked for."""
    Tape(tape, "x").close()
    assert tape.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        Tape(tape, "x")
    tape.chmod(0o644)
    Tape(tape, "other", replaces=True).close()
    assert tape.stat().st_mode & 0o777 == 0o600
    assert read_tape(tape)[0].upstream == "other"


def line(**request: Any) -> str:
    """A line with a request that somebody wrote by hand."""
    told = {"method": "GET", "target": "/v1/x"} | request
    whole = {"kind": "exchange", "after_s": 0, "request": told, "answer": {"status": 200}}
    return json.dumps(whole) + "\n"


FILE = {"name": "x", "kind": "pdf", "bytes": 9, "content": "x"}
HEAD = '{"tape":1,"made_by":"x","on":"2026-01-05","upstream":"x"}\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        ("hello\n", ":1: JSON"),
        ('{"a":1}\n', ":1: is not the first line of a tape"),
        ('{"tape":2}\n', ":1: the tape is of version 2; 1 is read"),
        (HEAD + "{\n", ":2: JSON"),
        (HEAD + '{"kind":"song"}\n', ":2:"),
        (HEAD + "\n", ":2: JSON"),
        (HEAD + line(target="@127.0.0.1:1/x"), ":2: request.target"),
        (HEAD + line(target="/a b"), ":2: request.target"),
        (HEAD + line(target="/v1/x\n"), ":2: request.target"),
        (HEAD + line(headers=[["A", "b\n"]]), ":2: request.headers[0]"),
        (HEAD + line(headers=[["A\n", "b"]]), ":2: request.headers[0]"),
        (HEAD + line(target="/_sim/reset"), ":2: request.target: is no path of an imitated API"),
        (HEAD + line(target="/%5fsim/reset"), ":2: request.target: is no path of an imitated"),
        (HEAD + line(target="/v1/../_sim/reset"), ":2: request.target: has a segment of dots"),
        (HEAD + line(target="/v1/%2E%2e/_sim/reset"), ":2: request.target: has a segment of dots"),
        (HEAD + line(target="/v1/x%2f..%5c..%2f_sim"), ":2: request.target: has a segment of"),
        (HEAD + line(target="/_callbacks"), ":2: request.target: is no path of an imitated API"),
        (HEAD + line().replace('"exchange"', '"callback"'), ":2: request.target: that of a call"),
        (HEAD + line(method="GET / HTTP/1.1"), ":2: request.method"),
        (HEAD + line(headers=[["A", "b\r\nC: d"]]), ":2: request.headers[0]"),
        (HEAD + line(body={"form": [1]}), ":2: form[0]"),
        (HEAD + line(body={"files": [["x", {"name": "x", "content": ""}]]}), ":2: files[0]"),
        (HEAD + line(body={"song": 1}), ":2: song"),
        (HEAD + line(body={"form": [["a", {"nojson": 1}]]}), ":2: form[0]"),
        (HEAD + line(body={"files": [["x", {"name": "x", "bytes": 9}]]}), ":2: "),
        (
            HEAD + line(body={"files": [["x", FILE | {"bytes": 8 << 20}]] * 8}),
            ":2: bytes of the files: 67108864 are too many",
        ),
        (HEAD + "x" * (MOST_LINE_BYTES + 2) + "\n", ":2: a line has at most"),
        (HEAD + "[" * 5000 + "]" * 5000 + "\n", ":2: JSON is nested too deeply"),
    ],
)
def test_a_wrong_line_is_named(tape: Path, content: str, told: str) -> None:
    """With its number."""
    tape.write_text(content)
    with pytest.raises(WrongTape, match=re.escape(str(tape))) as error:
        read_tape(tape)
    assert told in str(error.value)


def test_a_last_line_that_is_torn_is_passed_over(tape: Path) -> None:
    """Its recorder was killed."""
    tape.write_text(HEAD + '{"kind":"exch')
    assert read_tape(tape)[1] == []


def is_genuine(message: Any) -> bool:
    """By the SDK's own check, as docs/learn.md says."""
    return plivo.utils.validate_v3_signature(
        "POST",
        message.headers["X-Plivo-Sim-Callback-Url"],
        message.headers["X-Plivo-Signature-V3-Nonce"],
        TOKEN,
        message.headers["X-Plivo-Signature-V3"],
        message.json(),
    )


def test_a_receiver_checks_signatures(live: LiveSimulator, tape: Path, receiver: Receiver) -> None:
    """Behind the recorder: of the URL that was called, which it is told."""
    with recording(live.url, tape, receiver=receiver.url) as url:
        caller, called = Application(live.url), f"{url}/_callbacks/in?a=1"
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        form = creation(types, callback_url=called)
        made = caller.call("POST", "PhoneNumber/Compliance/", form=form)["compliance_id"]
        decider(live)(made, "rejected")
        [message] = receiver.wait_for(1)
    assert message.url == f"{receiver.url}/in?a=1"
    assert message.headers["X-Forwarded-Host"] == urlsplit(url).netloc
    assert message.headers["X-Forwarded-Proto"] == "http"
    assert message.headers["X-Plivo-Sim-Callback-Url"] == called
    assert is_genuine(message)


def test_a_receiver_checks_signatures_behind_a_tunnel(
    live: LiveSimulator, tape: Path, receiver: Receiver
) -> None:
    """Of the URL that Plivo has called; who says another one himself is not believed."""
    fields = {"compliance_id": NOWHERE, "status": "accepted"}
    called = "https://tunnel.example.com/_callbacks"
    signed = dict(signature_headers(Tokens(TOKEN, TOKEN), "POST", called, "1", (*fields.items(),)))
    sent = signed | {
        "Content-Type": "application/json", "X-Forwarded-Host": "tunnel.example.com",
        "X-Forwarded-Proto": "https", "X-Plivo-Sim-Callback-Url": "https://elsewhere.example.com/",
    }  # fmt: skip
    with recording(live.url, tape, receiver=receiver.url) as url:
        Http(url).send("POST", "/_callbacks", sent, body=json.dumps(fields).encode())
    [message] = receiver.received
    assert message.headers["X-Plivo-Sim-Callback-Url"] == called
    assert is_genuine(message)
