"""Actions that ask before they act, on any model: the catalogue's offers stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import RequestFactory

from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.catalogue.tests.builders import make_offer
from mindfulqalb.staff.confirmation import LINES_SHOWN, Question, ask_first, is_confirmed
from mindfulqalb.staff.tests.builders import make_superuser

if TYPE_CHECKING:
    from django.http import HttpRequest

pytestmark = pytest.mark.django_db

QUESTION = Question(title="Close", text="These are closed:", yes="Yes, close", line=lambda offer: f"<{offer.code}>")


def post(**data: str) -> HttpRequest:
    """A superuser's click."""
    request = RequestFactory().post("/admin/catalogue/sessionoffer/", data)
    request.user = make_superuser()
    SessionMiddleware(lambda _: None).process_request(request)  # type: ignore[arg-type]
    return request


def asked(rows: list[Any]) -> str:
    model_admin: Any = admin.site.get_model_admin(SessionOffer)
    page = ask_first(model_admin, post(), rows, QUESTION, action="close").render()
    return str(page.content, "utf-8")


def test_question_lists_what_will_happen_and_carries_the_choice_along() -> None:
    chosen = [make_offer(), make_offer(format="audio", is_default=False)]

    html = asked(chosen)

    lines = [
        "<li>&lt;individual-video&gt;</li>",
        "<li>&lt;individual-audio&gt;</li>",
        "These are closed:",
        "Yes, close",
    ]
    fields = [f'name="_selected_action" value="{offer.id}"' for offer in chosen]
    parts = ['name="action" value="close"', 'name="confirmed" value="yes"', 'name="key" value="']
    assert [html.count(part) for part in (*lines, *fields, *parts)] == [1] * 9


def test_question_about_many_rows_counts_those_that_it_does_not_list() -> None:
    html = asked([make_offer()] * (LINES_SHOWN + 7))

    listed = html.count("<li>&lt;individual-video&gt;</li>")
    assert (listed, "… and 7 more" in html, html.count('name="_selected_action"')) == (50, True, 57)


@pytest.mark.parametrize(("word", "is_yes"), [("yes", True), ("no", False), ("", False), ("YES", False)])
def test_only_a_plain_yes_is_one(word: str, is_yes: bool) -> None:
    assert is_confirmed(post(confirmed=word)) is is_yes
