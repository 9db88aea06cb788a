"""What there is to translate, and the catalogs that say it in other languages."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import polib
from django.conf import settings
from django.template import engines
from django.template.base import Node, Template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Path = settings.BASE_DIR
PACKAGES = ("mindfulqalb", "payments", "consent", "bookings")
# Staff work in English; tests, sandbox and development speak to nobody.
NOT_FOR_CLIENTS = {
    *("tests", "sandbox", "development", "migrations", "admin.py", "admin"),
    *("staff", "audit", "bulk_actions", "outbox", "retention", "subject_requests"),
}
TO_STAFF = ("_staff.", "ledger.")  # in the names of mails to them
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop"}
# Of a refusal, the sentence and what it says of fields are translated when it is answered.
SENTENCE, FIELDS = "sentence", "fields"
# The helplines as shipped, and what the frameworks say to clients in no Hindi or in a misspelt one.
FROM_ELSEWHERE = (
    "Tele-MANAS (24 hours, free)",
    "Tele-MANAS, second line",
    "Emergency",
    "This field is required.",
    "This field may not be null.",
    "This field may not be blank.",
    "Enter a valid URL.",
    '"{input}" is not a valid choice.',
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


Sentence = tuple[str, str]  # the second is its plural, or ""


def translatable() -> dict[Sentence, set[str]]:
    """Every sentence that clients may read, and the files that say it."""
    found: dict[Sentence, set[str]] = {}
    for file, sentence in (*_in_templates(), *_in_code(), *((Path(__file__), (said, "")) for said in FROM_ELSEWHERE)):
        found.setdefault(sentence, set()).add(str(file.relative_to(ROOT)))
    return found


def catalogs() -> Iterator[Path]:
    """The catalog of every language but English, in which the sentences are written."""
    for code, _ in settings.LANGUAGES:
        if code != settings.LANGUAGE_CODE:
            yield Path(settings.LOCALE_PATHS[0]) / code / "LC_MESSAGES" / "django.po"


def refresh(path: Path) -> list[str]:
    """Bring a catalog up to date, compile it, and return what it does not say yet."""
    catalog = polib.pofile(str(path))
    known = {(entry.msgid, entry.msgid_plural): entry for entry in catalog}
    fresh = polib.POFile(wrapwidth=110)
    fresh.metadata = catalog.metadata
    for sentence, files in sorted(translatable().items(), key=lambda pair: (sorted(pair[1]), pair[0])):
        entry = known.get(sentence) or _untranslated(*sentence)
        entry.occurrences = [(file, "") for file in sorted(files)]
        fresh.append(entry)
    fresh.save(str(path))
    fresh.save_as_mofile(str(path.with_suffix(".mo")))
    return [entry.msgid for entry in fresh if not entry.translated()]


def _untranslated(singular: str, plural: str) -> polib.POEntry:
    if plural:
        return polib.POEntry(msgid=singular, msgid_plural=plural, msgstr_plural={0: "", 1: ""})
    return polib.POEntry(msgid=singular)


def _in_templates() -> Iterator[tuple[Path, Sentence]]:
    folder = ROOT / "templates"
    for file in sorted({*folder.rglob("*.html"), *folder.rglob("*.txt")}):
        if NOT_FOR_CLIENTS.isdisjoint(file.relative_to(folder).parts) and not any(
            mark in file.name for mark in TO_STAFF
        ):
            template = Template(file.read_text(), engine=engines["django"].engine)  # type: ignore[attr-defined]
            yield from ((file, sentence) for sentence in _sentences(template))


def _sentences(template: Template) -> Iterator[Sentence]:
    for node in template.nodelist.get_nodes_by_type(Node):
        if isinstance(node, BlockTranslateNode):
            yield node.render_token_list(node.singular)[0], node.render_token_list(node.plural)[0]
        elif isinstance(node, TranslateNode) and isinstance(said := node.filter_expression.var.literal, str):
            yield said.replace("%", "%%"), ""


def _in_code() -> Iterator[tuple[Path, Sentence]]:
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        if NOT_FOR_CLIENTS.isdisjoint(file.relative_to(ROOT).parts):
            for node in ast.walk(ast.parse(file.read_text())):
                yield from ((file, (sentence, "")) for sentence in _said_by(node))


def _said_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(sentence)), *_]) if name in MARKS:
            yield sentence
        case ast.ClassDef(body=body):
            for line in body:
                yield from _of_refusal(line)
        case ast.keyword(arg=name, value=ast.Dict(values=values)) if name == FIELDS:
            for value in values:
                yield from _constants(value)


def _of_refusal(line: ast.stmt) -> Iterator[str]:
    match line:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == SENTENCE:
            yield from _constants(value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(sentence))) if name == SENTENCE:
            yield sentence


def _constants(value: ast.expr) -> Iterator[str]:
    for node in [value] if isinstance(value, ast.Constant) else getattr(value, "elts", []):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
