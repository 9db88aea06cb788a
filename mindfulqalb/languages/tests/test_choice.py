"""Which language an answer speaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import translation

from mindfulqalb.languages.choice import supported_language

if TYPE_CHECKING:
    from django.test import Client

HINDI_BROWSER = {"accept-language": "hi-IN,hi;q=0.9,en;q=0.5"}
BOOK = {"en": "Book an appointment", "hi": "अपॉइंटमेंट बुक करें"}


def _spoken(response: Any) -> tuple[str, list[str]]:
    """What the header says, and the page."""
    return response["Content-Language"], re.findall(r'<html lang="(\w+)">', response.content.decode())


@pytest.mark.parametrize(
    ("code", "language"),
    [("hi", "hi"), ("hi-IN", "hi"), ("en-US", "en"), ("fr", None), ("", None), (None, None), ("../../etc", None)],
)
def test_supported_language_is_found(code: str | None, language: str | None) -> None:
    assert supported_language(code) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [("hi-IN,hi;q=0.9,en;q=0.5", "hi"), ("en-IN,hi;q=0.9", "en"), ("ta,fr;q=0.9", "en"), ("", "en"), ("x" * 900, "en")],
)
def test_page_speaks_the_browsers_language(client: Client, header: str, language: str) -> None:
    response = client.get("/", headers={"accept-language": header})

    assert _spoken(response) == (language, [language])
    assert BOOK[language] in response.content.decode()


def test_page_is_not_kept_for_readers_of_another_language(client: Client) -> None:
    assert {"Accept-Language", "Cookie"} <= set(client.get("/")["Vary"].split(", "))


def test_switch_wins_over_the_browser_and_lasts(client: Client) -> None:
    switched = client.get("/?lang=en", headers=HINDI_BROWSER)
    later = client.get("/", headers=HINDI_BROWSER)

    assert [_spoken(answer)[0] for answer in (switched, later)] == ["en", "en"]
    cookie = switched.cookies["language"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["path"]) == ("en", True, "Lax", "/")


def test_switch_keeps_the_rest_of_the_address(client: Client) -> None:
    page = client.get("/?session=individual-video&payment=pay_1").content.decode()

    assert '<a href="?session=individual-video&amp;payment=pay_1&amp;lang=hi" lang="hi" hreflang="hi">हिन्दी</a>' in page


@pytest.mark.parametrize("lang", ["xx", "", "%00", "hi%0d%0aSet-Cookie: a=b"])
def test_switch_to_what_we_do_not_speak_does_nothing(client: Client, lang: str) -> None:
    response = client.get(f"/?lang={lang}")

    assert (_spoken(response)[0], list(response.cookies)) == ("en", [])


def test_visitor_who_never_switches_gets_no_cookie(client: Client) -> None:
    assert list(client.get("/", headers=HINDI_BROWSER).cookies) == []


def test_unknown_address_is_answered_in_the_visitors_language(client: Client) -> None:
    response = client.get("/nowhere", headers=HINDI_BROWSER)

    assert (response.status_code, _spoken(response)) == (404, ("hi", ["hi"]))


def test_api_refuses_in_the_callers_language(client: Client) -> None:
    answers = [client.get("/api/nowhere", headers=headers).json() for headers in (HINDI_BROWSER, {})]

    assert [answer["error"] for answer in answers] == ["इस पते पर कुछ नहीं है।", "There is nothing at this address."]
    assert [answer["code"] for answer in answers] == ["not_found", "not_found"]


@pytest.mark.django_db
def test_fields_are_refused_in_the_callers_language(client: Client) -> None:
    answer = client.post("/api/availability", {}, content_type="application/json", headers=HINDI_BROWSER).json()

    assert answer["fields"]["sessionType"] == ["यह जानकारी ज़रूरी है।"]


@pytest.mark.django_db
def test_staff_work_in_english(client: Client) -> None:
    assert _spoken(client.get("/admin/login/", headers=HINDI_BROWSER))[0] == "en"


def test_one_visitors_language_does_not_reach_the_next(client: Client) -> None:
    before = translation.get_language()
    client.get("/", headers=HINDI_BROWSER)

    assert (translation.get_language(), _spoken(client.get("/"))[0]) == (before, "en")
