"""Verify an export of consent evidence without trusting the server that made it.

    python verify_export.py export.zip public-key.pem

Needs Python >= 3.9 and `cryptography`. Get the public key apart from the export (at /api/audit/keys, or in person). The
file may hold several keys. Exit status 0: all that is printed was proven; 1: it does not hold, and why.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = {"consents": ("consent:", "rule:", "export:")}
PEM = re.compile(b"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def verify(export: str, key_file: str) -> None:
    """Verify everything, or end with what does not hold."""
    try:
        _verify(export, key_file)
    except Exception as error:  # noqa: BLE001  (whatever a changed archive breaks)
        sys.exit(f"DOES NOT HOLD: the export can be read ({error!r})")


def _verify(export: str, key_file: str) -> None:
    keys = _read_keys(key_file)
    with zipfile.ZipFile(export) as archive:
        certificate = json.loads(archive.read("manifest.json"))
        manifest, checkpoint = certificate["manifest"], certificate["manifest"]["checkpoint"]
        _must_be_signed(manifest, certificate["signature"], keys, "the manifest")
        _must_be_signed(checkpoint["statement"], checkpoint["signature"], keys, "the checkpoint")
        _verify_bytes(export, archive.comment.decode(), keys, manifest["key_id"])
        _verify_files(archive, manifest["files"])
        heads = _verify_chain(archive, checkpoint["statement"], KEPT.get(manifest["subject"], ""))
        _must(manifest["event_id"] in heads, "the export itself is on record")
        rules = _verify_removals(archive, heads)
        targets = _verify_records(archive, heads, _verify_documents(archive)) if _has(archive, "records") else set()
        events = _verify_events(archive, heads) if _has(archive, "events") else 0
    known = {head["target"] for head in heads.values() if head["target"].startswith("consent:")}
    missing = known - targets - set(rules)
    is_whole = manifest["subject"] == "consents" and not manifest["filters"]
    _must(not (is_whole and missing), f"nothing is missing, such as {sorted(missing)[:1]}")
    purged = [f"{list(rules.values()).count(rule)} under rule {rule}" for rule in sorted(set(rules.values()))]
    statement = checkpoint["statement"]
    _say(f"Filters: {manifest['filters'] or 'none'}. Records not in this export: {len(missing)}.")
    _say(f"Records purged: {', '.join(purged) or 'none'}.")
    _say(f"VERIFIED: {len(targets)} records, {events} events in full. The trail of {statement['sequence']} events was")
    _say(f"neither altered nor cut, as signed at {statement['signed_at']} by key {statement['key_id']}.")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _must(holds: object, sentence: str) -> None:
    if not holds:
        sys.exit(f"DOES NOT HOLD: {sentence}")


def _read_keys(key_file: str) -> dict[str, Any]:
    keys = [load_pem_public_key(block + b"\n") for block in PEM.findall(Path(key_file).read_bytes())]
    return {_sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:16]: key for key in keys}


def _must_be_signed(statement: dict[str, Any], signature: str, keys: dict[str, Any], name: str) -> None:
    key_id = statement["key_id"]
    _must(key_id in keys, f"{name} is signed by a key of yours, and not by {key_id}")
    try:
        _must(bytes.fromhex(signature).hex() == signature, f"the signature of {name} is one")
        keys[key_id].verify(bytes.fromhex(signature), _canonical(statement))
    except (InvalidSignature, ValueError):
        _must(False, f"{name} is as it was signed")


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[Any]:
    with archive.open(name) as file:
        yield from map(json.loads, file)


def _verify_bytes(export: str, signature: str, keys: dict[str, Any], key_id: str) -> None:
    digest, left = hashlib.sha256(), Path(export).stat().st_size - len(signature)
    with Path(export).open("rb") as file:
        while chunk := file.read(min(left, 1 << 20)):
            digest.update(chunk)
            left -= len(chunk)
    _must_be_signed({"archive": digest.hexdigest(), "key_id": key_id}, signature, keys, "the archive")


def _verify_files(archive: zipfile.ZipFile, files: dict[str, Any]) -> None:
    _must(sorted(archive.namelist()) == sorted([*files, "manifest.json"]), "the files are those of the manifest")
    for name, facts in files.items():
        digest, count = hashlib.sha256(), 0
        with archive.open(name) as file:
            for line in file:
                digest.update(line)
                count += 1
        _must((digest.hexdigest(), count) == (facts["sha256"], facts["lines"]), f"{name} is as in the manifest")


def _verify_chain(archive: zipfile.ZipFile, checkpoint: dict[str, Any], kept: Any) -> dict[str, Any]:
    """Recompute every link; return by id the events whose target begins with one of `kept`."""
    sequence, link, heads = 0, "0" * 64, {}
    for entry in _lines(archive, "chain.jsonl"):
        sequence, head = sequence + 1, entry["head"]
        _must(head and entry["sequence"] == sequence, f"event {sequence} of the trail is there")
        link = _sha256(f"{sequence} {link} {_sha256(_canonical(head))}".encode())
        if head["target"].startswith(kept):
            heads[head["id"]] = {name: head[name] for name in ("action", "target", "payload_digest")}
    end = (checkpoint["sequence"], checkpoint["chain_digest"])
    _must((sequence, link) == end, "the trail is the one that the checkpoint was signed over")
    return heads


def _must_vouch(event: Any, heads: dict[str, Any], target: str) -> None:
    head = heads.get(event["id"], {}) if event else {}
    _must(head.get("target") == target and event["salt"], f"an event vouches for {target}")
    payload = {name: event[name] for name in ("details", "evidence", "reason")}
    digest = _sha256(bytes.fromhex(event["salt"]) + _canonical(payload))
    _must(digest == head["payload_digest"], f"event {event['id']} is as it was recorded")


def _verify_documents(archive: zipfile.ZipFile) -> set[str]:
    digests = {""}  # of a record that is flagged: its version was not one of ours
    for shown in _lines(archive, "documents.jsonl"):
        parts = {name: shown[name] for name in ("title", "text", "acknowledgments")}
        parts["text"] = parts["text"].replace("\r\n", "\n").replace("\r", "\n")
        form = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = _sha256(unicodedata.normalize("NFC", form).encode())
        _must(digest == shown["sha256"], f"the text {shown['version']} is the one with its digest")
        digests.add(digest)
    return digests


def _verify_records(archive: zipfile.ZipFile, heads: dict[str, Any], texts: set[str]) -> set[str]:
    targets = set()
    for entry in _lines(archive, "records.jsonl"):
        record, event, target = entry["record"], entry["event"], f"consent:{entry['record']['id']}"
        _must_vouch(event, heads, target)
        content = {column: record.get(column) for column in event["evidence"]["columns"]}
        digest = _sha256(bytes.fromhex(event["salt"]) + _canonical(content))
        _must(digest == event["evidence"]["digest"], f"{target} is as it was recorded")
        _must(record["document_sha256"] in texts, f"the text of {target} is there")
        targets.add(target)
    return targets


def _has(archive: zipfile.ZipFile, name: str) -> bool:
    return f"{name}.jsonl" in archive.namelist()


def _verify_events(archive: zipfile.ZipFile, heads: dict[str, Any]) -> int:
    count = 0
    for event in _lines(archive, "events.jsonl"):
        count += 1
        if event["salt"]:  # else its payload was erased under a rule; its head stands in the chain
            _must_vouch(event, heads, event["target"])
    return count


def _verify_removals(archive: zipfile.ZipFile, heads: dict[str, Any]) -> dict[str, str]:
    """Return by target the rule under which a record was purged."""
    rules: dict[str, str] = {}
    for event in _lines(archive, "removals.jsonl"):
        _must_vouch(event, heads, f"rule:{event['details']['rule']}")
        rules.update(dict.fromkeys(event["details"].get("targets", ()), event["details"]["rule"]))
    return rules


if __name__ == "__main__":
    verify(*sys.argv[1:])
