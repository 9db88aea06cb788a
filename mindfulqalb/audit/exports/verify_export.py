"""Verify an export of evidence, or a client's receipt, without trusting the server that made it.

    python verify_export.py export.zip public-key.pem

Needs Python >= 3.9 and `cryptography`. Get the public key apart from the file (at /api/audit/keys, or in person); the
key file may hold several. Exit status 0: all that is printed was proven; 1: it does not hold, and why.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

PEM = re.compile(b"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def verify(path: str, key_file: str) -> None:
    """Verify everything, or end with what does not hold."""
    try:
        keys = [load_pem_public_key(block + b"\n") for block in PEM.findall(Path(key_file).read_bytes())]
        known = {_sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:16]: key for key in keys}
        proven = _verify_export(path, known) if is_zipfile(path) else _verify_receipt(path, known)
    except Exception as error:  # noqa: BLE001  (whatever a changed file breaks)
        sys.exit(f"DOES NOT HOLD: the file can be read ({error!r})")
    sys.stdout.write(proven)


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
    heads = _read_chain(archive, checkpoint, ("consent:", "rule:", "export:") if is_of_consents else ("",))
    _must(manifest["event_id"] in heads, "the export itself is on record")
    rules: dict[str, str] = {}  # by target, the rule under which it was purged
    for event in _lines(archive, "removals.jsonl"):
        _must_vouch(event, heads, f"rule:{event['details']['rule']}")
        rules.update(dict.fromkeys(event["details"].get("targets", ()), event["details"]["rule"]))
    # A record that is flagged names no text: its version was not one of ours.
    texts = {"", *(_text_digest(text) for text in _lines(archive, "documents.jsonl"))}
    shown = {_verify_record(entry, heads, texts) for entry in _lines(archive, "records.jsonl")}
    events = sum(_verify_event(event, heads) for event in _lines(archive, "events.jsonl"))
    missing = {target for target, _ in heads.values() if target.startswith("consent:")} - shown - set(rules)
    is_whole = is_of_consents and not manifest["filters"]
    _must(not (is_whole and missing), f"nothing is missing, such as {sorted(missing)[:1]}")
    purged = (f"{count} under rule {rule}" for rule, count in sorted(Counter(rules.values()).items()))
    return (
        f"Filters: {manifest['filters'] or 'none'}. Records not in this export: {len(missing)}.\n"
        f"Records purged: {', '.join(purged) or 'none'}.\n"
        f"VERIFIED: {len(shown)} records, {events} events in full. The trail of {checkpoint['sequence']} events was\n"
        f"neither altered nor cut, as signed at {checkpoint['signed_at']} by key {checkpoint['key_id']}.\n"
    )


def _read_chain(archive: ZipFile, checkpoint: Any, kept: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Recompute every link of the trail; return by id the targets and payload digests of the events to look at."""
    count, link, heads = 0, "0" * 64, {}
    for entry in _lines(archive, "chain.jsonl"):
        count, head = count + 1, entry["head"]
        _must(head and entry["sequence"] == count, f"event {count} of the trail is there")
        link = _sha256(f"{count} {link} {_sha256(_canonical(head))}".encode())
        if head["target"].startswith(kept):
            heads[head["id"]] = (head["target"], head["payload_digest"])
    end = (checkpoint["sequence"], checkpoint["chain_digest"])
    _must((count, link) == end, "the trail is the one that the checkpoint was signed over")
    return heads


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


def _verify_event(event: Any, heads: dict[str, tuple[str, str]]) -> int:
    if event["salt"]:  # else its payload was erased under a rule; its head stands in the chain
        _must_vouch(event, heads, event["target"])
    return 1


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
    verify(*sys.argv[1:])
