from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.catalogue.queries import UnknownSession
from mindfulqalb.catalogue.services import load_default_catalogue
from mindfulqalb.catalogue.showing import found_lately, offer_on_show

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    load_default_catalogue(therapist_name="Dr. Asha")


def test_offer_on_show_is_asked_for_once_in_a_while(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first = found_lately("individual", "video", 1)
    SessionOffer.objects.filter(id=first.id).update(title="Another title")

    with django_assert_num_queries(0):
        again = found_lately("individual", "video", 1)
        _ = again.therapist.name

    assert (again.title, found_lately("individual", "video", 2).title) == (first.title, "Another title")


def test_offer_that_is_unknown_is_looked_for_again() -> None:
    SessionOffer.objects.update(is_active=False)
    with pytest.raises(UnknownSession):
        offer_on_show(session_type="individual", session_format="video")
    SessionOffer.objects.update(is_active=True)

    assert offer_on_show(session_type="individual", session_format="video").code == "individual-video"
