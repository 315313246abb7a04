"""Check an audit of QikBiz: every event's hash, and that each follows the one before (docs/audit-format.md).

    python verify.py                     in the folder where the zip was unpacked
    python verify.py FILE                the zip, or the audit.jsonl in it
    python verify.py FILE SEQ:HASH       and that it goes on from the newest event that you noted down

Ends with 0 when all is well, 1 when something is wrong, 2 when there is nothing to check. Needs only Python 3.8.
"""

import hashlib
import io
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

FORMAT, FORMAT_VERSION = "qikbiz-audit", 1
MEMBER = "audit.jsonl"
BEFORE_THE_FIRST = bytes(32)
LONGEST_LINE = 64 * 1024 * 1024
TRIMMED = "audit.trimmed"
_ACT = ("id", "actor_kind", "actor_id", "actor_name", "action", "request_id")
FRAME = (*_ACT, "record_type", "record_id")
# The chain of the platform itself, of what staff and commands did; its events are about organisations.
PLATFORM = "00000000-0000-0000-0000-000000000000"
PLATFORM_FRAME = (*_ACT, "tenant_id")
_AROUND = {"chain", "seq", "at", "subject", "details", "salt", "private", "previous", "hash"}
FIELDS = _AROUND | set(FRAME)


class NotAnAudit(ValueError):
    """The file is no audit of QikBiz, or of a version that this checker doesn't know."""


class Wrong(Exception):
    """One event is not as it was written; the text says why."""


@dataclass
class Chain:
    """One chain as far as it was read. `first` is the hash that its first event names as the one before."""

    id: str
    first_seq: int
    first: str
    seq: int = 0
    hash: str = ""
    events: int = 0


@dataclass
class Report:
    """What the check found. `fault` is "" for a whole audit, else what is wrong; `at_event` which event it is."""

    organisation: str = ""
    chains: "dict[str, Chain]" = field(default_factory=dict)
    own: str = ""
    events: int = 0
    erased: int = 0
    first_at: str = ""
    last_at: str = ""
    fault: str = ""
    at_event: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.fault

    @property
    def head(self) -> "tuple[int, str]":
        """Number and hash of the newest event of the organisation's own chain."""
        chain = self.chains.get(self.own)
        return (chain.seq, chain.hash) if chain else (0, BEFORE_THE_FIRST.hex())


