"""Whatever a client may read is there in every language, and means the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import polib
import pytest

from mindfulqalb.development.translations import catalogs, translatable

if TYPE_CHECKING:
    from pathlib import Path

CATALOGS = list(catalogs())
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|\{\w+\}|https?://\S+|[\w.]+@[\w.]+")
LEFT_AS_THEY_ARE = {"{heading} \N{EN DASH} {page}"}


@pytest.fixture(scope="module")
def sentences() -> dict[tuple[str, str], set[str]]:
    return translatable()


def _pairs(path: Path) -> list[tuple[str, str]]:
    """Each sentence beside what is said for it, one and many."""
    entries = polib.pofile(str(path))
    # The first form speaks of one, and may leave the number out as English does.
    plurals = [
        (entry.msgid_plural if number else entry.msgid, text)
        for entry in entries
        for number, text in entry.msgstr_plural.items()
    ]
    return [(entry.msgid, entry.msgstr) for entry in entries if not entry.msgid_plural] + plurals


def test_sentences_are_collected_from_pages_mails_scripts_and_refusals(
    sentences: dict[tuple[str, str], set[str]],
) -> None:
    places = {
        "Book an appointment": "templates/booking/page.html",
        "Hello %(customer_first_name)s,": "templates/emails/base.txt",
        "Step {number} of {count}": "templates/booking/_texts.html",
        "This refund has not failed.": "payments/refunds.py",
        "This time has passed.": "bookings/wishes.py",
        "Please give a name.": "mindfulqalb/api/fields.py",
        "Nothing was paid, so nothing has to go back.": "bookings/pages.py",
    }

    assert {sentence: place in sentences[sentence, ""] for sentence, place in places.items()} == dict.fromkeys(
        places, True
    )


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])
def test_catalog_says_every_sentence_and_no_other(path: Path, sentences: dict[tuple[str, str], set[str]]) -> None:
    entries = polib.pofile(str(path))

    assert [entry.msgid for entry in entries if not entry.translated()] == []  # a fuzzy one is not
    assert {(entry.msgid, entry.msgid_plural) for entry in entries} ^ set(sentences) == set(), (
        "run: manage.py translations"
    )


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])
def test_catalog_keeps_placeholders(path: Path) -> None:
    differing = [
        sentence
        for sentence, said in _pairs(path)
        if Counter(PLACEHOLDER.findall(sentence)) != Counter(PLACEHOLDER.findall(said))
    ]

    assert differing == []


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])
def test_catalog_is_written_in_its_script(path: Path) -> None:
    latin = [sentence for sentence, said in _pairs(path) if not re.search("[\u0900-\u097f]", said)]

    assert set(latin) == LEFT_AS_THEY_ARE


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parts[-3])
def test_compiled_catalog_is_the_written_one(path: Path) -> None:
    written = polib.pofile(str(path))
    compiled = polib.mofile(str(path.with_suffix(".mo")))

    facts = [{entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in entries} for entries in (compiled, written)]
    assert facts[0] == facts[1]
    assert written.to_binary() == path.with_suffix(".mo").read_bytes()
