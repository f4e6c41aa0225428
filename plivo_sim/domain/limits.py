"""Every limit on the texts that are parsed, and on what a scenario, a policy or a control call can
cause: one table, from which docs/limits.md is made.

All of them are invented: they are far beyond what a test of an application needs, and what is
beyond them is a mistake or an attack. A refusal says the limit's value and its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """``most``: how many of ``unit``; ``of``: what is counted, for the reader of the table."""

    name: str
    most: int
    unit: str
    of: str

    def __str__(self) -> str:
        return f"at most {self.most} {self.unit} (limit {self.name})"

    def check(self, count: int, what: str) -> None:
        """Raises ValueError that names the limit and its value, when ``count`` is over it."""
        if count > self.most:
            raise ValueError(f"{what}: {count} are too many, {self}")


SCHEMA_KEY = "x-limit"
"""Under which a JSON Schema names the limit that a maximum of it is."""
_TEXT = "characters"

DURATION = Limit("duration", 100, _TEXT, "a duration, such as `1d12h`")
INSTANT = Limit("instant", 64, _TEXT, "a simulated instant or a date")
NUMBER = Limit("number", 64, _TEXT, "a number that is given as text, such as a rate")
HOST = Limit("host", 255, _TEXT, "a host name or address")
SETTING = Limit("setting", 65536, _TEXT, "the text of one setting, before it is read")
ACCOUNT_SETTINGS = Limit(
    "account_settings", 8192, _TEXT, "the texts of all of an account's own settings together"
)
OUTCOME = Limit("outcome", 4096, _TEXT, "the header `X-Plivo-Sim-Outcome`")
CONTENT_TYPE = Limit("content_type", 1024, _TEXT, "the header `Content-Type`")
PART_HEADERS = Limit("part_headers", 16384, "bytes", "the headers of one part of a multipart body")
ALL_PART_HEADERS = Limit("all_part_headers", 131072, "bytes", "those of all its parts together")
NO_BOUNDARIES = Limit(
    "no_boundaries", 300, "times",
    "the boundary of a multipart body within one part, or before the first, where it is none",
)  # fmt: skip
CALLBACK_URL = Limit("callback_url", 2048, _TEXT, "a callback URL")
SIGNED = Limit(
    "signed", 262_144, _TEXT,
    "the URL, the headers, the body and the token of a request whose signature is checked",
)  # fmt: skip
SIGNED_FIELDS = Limit(
    "signed_fields", 2000, "fields",
    "its query and its body: each `&`, and each `,` of the body, counts",
)  # fmt: skip
JSON_DEPTH = Limit("json_depth", 64, "levels", "objects and arrays of JSON in one another")
JSON_VALUES = Limit(
    "json_values", 100_000, "values",
    "a JSON body, or all JSON texts in a form: each `,`, `[` and `{` counts, in strings too",
)  # fmt: skip
SNAPSHOT_VALUES = Limit("snapshot_values", 5_000_000, "values", "the same, of a snapshot")
JSON = Limit(
    "json", 32 * 1024 * 1024, "bytes",
    "a JSON body, a snapshot's apart; the texts of a multipart body, all together",
)  # fmt: skip
YAML_DEPTH = Limit("yaml_depth", 100, "levels", "maps and lists of YAML in one another")
YAML_DIGITS = Limit("yaml_digits", 300, "digits", "a number in YAML")
BODY = Limit("body", 56 * 1024 * 1024, "bytes", "the body of a call")
CONTROL_BODY = Limit(
    "control_body", 1024 * 1024, "bytes", "the body of a control call, a snapshot's apart"
)
DATA_URL_HEAD = Limit(
    "data_url_head", 1024, _TEXT, "what stands before the comma of a data URL: type, name, encoding"
)
FORM = Limit("form", 1024 * 1024, "bytes", "a form that is urlencoded, unpacked")
ANSWER = Limit(
    "answer", 64 * 1024 * 1024, "bytes",
    "the body of an answer, decompressed, that a command or the recorder reads",
)  # fmt: skip
INTERIM = Limit(
    "interim", 100, "interim answers",
    "what a receiver, or a server that a command or the recorder calls, sends before its answer:"
    " 100, 103",
)  # fmt: skip
INTERIM_BYTES = Limit("interim_bytes", 65536, "bytes", "the headers of these, all together")
TRAILER = Limit("trailer", 16384, "bytes", "the headers behind the body of such an answer")
CHUNK_LINE = Limit("chunk_line", 1024, "bytes", "the line before each chunk of it")
LEARN_CALLS = Limit(
    "learn_calls", 10_000, "calls", "what `learn` asks a service, what is asked again among it"
)
LEARN_BYTES = Limit(
    "learn_bytes", 64 * 1024 * 1024, "bytes", "the answers that `learn` reads, all together"
)
LEARN_SECONDS = Limit(
    "learn_seconds", 7200, "seconds", "how long `learn` goes on asking, waits among them"
)
CHUNKS = Limit("chunks", 10_000, "chunks", "a body in chunks of less than 512 bytes on average")
LEAST_CHUNK_BYTES = 512
"""On average, of a body that has more chunks than that: each costs as much as so many bytes."""
UNFINISHED = Limit(
    "unfinished", 256 * 1024 * 1024, "bytes",
    "the requests that have come in part, or are put off, of all clients together; those that began"
    " first are answered as if their time were up",
)  # fmt: skip
SERVED = Limit(
    "served", 128 * 1024 * 1024, "bytes",
    "the requests that are being served, of all clients together, packed ones as large as may come"
    " out of them; those of more than 32 KiB wait until there is room",
)  # fmt: skip
UNSENT = Limit(
    "unsent", 256 * 1024 * 1024, "bytes",
    "the answers that are being sent, or that a fault's latency delays, of all clients together;"
    " those that have been for the longest are cut off, the last one apart",
)  # fmt: skip
PARTS = Limit("parts", 300, "parts", "the parts of a multipart body, the fields of a form")
DOCUMENTS = Limit("documents", 50, "documents", "the documents of an application in the new API")
APPLICATION_DOCUMENTS = Limit(
    "application_documents", 1000, "documents",
    "the documents of an application in the legacy API, and in a snapshot",
)  # fmt: skip
ACCOUNT_FILES = Limit(
    "account_files", 1024 * 1024 * 1024, "bytes",
    "the uploaded files of an account together, those that its snapshots need among them; the same"
    " content counts once",
)  # fmt: skip
DAMAGED_REST = Limit(
    "damaged_rest", 256 * 1024 * 1024, "bytes",
    "the rest of a damaged journal that is copied aside, unless more of the journal is good, and"
    " looked through for whole lines; of a larger one, all of the journal is kept aside",
)  # fmt: skip
FIELDS = Limit(
    "fields", 300, "entries",
    "what a snapshot says of one record by name: headers, counters, settings; the data fields of a"
    " document, in a call too",
)  # fmt: skip
DATA_FIELDS = Limit(
    "data_fields", 16_384, _TEXT,
    "the data fields of a document that a call brings, their names and their texts together",
)  # fmt: skip
REASON = Limit("reason", 2000, _TEXT, "a reason, a fault's message, a scenario's sentence")
LOG_TEXT = Limit(
    "log_text", 500, _TEXT,
    "a path, a URL, a reason or another text in a line of the log; longer ones are cut",
)  # fmt: skip
LOG_LINE = Limit("log_line", 4000, _TEXT, "a line of the log; longer ones are cut")
LOG_TRACEBACK = Limit(
    "log_traceback", 100, "lines", "an exception in the log; of longer ones the last are shown"
)
LOG_WAITING = Limit(
    "log_waiting", 1024 * 1024, _TEXT,
    "lines of the log that nobody has read yet; further ones are left out, and counted",
)  # fmt: skip

SCENARIO_TEXT = Limit(
    "scenario_text", 256 * 1024, _TEXT, "a scenario, as YAML or as the JSON of an object"
)
SCENARIO_VALUES = Limit(
    "scenario_values", 20_000, "values", "a scenario, its aliases as often as they are named"
)
MISTAKES = Limit("mistakes", 100, "mistakes", "what a refused scenario is told of one kind")
FOLDER_ENTRIES = Limit(
    "folder_entries", 20_000, "files and folders", "what `replay` looks through in a folder"
)
CATALOGUE_TEXT = Limit("catalogue_text", 1024 * 1024, _TEXT, "one file of `--catalogue`")
CATALOGUE_VALUES = Limit(
    "catalogue_values", 100_000, "values", "the same, its aliases as often as they are named"
)
CATALOGUE_FILES = Limit("catalogue_files", 300, "files", "the files of a folder of `--catalogue`")
NAME = Limit("name", 100, _TEXT, "the name of a rule, a fault, an application of the steps")
RULES = Limit("rules", 200, "entries", "the rules of a scenario")
CONDITION_DEPTH = Limit("condition_depth", 20, "levels", "`any`, `all` and `not` in one another")
GLOB = Limit("glob", 200, _TEXT, "a value or glob that a condition or a fault compares with")
REGEX = Limit("regex", 200, _TEXT, "a `regex` of a condition")
REGEX_DEPTH = Limit("regex_depth", 20, "levels", "the groups of a `regex` in one another")
REGEX_STEPS = Limit("regex_steps", 400, "steps", "a `regex`, its repetitions written out")
REGEX_TEXT = Limit("regex_text", 500, _TEXT, "a text that a `regex` can match; longer ones do not")
CONDITION_TEXTS = Limit(
    "condition_texts", 2500, _TEXT,
    "the texts that one condition is compared with, such as the file names of a submission,"
    " together, or the path that a fault is; one that has no room any more is as none of them",
)  # fmt: skip
ALL_REGEX_STEPS = Limit("all_regex_steps", 1000, "steps", "all `regex`es of a scenario together")
REASONS = Limit("reasons", 20, "entries", "the reasons of one decision")
THEN = Limit("then", 20, "entries", "what follows one decision")
FAULTS = Limit("faults", 50, "entries", "the faults of a scenario; those that an account has on")
STEPS = Limit("steps", 500, "entries", "the steps of a scenario")
RETRIES = Limit("retries", 20, "entries", "the retries of a callback, delays of zero included")
DUPLICATES = Limit("duplicate", 20, "copies", "the extra copies of each callback")
SUCCESS = Limit("success", 500, "entries", "the statuses with which a callback counts as delivered")
QUOTA_CALLS = Limit("quota.calls", 10_000, "calls", "the calls that the quota of a fault counts")
COUNT = Limit("count", 10**9, "calls", "`times`, `skip`, `every` and `drop`")
SECONDS = Limit("seconds", 31_536_000, "seconds", "`retry_after_s` and `quota.per_s`")

PEM = Limit("pem", 1024 * 1024, "bytes", "the file of `--ca`, those of `--tls-dir`")
CSV_TEXT = Limit("csv_text", 4 * 1024 * 1024, _TEXT, "the file of `seed --csv`")
SEEDED = Limit("seeded", 10_000, "applications", "what one `seed N` makes")
MACHINE_TEXT = Limit("machine_text", 300, _TEXT, "a sentence, a label, a reason in a machine file")
STATUS_NAME = Limit(
    "status_name", 50, _TEXT, "the name of a machine or a status; a word or a command of it"
)
STATUSES = Limit("statuses", 50, "statuses", "a machine")
ARROWS = Limit("arrows", 500, "arrows", "a machine")
REVIEW_CASES = Limit("review_cases", 100, "entries", "the `cases` of a machine's `review`")

EXPLANATIONS = Limit(
    "explanations", 20, "submissions", "of one application, of which is kept why; the oldest go"
)
SENT = Limit(
    "sent", 100, "values", "of one submission, which are kept to tell what the next one changed"
)
SENT_TEXT = Limit("sent_text", 200, _TEXT, "each of them; a longer one is told apart by its hash")
DELIVERIES = Limit("deliveries", 2000, "callbacks", "in an account's list; the oldest finished go")
DELIVERY_BYTES = Limit(
    "delivery_bytes", 4 * 1024 * 1024, "bytes",
    "the same list with all attempts, some kilobytes for a callback: often this is reached first",
)  # fmt: skip
REPORT_APPLICATIONS = Limit(
    "report_applications", 100, "applications", "the report of an account as HTML; the newest"
)
REPORT_DOCUMENTS = Limit(
    "report_documents", 2000, "documents",
    "the applications of such a report, together, but for the newest alone",
)  # fmt: skip
SHOWN_TEXT = Limit(
    "shown_text", 10_000, _TEXT,
    "each text in the page and the report of an application; longer ones are cut, but in the APIs",
)  # fmt: skip
REPORT_FILES = Limit(
    "report_files", 8 * 1024 * 1024, "bytes", "the uploaded pictures in such a report, together"
)
COPY_TEXT = Limit(
    "copy_text", 4 * 1024 * 1024, _TEXT,
    "what was done, copied as a test; the calls behind it are left out, and it says how many",
)  # fmt: skip
COVERED = Limit(
    "covered", 1000, "entries",
    "the transitions, and the reasons, that coverage counts, in all accounts; those that happened"
    " longest ago go",
)  # fmt: skip
SENDS = Limit(
    "sends", 1024, "callbacks",
    "those that are under way to receivers at once, of all accounts; an eighth of the files that"
    " the system lets the process open (`ulimit -n`), if that is less. An account has eight at"
    " most, and fewer the more are under way; the others wait",
)  # fmt: skip
LOOK_UPS = Limit(
    "look_ups", 1024, "names",
    "those of receivers that are looked up at once; a thirty-second of these files, if that is"
    " less. An account has eight at most, and fewer the more there are; the others wait",
)  # fmt: skip
REMEMBERED = Limit(
    "remembered", 64 * 1024 * 1024, "bytes",
    "the requests of all accounts, those that reached none, the events and the messages of all"
    " inboxes, together; of whoever has most, the oldest go",
)  # fmt: skip
INBOXES = Limit(
    "inboxes", 10_000, "inboxes",
    "the built-in inboxes of all accounts; the one goes that nobody has written to, read or emptied"
    " for longest, and `uncertain` in the answers of inboxes tells how many messages went so",
)  # fmt: skip
INBOX_NAME = Limit("inbox_name", 200, _TEXT, "the name of an inbox")
INBOX_MESSAGES = Limit("inbox_messages", 500, "messages", "what an inbox keeps; the oldest go")
INBOX_BYTES = Limit("inbox_bytes", 2 * 1024 * 1024, "bytes", "the same")
INBOX_BODY = Limit(
    "inbox_body", 64 * 1024, "bytes", "the body of a message of an inbox; the rest is not kept"
)
NEXT_OUTCOMES = Limit("next_outcomes", 100, "outcomes", "the next outcomes in an account's line")
SNAPSHOTS = Limit("snapshots", 100, "snapshots", "the snapshots that an account keeps by name")
PLAYS = Limit("plays", 64, "plays", "what the console plays at once; the oldest go")
UNDO_POINTS = Limit("undo_points", 20, "points", "what can be undone in an account; the oldest go")
UNDO_TEXT = Limit("undo_text", 200, _TEXT, "what is said of something that can be undone")
SNAPSHOT_NAME = Limit("snapshot_name", 100, _TEXT, "the name of a snapshot")
TIMELINE = Limit(
    "timeline", 500, "changes",
    "the timeline of an application when it is submitted again, or decided by hand",
)  # fmt: skip

LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Where every simulated clock stops: what is reckoned from there still has a year."""
CLOCK_ENDS = "the clock stops at the year 9000"
SLOWEST, FASTEST = 1e-9, 1e9
"""Simulated seconds in a real one: at the slowest, one takes 32 years. How long to wait is divided
by it."""
MOST_COUNTED = 2**40
"""What any counter of a snapshot document may stand at: it is counted on from there, and what the
journal can hold ends at 2**53."""

WHY = 300
"""Characters of why a rule did not match, kept with each submission: longer ones are cut."""

TABLE = tuple(each for each in dict(globals()).values() if isinstance(each, Limit))
"""Every limit, in the order of the documentation."""