def canonical(value: Any) -> bytes:
    """JSON with the keys in order, without spaces, as UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def private_hash(salt: bytes, subject: str, details: "Mapping[str, Any]") -> bytes:
    """Over the part that may hold personal data. With the salt gone, nobody can try out what it was."""
    return hashlib.sha256(salt + canonical({"subject": subject, "details": dict(details)})).digest()


def link_hash(frame: "Mapping[str, Any]") -> bytes:
    """The hash of an event, over its frame: everything but the private part, which is in it by its hash."""
    return hashlib.sha256(canonical(dict(frame))).digest()


def verify(path: Path, noted: "tuple[int, str] | None" = None) -> Report:
    """Check the file; `noted` is an event's number and hash that somebody wrote down earlier.

    Raises NotAnAudit when there is nothing to check, and OSError.
    """
    with _opened(path) as file:
        lines = _lines(file)
        report, promised = _header(lines)
        vouchers: set[tuple[str, str, str]] = set()
        is_met = noted is None
        try:
            for number, line in enumerate(lines, 2):
                report.at_event = f"line {number}"
                event = _event(line, _frame(report))
                report.at_event = f"event {event['seq']} (line {number}, {event['at']}, {event['action']})"
                _check_event(event, report)
                is_met = is_met or (event["chain"], event["seq"], event["hash"]) == (report.own, *(noted or ()))
                if event["action"] == TRIMMED:
                    vouchers.add(_voucher(event))
            report.at_event = "the end of the file"
            _check_ends(report, promised, vouchers)
            if not is_met:
                _check_noted(report.chains.get(report.own), *(noted or (0, "")))
            report.at_event = ""
        except Wrong as wrong:
            report.fault = str(wrong)
        return report


def _check_noted(own: "Chain | None", seq: int, digest: str) -> None:
    """The noted event did not come by; the last one that was trimmed away is still known by its hash."""
    if own is not None and (seq, digest) == (own.first_seq - 1, own.first):
        return
    if own is not None and seq < own.first_seq:
        raise Wrong(f"the event that you noted, {seq}, was trimmed away since; note down the newest one again")
    raise Wrong(f"the event that you noted, {seq} with the hash {digest}, is not in this audit")


@contextmanager
def _opened(path: Path) -> "Iterator[IO[bytes]]":
    if not path.is_file() or not zipfile.is_zipfile(path):
        with path.open("rb") as plain:
            yield plain
        return
    try:
        with zipfile.ZipFile(path) as archive:
            if MEMBER not in archive.namelist():
                raise NotAnAudit(f"The zip holds no {MEMBER}.")
            with archive.open(MEMBER) as member:
                yield member
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise NotAnAudit(f"The zip is damaged: {error}.") from None


def _lines(file: "IO[bytes]") -> "Iterator[bytes]":
    reader = io.BufferedReader(file) if not isinstance(file, io.BufferedReader) else file  # type: ignore[type-var]
    while True:
        line = reader.readline(LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise NotAnAudit("A line is longer than any event.")
        yield line


def _header(lines: "Iterator[bytes]") -> "tuple[Report, dict[str, Any]]":
    """The first line: what the file says that it holds."""
    no_audit = "This is no audit of QikBiz: its first line does not say so."
    try:
        header = _parsed(next(lines))
        if header["format"] != FORMAT:
            raise NotAnAudit(no_audit)
        if header["format_version"] != FORMAT_VERSION:
            raise NotAnAudit("This audit was written by a newer program; check it with that one's checker.")
        organisation = header["organisation"]
        promised = {str(one["chain"]): (one["events"], one["seq"], one["hash"]) for one in header["chains"]}
        return Report(organisation=str(organisation["name"]), own=str(organisation["id"])), promised
    except StopIteration:
        raise NotAnAudit("The file is empty.") from None
    except (Wrong, KeyError, TypeError):
        raise NotAnAudit(no_audit) from None


def _frame(report: Report) -> "tuple[str, ...]":
    return PLATFORM_FRAME if report.own == PLATFORM else FRAME


def _event(line: bytes, frame: "tuple[str, ...]") -> "dict[str, Any]":
    event = _parsed(line)
    fields = _AROUND | set(frame)
    if set(event) != fields:
        odd = sorted(set(event) ^ fields)
        raise Wrong(f"it has not exactly the fields of an event ({', '.join(odd[:3])})")
    texts = fields - {"seq", "details", "salt", "actor_id", "record_id", "tenant_id"}
    if not all(isinstance(event[name], str) for name in texts) or not isinstance(event["details"], dict):
        raise Wrong("one of its fields is of another kind than in an event")
    if isinstance(event["seq"], bool) or not isinstance(event["seq"], int):
        raise Wrong("its number is no whole number")
    return event


def _parsed(line: bytes) -> "dict[str, Any]":
    try:
        found = json.loads(line.decode(), object_pairs_hook=_once, parse_float=_refused, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise Wrong("it is not a line of JSON as the program writes it") from None
    if not isinstance(found, dict):
        raise Wrong("it is not an event")
    return found


def _once(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(_text: str) -> None:
    raise ValueError("no event holds such a number")


def _check_event(event: "dict[str, Any]", report: Report) -> None:
    chain = report.chains.get(event["chain"])
    if chain is None:
        chain = report.chains[event["chain"]] = Chain(event["chain"], event["seq"], event["previous"])
        if event["seq"] < 1 or (event["seq"] == 1 and event["previous"] != BEFORE_THE_FIRST.hex()):
            raise Wrong("it is no first event of a chain")
    elif event["seq"] != chain.seq + 1:
        raise Wrong(f"event {chain.seq + 1} should stand here: events were removed, added or moved")
    elif event["previous"] != chain.hash:
        raise Wrong("it does not follow the event before it: one of the two was changed")
    _check_hashes(event, _frame(report))
    chain.seq, chain.hash, chain.events = event["seq"], event["hash"], chain.events + 1
    report.events += 1
    report.erased += event["salt"] is None
    if event["chain"] == report.own:
        report.first_at, report.last_at = report.first_at or event["at"], event["at"]


def _check_hashes(event: "dict[str, Any]", names: "tuple[str, ...]") -> None:
    frame = {name: event[name] for name in names}
    linked = {name: event[name] for name in ("chain", "seq", "previous", "at", "private")}
    try:
        if event["salt"] is None:
            if event["subject"] or event["details"]:
                raise Wrong("its contents are marked as erased, and yet it has some")
        elif private_hash(_bytes(event["salt"]), event["subject"], event["details"]).hex() != event["private"]:
            raise Wrong("its subject or its details were changed")
        if link_hash({**frame, **linked, "format": FORMAT_VERSION}).hex() != event["hash"]:
            raise Wrong("it was changed: who, what, when or which record is not what its hash says")
    except (UnicodeEncodeError, RecursionError):
        raise Wrong("it holds what no event can") from None


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not re.fullmatch("[0-9a-f]{32}", text):
        raise Wrong("its salt is not what the program writes")
    return bytes.fromhex(text)


def _voucher(event: "dict[str, Any]") -> "tuple[str, str, str]":
    told = event["details"]
    return str(told.get("chain")), str(told.get("seq")), str(told.get("hash"))


def _check_ends(report: Report, promised: "dict[str, Any]", vouchers: "set[tuple[str, str, str]]") -> None:
    for chain in report.chains.values():
        if chain.first_seq > 1 and (chain.id, str(chain.first_seq - 1), chain.first) not in vouchers:
            raise Wrong(
                f"the chain {chain.id} begins with event {chain.first_seq}, and no event says that it was trimmed"
            )
    found = {chain.id: (chain.events, chain.seq, chain.hash) for chain in report.chains.values()}
    if found != promised:
        raise Wrong("events are missing at the end, or were added: it is not what the file's first line says")


def main(arguments: "list[str]") -> int:
    path = Path(arguments[0]) if arguments else Path(__file__).resolve().with_name(MEMBER)
    try:
        seq, _, digest = arguments[1].partition(":") if len(arguments) > 1 else ("", "", "")
        report = verify(path, (int(seq), digest.strip().lower()) if seq else None)
    except (NotAnAudit, OSError, ValueError) as error:
        print(f"{path} can't be checked: {error}")
        return 2
    print(f"{report.events:,} events of {report.organisation}, {report.first_at} to {report.last_at}")
    print(f"Newest event: {report.head[0]}:{report.head[1]}")
    print("This audit is whole." if report.is_whole else f"NOT WHOLE  {report.at_event}: {report.fault}.")
    return 0 if report.is_whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
