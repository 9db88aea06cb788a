from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from payments.return_urls import ForeignReturnUrl, own_return_url, success_url_of

if TYPE_CHECKING:
    from pytest_django import Settings

SITE = "https://mindful.example"
MARK = "{CHECKOUT_SESSION_ID}"


@pytest.fixture(autouse=True)
def _origins(settings: Settings) -> None:
    settings.SITE_URL = SITE
    settings.CHECKOUT_RETURN_ORIGINS = ["https://www.mindful.example"]
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:5173"]


@pytest.mark.parametrize(
    "url",
    [
        SITE,
        f"{SITE}/",
        f"{SITE}/booking/done?step=4&x=https://evil.example#paid",
        f"{SITE}?next=//evil.example",
        f"{SITE}#@evil.example",
        "https://www.mindful.example/done",
        "http://localhost:5173/done",
    ],
)
def test_our_own_addresses_pass_unchanged(url: str) -> None:
    assert own_return_url(url, field="cancelUrl") == url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        # somebody else's name with ours in it
        "https://mindful.example.evil.example/",
        "https://evilmindful.example/",
        "https://evil.example/mindful.example",
        "https://evil.example?https://mindful.example",
        "https://evil.example#https://mindful.example",
        # user information
        "https://mindful.example@evil.example/",
        "https://mindful.example:443@evil.example/",
        "https://user:password@mindful.example/",
        "https://@mindful.example/",
        # browsers take a backslash for a slash
        "https://mindful.example\\@evil.example/",
        "https://mindful.example\\.evil.example/",
        "https://evil.example\\@mindful.example/",
        "https:\\\\evil.example/",
        "https://mindful.example/\\evil.example",
        # no scheme, or not one of the web
        "//mindful.example/done",
        "//evil.example/",
        "/done",
        "",
        "mindful.example",
        "https:mindful.example",
        "https:/mindful.example",
        "https:///mindful.example",
        "javascript:alert(1)//https://mindful.example",
        "javascript://mindful.example/%0aalert(1)",
        "data:text/html,<script>https://mindful.example</script>",
        "ftp://mindful.example/",
        # the same name, and another origin
        "http://mindful.example/",
        "https://mindful.example:8443/",
        "http://localhost:5174/",
        "http://localhost/",
        # names that look like ours, or become it
        "https://mindful.example\u3002evil.example/",
        "https://m\u0456ndful.example/",
        "https://mindful\uff0eexample/",
        "https://mindful.ex\u212bmple/",
        "https://mindful.e\u2100.example/",
        "https://mindful.example%2eevil.example/",
        "https://mindful.example%40evil.example/",
        "https://mindful.example%00.evil.example/",
        "https://mindful.example\t.evil.example/",
        "https://mindful.example\n@evil.example/",
        # not readable as an address at all
        "https://[mindful.example/",
        "https://[::1",
        "https://]mindful.example/",
    ],
)
def test_any_other_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(ForeignReturnUrl) as error:
        own_return_url(url, field="cancelUrl")

    assert (error.value.status, error.value.code) == (400, "invalid_input")
    assert error.value.fields == {"cancelUrl": ["This address is not allowed here."]}


def test_the_schemes_capitals_do_not_matter() -> None:
    assert own_return_url("HTTPS://mindful.example/done", field="cancelUrl") == "HTTPS://mindful.example/done"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (SITE, f"{SITE}?session_id={MARK}"),
        (f"{SITE}/done", f"{SITE}/done?session_id={MARK}"),
        (f"{SITE}/done?step=4", f"{SITE}/done?step=4&session_id={MARK}"),
        (f"{SITE}/done#paid", f"{SITE}/done?session_id={MARK}#paid"),
        (f"{SITE}/done?step=4#paid", f"{SITE}/done?step=4&session_id={MARK}#paid"),
        (f"{SITE}/#/done?step=4", f"{SITE}/?session_id={MARK}#/done?step=4"),
        (f"{SITE}/done?session={MARK}", f"{SITE}/done?session={MARK}"),
        (f"{SITE}/#/done/{MARK}", f"{SITE}/#/done/{MARK}"),
    ],
)
def test_success_url_carries_the_mark_once(url: str, expected: str) -> None:
    assert success_url_of(url) == expected


def test_success_url_of_a_stranger_is_refused_with_its_mark() -> None:
    with pytest.raises(ForeignReturnUrl) as error:
        success_url_of(f"https://evil.example/?session_id={MARK}")

    assert list(error.value.fields) == ["successUrl"]
