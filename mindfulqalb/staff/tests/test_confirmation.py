"""Actions that ask before they act, on any model: the catalogue's offers stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import RequestFactory

from mindfulqalb.api.errors import Refusal
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.catalogue.tests.builders import make_offer
from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
from mindfulqalb.staff.tests.builders import make_superuser

if TYPE_CHECKING:
    from django.http import HttpRequest

pytestmark = pytest.mark.django_db

QUESTION = Question(
    action="close", title="Close", text="These are closed:", yes="Yes, close", line=lambda offer: f"<{offer.code}>"
)


def post(**data: str) -> HttpRequest:
    """A superuser's click."""
    request = RequestFactory().post("/admin/catalogue/sessionoffer/", data)
    request.user = make_superuser()
    for middleware in (SessionMiddleware, MessageMiddleware):
        middleware(lambda _: None).process_request(request)  # type: ignore[arg-type]
    return request


def offers_admin() -> Any:
    return admin.site._registry[SessionOffer]


def said(request: HttpRequest) -> list[tuple[str, str]]:
    return [(message.level_tag, str(message)) for message in get_messages(request)]


def test_question_lists_what_will_happen_and_carries_the_choice_along() -> None:
    chosen = [make_offer(), make_offer(format="audio", is_default=False)]

    page = ask_first(offers_admin(), post(action="close"), SessionOffer.objects.order_by("-format"), QUESTION)

    assert page is not None
    html = page.render().content.decode()
    lines = [
        "<li>&lt;individual-video&gt;</li>",
        "<li>&lt;individual-audio&gt;</li>",
        "These are closed:",
        "Yes, close",
    ]
    fields = [f'name="_selected_action" value="{offer.id}"' for offer in chosen]
    asked = ['name="action" value="close"', 'name="confirmed" value="yes"']
    assert [html.count(part) for part in (*lines, *fields, *asked)] == [1] * 8


@pytest.mark.parametrize(("word", "is_asked"), [("yes", False), ("no", True), ("", True), ("YES", True)])
def test_only_a_plain_yes_is_one(word: str, is_asked: bool) -> None:
    make_offer()

    page = ask_first(offers_admin(), post(confirmed=word), SessionOffer.objects.all(), QUESTION)

    assert (page is not None) is is_asked


def test_one_that_is_refused_does_not_stop_the_others() -> None:
    for name in ("video", "audio", "chat"):
        make_offer(format=name, is_default=False)
    request, closed = post(), []

    def close(offer: SessionOffer) -> None:
        if offer.format == "audio":
            raise Refusal("Still needed.")
        closed.append(offer.format)

    act_on_each(offers_admin(), request, SessionOffer.objects.order_by("-format"), close, done="Offers closed")

    assert (closed, said(request)) == (
        ["video", "chat"],
        [("warning", "individual-audio: Still needed."), ("success", "Offers closed: 2.")],
    )


def test_nothing_done_is_not_called_done() -> None:
    request = post()

    act_on_each(offers_admin(), request, [], lambda _: None, done="Offers closed")

    assert said(request) == []
