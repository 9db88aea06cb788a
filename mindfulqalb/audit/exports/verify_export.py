"""Verify an export of evidence, or a client's receipt, without trusting the server that made it.

    python verify_export.py export.zip public-key.pem

Needs Python >= 3.9 and `cryptography`. Get the public key apart from the file (in person, or the answer of
/api/audit/keys as it is); the key file may hold several. Exit status 0: all that is printed was proven; 1: it does not
hold, and why; 2: nothing was looked at, for want of arguments or keys.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

PEM = re.compile(b"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def verify(path: str, key_file: str) -> None:
    """Verify everything, or end with what does not hold."""
    known = _read_keys(key_file)
    try:
        proven = _verify_export(path, known) if is_zipfile(path) else _verify_receipt(path, known)
    except Exception as error:  # noqa: BLE001  (whatever a changed file breaks)
        sys.exit(f"DOES NOT HOLD: the file can be read ({error!r})")
    sys.stdout.write(proven)


def _read_keys(key_file: str) -> dict[str, Any]:
    """Read PEM, also within JSON, which writes an end of line as a backslash and an n."""
    try:
        blocks = PEM.findall(Path(key_file).read_bytes().replace(rb"\n", b"\n"))
        keys = [load_pem_public_key(block + b"\n") for block in blocks]
        known = {_sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:16]: key for key in keys}
    except (OSError, ValueError, TypeError) as error:
        _stop(f"the key file holds no usable key ({error})")
    return known or _stop("the key file holds no usable key")


def _stop(sentence: str) -> Any:
    sys.stderr.write(f"NOTHING VERIFIED: {sentence}\n")
    sys.exit(2)


def _must(holds: object, sentence: str) -> None:
    if not holds:
        sys.exit(f"DOES NOT HOLD: {sentence}")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_of(file: Any, left: int) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(min(left, 1 << 20)):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def _lines(archive: ZipFile, name: str) -> Any:
    if name in archive.namelist():
        with archive.open(name) as file:
            yield from map(json.loads, file)


def _must_be_signed(name: str, statement: Any, signature: str, keys: dict[str, Any]) -> None:
    key_id = statement["key_id"]
    _must(key_id in keys, f"{name} is signed by a key of yours, and not by {key_id}")
    _must(bytes.fromhex(signature).hex() == signature, f"the signature of {name} is one")
    try:
        keys[key_id].verify(bytes.fromhex(signature), _canonical(statement))
    except InvalidSignature:
        _must(False, f"{name} is as it was signed")


def _verify_export(path: str, keys: dict[str, Any]) -> str:
    with ZipFile(path) as archive, Path(path).open("rb") as file:
        certificate = json.loads(archive.read("manifest.json"))
        manifest, checkpoint = certificate["manifest"], certificate["manifest"]["checkpoint"]
        _must_be_signed("the manifest", manifest, certificate["signature"], keys)
        _must_be_signed("the checkpoint", checkpoint["statement"], checkpoint["signature"], keys)
        # The comment, which ends the file, signs every byte before it.
        digest = _digest_of(file, Path(path).stat().st_size - len(archive.comment))
        statement = {"archive": digest, "key_id": manifest["key_id"]}
        _must_be_signed("the archive", statement, archive.comment.decode(), keys)
        for name, facts in manifest["files"].items():
            with archive.open(name) as part:
                _must(_digest_of(part, 1 << 60) == facts["sha256"], f"{name} is as in the manifest")
        return _verify_content(archive, manifest, checkpoint["statement"])


def _verify_content(archive: ZipFile, manifest: Any, checkpoint: Any) -> str:
    is_of_consents = manifest["subject"] == "consents"
    heads, told = _read_chain(archive, checkpoint, is_of_consents=is_of_consents)
    _must(manifest["event_id"] in heads, "the export itself is on record")
    rules: dict[str, str] = {}  # by target, the rule under which it was purged
    for event in _lines(archive, "removals.jsonl"):
        _must_vouch(event, heads, f"rule:{event['details']['rule']}")
        rules.update(dict.fromkeys(event["details"].get("targets", ()), event["details"]["rule"]))
    # A record that is flagged names no text: its version was not one of ours.
    texts = {"", *(_text_digest(text) for text in _lines(archive, "documents.jsonl"))}
    records = {_verify_record(entry, heads, texts) for entry in _lines(archive, "records.jsonl")}
    events = {_verify_event(event, heads) for event in _lines(archive, "events.jsonl")}
    left = sorted((moment, name) for name, moment in told if name not in records | events and name not in rules)
    purged = (f"{count} under rule {rule}" for rule, count in sorted(Counter(rules.values()).items()))
    name = manifest.get("exported_by_name") or "no name given"
    return (
        f"{manifest['subject']} taken by {manifest['exported_by']} ({name}), because: {manifest['reason']}\n"
        f"{_verify_completeness(manifest, left, is_empty=not records | events)}"
        f"Records purged: {', '.join(purged) or 'none'}.\n"
        f"VERIFIED: {len(records)} records, {len(events)} events in full. The trail of {checkpoint['sequence']}\n"
        f"events was neither altered nor cut, as signed at {checkpoint['signed_at']} by key {checkpoint['key_id']}.\n"
    )


def _verify_completeness(manifest: Any, left: list[tuple[str, str]], *, is_empty: bool) -> str:
    """Hold what is not in the export against its period; of what other filters took away, heads cannot tell."""
    begin, end = _bounds(manifest)
    placed = [("before" if time < begin else "after" if time >= end else "within", time, name) for time, name in left]
    inside = [name for place, _, name in placed if place == "within"]
    others = sorted(set(manifest["filters"]) - ({"since", "until"} if "period" in manifest else set()))
    _must(others or not inside, f"nothing is missing within the period, such as {inside[:1]}")
    filters = ", ".join(f"{name} {value}" for name, value in sorted(manifest["filters"].items()))
    counts = ", ".join(f"{count} {place} the period" for place, count in Counter(place for place, *_ in placed).items())
    period = f"its period, from {begin or 'the beginning'} to before {end if end != '~' else 'the export'}"
    shown = [f"- {name} of {time}: {place} the period\n" for place, time, name in placed[:10]]
    return (
        f"Filters: {filters or 'none'}. Not in this export: {counts or 'nothing'}.\n"
        + (f"Completeness NOT proven: filtered by {', '.join(others)}.\n" if others else f"Complete for {period}.\n")
        + (f"THE EXPORT IS EMPTY. The first of what is not in it:\n{''.join(shown)}" if is_empty else "")
    )


def _bounds(manifest: Any) -> tuple[str, str]:
    """Return the period's first moment and the first after it, spelt as in heads; they must fit the filter's days."""
    period, filters = manifest.get("period", {}), manifest["filters"]
    for bound, name, days in (("from", "since", 0), ("before", "until", 1)) if period else ():
        _must(bool(period[bound]) == (name in filters), f"the period is {name} as the filter says")
        if period[bound]:
            midnight = datetime.fromisoformat(filters[name] + "T00:00:00+00:00") + timedelta(days=days)
            apart = abs(datetime.fromisoformat(period[bound]) - midnight)
            _must(apart <= timedelta(hours=14), f"the period is {name} as the filter says, in some time zone")
    return period.get("from", ""), period.get("before") or "~"


def _read_chain(
    archive: ZipFile, checkpoint: Any, *, is_of_consents: bool
) -> tuple[dict[str, tuple[str, str]], set[tuple[str, str]]]:
    """Recompute every link of the trail.

    Return by id the targets and payload digests of the events to look at, and what the export must show, with its time.
    """
    count, link, heads, told = 0, "0" * 64, {}, set()
    for entry in _lines(archive, "chain.jsonl"):
        count, head = count + 1, entry["head"]
        _must(head and entry["sequence"] == count, f"event {count} of the trail is there")
        link = _sha256(f"{count} {link} {_sha256(_canonical(head))}".encode())
        if head["target"].startswith(("consent:", "rule:", "export:") if is_of_consents else ""):
            heads[head["id"]] = (head["target"], head["payload_digest"])
        if not is_of_consents:
            told.add((head["id"], head["occurred_at"]))
        elif head["target"].startswith("consent:") and head["action"].startswith("consent."):
            told.add((head["target"], head["occurred_at"]))
    end = (checkpoint["sequence"], checkpoint["chain_digest"])
    _must((count, link) == end, "the trail is the one that the checkpoint was signed over")
    return heads, told


def _must_vouch(event: Any, heads: dict[str, tuple[str, str]], target: str) -> None:
    known, digest = heads.get(event["id"], ("", "")) if event else ("", "")
    _must(known == target and event["salt"], f"an event vouches for {target}")
    payload = {name: event[name] for name in ("details", "evidence", "reason")}
    _must(_salted(event, payload) == digest, f"event {event['id']} is as it was recorded")


def _salted(event: Any, value: Any) -> str:
    return _sha256(bytes.fromhex(event["salt"]) + _canonical(value))


def _text_digest(shown: Any) -> str:
    parts = {name: shown[name] for name in ("title", "text", "acknowledgments")}
    parts["text"] = parts["text"].replace("\r\n", "\n").replace("\r", "\n")
    form = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = _sha256(unicodedata.normalize("NFC", form).encode())
    _must(digest == shown["sha256"], f"the text {shown['version']} is the one with its digest")
    return digest


def _verify_record(entry: Any, heads: dict[str, tuple[str, str]], texts: set[str]) -> str:
    record, event, target = entry["record"], entry["event"], f"consent:{entry['record']['id']}"
    _must_vouch(event, heads, target)
    content = {column: record.get(column) for column in event["evidence"]["columns"]}
    _must(_salted(event, content) == event["evidence"]["digest"], f"{target} is as it was recorded")
    _must(record["document_sha256"] in texts, f"the text of {target} is there")
    return target


def _verify_event(event: Any, heads: dict[str, tuple[str, str]]) -> str:
    _must(event["id"] in heads, f"event {event['id']} is in the trail")
    if event["salt"]:  # else its payload was erased under a rule; its head stands in the chain
        _must_vouch(event, heads, event["target"])
    return str(event["id"])


def _verify_receipt(path: str, keys: dict[str, Any]) -> str:
    receipt = json.loads(Path(path).read_bytes())
    proof = receipt.pop("proof")
    _must_be_signed("the receipt", receipt | {"key_id": proof["key_id"]}, proof["signature"], keys)
    texts = {_text_digest(shown) for shown in receipt["documents"]}
    acts = [(act["event_time"], act["event_state"], act["document_sha256"]) for act in receipt["events"]]
    _must(all(digest is None or digest in texts for *_, digest in acts), "each text that was agreed to is there")
    return "".join(f"{time} {state} {digest}\n" for time, state, digest in acts) + (
        f"VERIFIED: the receipt {receipt['receipt']['receipt_id']}, as signed by key {proof['key_id']}.\n"
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:  # noqa: PLR2004
        sys.stderr.write(str(__doc__))
        sys.exit(2)
    verify(*sys.argv[1:])
