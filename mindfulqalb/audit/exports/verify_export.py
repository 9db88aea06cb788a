"""Verify an export of evidence, or a client's receipt, without trusting the server that made it.

    python verify_export.py export.zip public-key.pem

Needs Python >= 3.9 and `cryptography`. Get the public key apart from the file (in person, or the answer of
/api/audit/keys as it is); the key file may hold several. Exit status 0: all that is printed was proven; 1: it does not
hold, and why; 2: nothing was looked at, and why.
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

FORMAT, FIRST = 2, 10
PEM = re.compile(b"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def verify(path: str, key_file: str) -> None:
    """Verify everything, or end with what does not hold."""
    keys = _read_keys(key_file)
    try:
        proven = _verify_export(path, keys) if is_zipfile(path) else _verify_receipt(path, keys)
    except Exception as error:  # noqa: BLE001  (whatever a changed file breaks)
        sys.exit(f"DOES NOT HOLD: the file can be read ({error!r})")
    sys.stdout.write(proven)


def _must(holds: object, sentence: str) -> None:
    if not holds:
        sys.exit(f"DOES NOT HOLD: {sentence}")


def _stop(sentence: str) -> Any:
    sys.stderr.write(f"NOTHING VERIFIED: {sentence}\n")
    sys.exit(2)


def _read_keys(key_file: str) -> dict[str, Any]:
    """Read PEM, also within JSON, which writes an end of line as a backslash and an n."""
    try:
        blocks = PEM.findall(Path(key_file).read_bytes().replace(rb"\n", b"\n"))
        keys = [load_pem_public_key(block + b"\n") for block in blocks]
        known = {_sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:16]: key for key in keys}
    except (OSError, ValueError, TypeError) as error:
        _stop(f"the key file holds no usable key ({error})")
    return known or _stop("the key file holds no usable key")


def _must_be_signed(name: str, statement: Any, signature: str, keys: dict[str, Any]) -> None:
    key_id = statement["key_id"]
    _must(key_id in keys, f"{name} is signed by a key of yours, and not by {key_id}")
    _must(bytes.fromhex(signature).hex() == signature, f"the signature of {name} is one")
    try:
        keys[key_id].verify(bytes.fromhex(signature), _canonical(statement))
    except InvalidSignature:
        _must(False, f"{name} is as it was signed")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _salted(salt: str, value: Any) -> str:
    return _sha256(bytes.fromhex(salt) + _canonical(value))


def _verify_export(path: str, keys: dict[str, Any]) -> str:
    with ZipFile(path) as archive:
        manifest = _verify_signatures(path, archive, keys)
        # A record that is flagged names no text: its version was not one of ours.
        texts = {"", *map(_text_digest, _lines(archive, manifest, "documents.jsonl"))}
        trail = Trail(manifest, texts)
        for entry in _lines(archive, manifest, "trail.jsonl"):
            trail.follow(entry)
        for stray in _lines(archive, manifest, "strays.jsonl"):
            _must(False, f"an event vouches for {stray}")
        return trail.end()


def _verify_signatures(path: str, archive: ZipFile, keys: dict[str, Any]) -> Any:
    """Return the manifest. The archive's comment, which ends the file, signs every byte before it."""
    certificate = json.loads(archive.read("manifest.json"))
    manifest, checkpoint = certificate["manifest"], certificate["manifest"]["checkpoint"]
    digest, left = hashlib.sha256(), Path(path).stat().st_size - len(archive.comment)
    with Path(path).open("rb") as file:
        while chunk := file.read(min(left, 1 << 14)):
            digest.update(chunk)
            left -= len(chunk)
    signed = {"archive": digest.hexdigest(), "key_id": manifest["key_id"]}
    _must_be_signed("the manifest", manifest, certificate["signature"], keys)
    _must_be_signed("the checkpoint", checkpoint["statement"], checkpoint["signature"], keys)
    _must_be_signed("the archive", signed, archive.comment.decode(), keys)
    if manifest.get("format", 1) != FORMAT:
        _stop(f"this reads format {FORMAT}; for {manifest.get('format', 1)} take the verify_export.py in the archive")
    return manifest


def _lines(archive: ZipFile, manifest: Any, name: str) -> Any:
    if name in manifest["files"]:
        digest = hashlib.sha256()
        with archive.open(name) as file:
            for line in file:
                digest.update(line)
                yield json.loads(line)
        _must(digest.hexdigest() == manifest["files"][name]["sha256"], f"{name} is as in the manifest")


def _text_digest(shown: Any) -> str:
    parts = {name: shown[name] for name in ("title", "text", "acknowledgments")}
    parts["text"] = parts["text"].replace("\r\n", "\n").replace("\r", "\n")
    form = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = _sha256(unicodedata.normalize("NFC", form).encode())
    _must(digest == shown["sha256"], f"the text {shown['version']} is the one with its digest")
    return digest


