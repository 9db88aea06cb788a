"""`GET /api/catalogue`, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.catalogue.services import load_default_catalogue
from mindfulqalb.catalogue.tests.builders import make_offer, make_price

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def session(kind: str, session_format: str, title: str, minutes: int, rupees: int, dollars: int) -> dict[str, Any]:
    return {
        "code": f"{kind}-{session_format}",
        "sessionType": kind,
        "format": session_format,
        "title": title,
        "durationMinutes": minutes,
        "prices": [
            {"currency": "INR", "amount": rupees * 100, "payWith": "razorpay"},
            {"currency": "USD", "amount": dollars * 100, "payWith": "stripe"},
        ],
        "therapist": "Dr. Asha",
    }


def test_catalogue_answers_with_all_that_a_booking_page_needs(api: APIClient, settings: Settings) -> None:
    settings.HELPLINES = [{"name": "Tele-MANAS", "phone": "14416"}]
    load_default_catalogue(therapist_name="Dr. Asha")

    response = api.get("/api/catalogue")

    assert (response.status_code, response.json()) == (
        200,
        {
            "practice": {
                "name": "MindfulQALB",
                "timeZone": "Asia/Kolkata",
                "helplines": [{"name": "Tele-MANAS", "phone": "14416"}],
            },
            "sessions": [
                session("individual", "chat", "Individual session", 30, 499, 6),
                session("individual", "audio", "Individual session", 45, 899, 11),
                session("individual", "video", "Individual session", 60, 1299, 16),
                session("couples", "audio", "Couples session", 60, 1499, 18),
                session("couples", "video", "Couples session", 90, 1999, 24),
                session("family", "audio", "Family session", 60, 1699, 21),
                session("family", "video", "Family session", 90, 2499, 30),
                {
                    "code": "free",
                    "sessionType": "free",
                    "format": "audio",
                    "title": "Free first call",
                    "durationMinutes": 15,
                    "prices": [],
                    "therapist": "Dr. Asha",
                },
            ],
            "cancellation": None,
        },
    )


def test_catalogue_leaves_out_what_is_not_sold(api: APIClient) -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    SessionOffer.objects.exclude(session_type="couples", format="audio").update(is_active=False)

    assert [offer["code"] for offer in api.get("/api/catalogue").json()["sessions"]] == ["couples-audio"]


def test_catalogue_never_shows_a_paid_session_without_price(api: APIClient) -> None:
    make_offer()
    make_offer(session_type="free", format="audio")

    assert [offer["code"] for offer in api.get("/api/catalogue").json()["sessions"]] == ["free"]


def test_catalogue_of_a_practice_that_sells_nothing_is_empty(api: APIClient) -> None:
    assert api.get("/api/catalogue").json()["sessions"] == []


@pytest.mark.parametrize("item_count", [1, 3])
def test_catalogue_is_read_in_a_fixed_number_of_queries(
    item_count: int, api: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for session_format in ("chat", "audio", "video")[:item_count]:
        offer = make_offer(format=session_format, is_default=False)
        make_price(offer)
        make_price(offer, "USD", 1600)

    with django_assert_num_queries(2):
        response = api.get("/api/catalogue")

    assert [len(offer["prices"]) for offer in response.json()["sessions"]] == [2] * item_count


def test_catalogue_is_only_read(api: APIClient) -> None:
    response = api.post("/api/catalogue", {"sessions": []})

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


def test_catalogue_is_counted_per_address(api: APIClient, settings: Settings) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"read": "2/m"}

    statuses = [api.get("/api/catalogue").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_catalogue_says_what_cancelling_a_session_at_a_time_gives_back(api: APIClient) -> None:
    load_default_catalogue(therapist_name="Dr. Asha")

    answer = api.get("/api/catalogue", {"date": "2099-12-04", "time": "4:00 PM"}).json()["cancellation"]

    assert answer == {
        "text": "Cancel until Thu 3 Dec, 4:00 PM: all of it back; after that half.",
        "steps": [
            {"until": "2099-12-03T10:30:00Z", "refundPercent": 100},
            {"until": "2099-12-04T10:30:00Z", "refundPercent": 50},
        ],
    }


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"date": "2099-12-04"}, "time"),
        ({"time": "4:00 PM"}, "date"),
        ({"date": "soon", "time": "4:00 PM"}, "date"),
        ({"date": "0001-01-01", "time": "00:00"}, "date"),
        ({"date": "9999-12-31", "time": "23:59"}, "date"),
        ({"date": "2099-12-04", "time": "late"}, "time"),
    ],
)
def test_catalogue_wants_a_day_and_a_time_or_neither(asked: dict[str, str], field: str, api: APIClient) -> None:
    response = api.get("/api/catalogue", asked)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