class Trail:
    """Every event in order, each with what the export shows of it. Only names of what is missing as yet are kept."""

    def __init__(self, manifest: Any, texts: set[str]) -> None:
        """Begin before the first event."""
        self.manifest, self.texts, self.is_of_consents = manifest, texts, manifest["subject"] == "consents"
        self.count, self.link, self.shown, self.is_on_record = 0, "0" * 64, 0, False
        self.missing: dict[str, str] = {}  # within the period and neither shown nor, up to here, purged
        self.elsewhere: Counter[str] = Counter()  # by place, what the period or another filter leaves out
        self.first_elsewhere: list[str] = []
        self.purged: Counter[str] = Counter()  # by rule

    def follow(self, entry: Any) -> None:
        """Compute the next link anew, and hold what is shown against its head."""
        self.count, head = self.count + 1, entry["head"]
        _must(head and entry["sequence"] == self.count, f"event {self.count} of the trail is there")
        self.link = _sha256(f"{self.count} {self.link} {_sha256(_canonical(head))}".encode())
        self.is_on_record |= head["id"] == self.manifest["event_id"]
        if "payload" in entry:
            digest = _salted(entry["salt"], entry["payload"])
            _must(digest == head["payload_digest"], f"event {head['id']} is as it was recorded")
        if "record" in entry:
            self._verify_record(entry)
        self._note_whether_shown(entry)
        if "payload" in entry and head["target"].startswith("rule:"):
            self._note_removal(head, entry["payload"]["details"])

    def _verify_record(self, entry: Any) -> None:
        record, payload, target = entry["record"], entry.get("payload"), f"consent:{entry['record']['id']}"
        is_vouched_for = payload and payload["evidence"] and entry["head"]["target"] == target
        _must(is_vouched_for, f"an event vouches for {target}")
        content = {column: record.get(column) for column in payload["evidence"]["columns"]}
        digest = _salted(entry["salt"], content)
        _must(digest == payload["evidence"]["digest"], f"{target} is as it was recorded")
        _must(record["document_sha256"] in self.texts, f"the text of {target} is there")

    def _note_whether_shown(self, entry: Any) -> None:
        """Each act of consent has to be shown, in an export of events each event; other heads are links and no more."""
        head, period = entry["head"], self.manifest["period"]
        time, name = head["occurred_at"], head["target"] if self.is_of_consents else head["id"]
        place = "before" if time < period["from"] else "after" if time >= (period["before"] or "~") else "within"
        if ("record" if self.is_of_consents else "payload") in entry:
            self.shown += 1
        elif self.is_of_consents and not (name.startswith("consent:") and head["action"].startswith("consent.")):
            return
        elif place == "within" and not self.manifest["filters"]:
            self.missing[name] = time
        else:
            self.elsewhere[place] += 1
            if len(self.first_elsewhere) < FIRST:
                self.first_elsewhere.append(f"- {name} of {time}: {place} the period\n")

    def _note_removal(self, head: Any, details: Any) -> None:
        _must(head["target"] == f"rule:{details['rule']}", f"event {head['id']} names the rule that it is about")
        for name in (*details.get("targets", ()), *details.get("events", ())):
            self.missing.pop(name, None)
        self.purged[details["rule"]] += len(details.get("targets", ()))

    def end(self) -> str:
        """Hold the end against the checkpoint, and say what was proven."""
        manifest, checkpoint = self.manifest, self.manifest["checkpoint"]["statement"]
        end = (checkpoint["sequence"], checkpoint["chain_digest"])
        _must((self.count, self.link) == end, "the trail is the one that the checkpoint was signed over")
        _must(self.is_on_record, "the export itself is on record")
        _must(not self.missing, f"nothing is missing within the period, such as {list(self.missing)[:1]}")
        purged = ", ".join(f"{count} under rule {rule}" for rule, count in sorted(self.purged.items()) if count)
        return (
            f"{manifest['subject']} taken by {manifest['exported_by']} ({manifest['exported_by_name'] or 'no name'}), "
            f"because: {manifest['reason']}\n{self._completeness()}Records purged: {purged or 'none'}.\n"
            f"VERIFIED: {self.shown} {manifest['subject']} in full. The trail of {self.count} events was neither\n"
            f"altered nor cut, as signed at {checkpoint['signed_at']} by key {checkpoint['key_id']}.\n"
        )

    def _completeness(self) -> str:
        """Of what other filters than the period took away, heads cannot tell."""
        filters, period = self.manifest["filters"], self.manifest["period"]
        span = f"from {period['from'] or 'the beginning'} to before {period['before'] or 'the export'}"
        others = ", ".join(f"{count} {place} the period" for place, count in self.elsewhere.items())
        return (
            f"Filters: {', '.join(f'{name} {value}' for name, value in sorted(filters.items())) or 'none'}. "
            f"Not in this export: {others or 'nothing'}.\n"
            + (f"Completeness NOT proven: filtered by {', '.join(sorted(filters))}.\n" if filters else "")
            + ("" if filters else f"Complete for its period, {span}.\n")
            + ("" if self.shown else "THE EXPORT IS EMPTY. The first of what is not in it:\n")
            + ("" if self.shown else "".join(self.first_elsewhere))
        )


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
