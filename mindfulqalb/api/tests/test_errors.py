"""Every "no" has one shape, wherever it comes from."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.http import UnreadablePostError
from django.test import Client
from rest_framework import exceptions as drf_exceptions

from mindfulqalb.api import errors
from mindfulqalb.observability.request_ids import bound_request_id
from mindfulqalb.vendors.errors import ProviderError

pytestmark = pytest.mark.urls("mindfulqalb.api.tests.urls")

# Django's own error handlers only differ from the view's in what they know.
INSIDE = {
    "refusal": (400, "refused"),
    "parse": (400, "malformed_json"),
    "not-authenticated": (401, "unauthorized"),
    "authentication-failed": (401, "unauthorized"),
    "drf-permission": (403, "forbidden"),
    "drf-not-found": (404, "not_found"),
    "throttled": (429, "too_many_requests"),
    "throttled-without-wait": (429, "too_many_requests"),
    "http404": (404, "not_found"),
    "permission": (403, "forbidden"),
    "too-big": (413, "payload_too_large"),
    "suspicious": (400, "invalid_input"),
    "bad-request": (400, "invalid_input"),
    "model-validation": (400, "invalid_input"),
    "vendor": (503, "unavailable"),
    "database": (503, "unavailable"),
    "bug": (500, "server_error"),
}
OUTSIDE = {
    "http404": (404, "not_found"),
    "permission": (403, "forbidden"),
    "too-big": (413, "payload_too_large"),
    "suspicious": (400, "invalid_input"),
    "bad-request": (400, "invalid_input"),
    "bug": (500, "server_error"),
}


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("name", "expected"), INSIDE.items())
def test_every_exception_in_a_view_becomes_the_one_shape(browser: Client, name: str, expected: tuple[int, str]) -> None:
    response = browser.get(f"/api/failing/{name}", headers={"X-Request-ID": "request-0001"})

    body = response.json()
    assert (response.status_code, body["code"]) == expected
    assert sorted(body) == ["code", "error", "fields", "requestId", "success"]
    assert (body["success"], body["fields"], body["requestId"]) == (False, {}, "request-0001")
    assert "jane@example.com" not in response.content.decode()
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("name", "expected"), OUTSIDE.items())
def test_an_exception_outside_of_drf_has_the_same_shape_under_api(
    browser: Client, name: str, expected: tuple[int, str]
) -> None:
    response = browser.get(f"/api/failing-outside/{name}")

    body = response.json()
    assert (response.status_code, body["code"]) == expected
    assert sorted(body) == ["code", "error", "fields", "requestId", "success"]
    assert body["requestId"] == response["X-Request-ID"]
    assert "jane@example.com" not in response.content.decode()


@pytest.mark.parametrize(
    ("name", "status"), [("http404", 404), ("permission", 403), ("bad-request", 400), ("bug", 500)]
)
def test_an_exception_elsewhere_gets_a_page(browser: Client, name: str, status: int) -> None:
    response = browser.get(f"/page/failing/{name}")

    assert (response.status_code, response["Content-Type"].split(";")[0]) == (status, "text/html")
    assert "jane@example.com" not in response.content.decode()


def test_an_unknown_address_is_json_under_api_and_a_page_elsewhere(browser: Client) -> None:
    assert browser.get("/api/nowhere").json()["code"] == "not_found"
    assert browser.get("/nowhere")["Content-Type"].split(";")[0] == "text/html"


def test_an_unknown_host_is_told_so(browser: Client) -> None:
    response = browser.get("/api/echo", headers={"host": "evil.example"})

    assert (response.status_code, response.json()["code"]) == (400, "unknown_host")


def test_a_wrong_method_says_which_are_right(browser: Client) -> None:
    response = browser.get("/api/echo")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "POST, OPTIONS"


def test_a_caller_that_wants_no_json_is_refused_in_json(browser: Client) -> None:
    response = browser.post("/api/echo", {}, "application/json", headers={"Accept": "application/xml"})

    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_csrf_failure_is_json_under_api_and_a_page_elsewhere() -> None:
    browser = Client(enforce_csrf_checks=True)

    under_api, elsewhere = browser.post("/api/form"), browser.post("/page/form")

    assert (under_api.status_code, under_api.json()["code"]) == (403, "csrf_failed")
    assert (elsewhere.status_code, elsewhere["Content-Type"].split(";")[0]) == (403, "text/html")


def test_a_bug_is_logged_once_with_its_traceback_and_shown_to_a_test(
    browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    browser.get("/api/failing/bug")

    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        Client().get("/api/failing/bug")


def test_a_dead_vendor_is_logged_with_its_traceback(browser: Client, caplog: pytest.LogCaptureFixture) -> None:
    browser.get("/api/failing/vendor")

    record = next(record for record in caplog.records if record.name == "mindfulqalb.api.errors")
    assert (record.levelname, record.getMessage()) == ("ERROR", "Answered 503 in place of an exception")
    assert record.exc_info
    assert record.exc_info[0] is ProviderError


@pytest.mark.parametrize(
    ("name", "seconds"), [("throttled", "8"), ("throttled-without-wait", "1"), ("vendor", "30"), ("database", "30")]
)
def test_an_answer_that_wants_a_later_visit_says_when(browser: Client, name: str, seconds: str) -> None:
    assert browser.get(f"/api/failing/{name}")["Retry-After"] == seconds


def test_a_vendor_s_own_wish_is_passed_on() -> None:
    refusal = errors.as_refusal(ProviderError("busy", permanent=False, retry_after=timedelta(seconds=90)))

    assert refusal is not None
    assert refusal.headers == {"Cache-Control": "no-store", "Retry-After": "90"}


def test_a_401_names_its_scheme(browser: Client) -> None:
    assert browser.get("/api/failing/not-authenticated")["WWW-Authenticate"] == "Bearer"


def test_a_refusal_says_what_it_was_given() -> None:
    class SlotTaken(errors.Refusal):
        code = "slot_taken"
        status = 409
        sentence = "Somebody was faster."

    with bound_request_id("request-0002"):
        body = SlotTaken(fields={"time": ["Taken."]}).body

    assert body == {
        "success": False,
        "error": "Somebody was faster.",
        "code": "slot_taken",
        "fields": {"time": ["Taken."]},
        "requestId": "request-0002",
    }
    assert SlotTaken("Gone.").body["error"] == str(SlotTaken("Gone.")) == "Gone."


def test_retry_after_is_at_least_one_second_and_rounded_up() -> None:
    waits = [timedelta(0), timedelta(milliseconds=1), timedelta(seconds=1.01)]

    assert [errors.TooManyRequests(retry_after=wait).headers["Retry-After"] for wait in waits] == ["1", "1", "2"]


def test_invalid_input_names_its_fields_in_words() -> None:
    fields = {"customer.email": ["Please enter one."], "sessionType": ["Unknown."], "date": []}

    assert errors.InvalidInput(fields=fields).detail == (
        "Please check customer email, session type and date. Customer email: Please enter one."
    )
    assert errors.InvalidInput(fields={"sessionType": ["Unknown."]}).detail == "Session type: Unknown."
    assert errors.InvalidInput("No.", fields=fields).detail == "No."
    assert errors.InvalidInput().detail == errors.InvalidInput.sentence


def test_errors_of_the_whole_request_are_the_sentence() -> None:
    refusal = errors.as_refusal(drf_exceptions.ValidationError(["Too late.", "Too far."]))

    assert refusal is not None
    assert (refusal.detail, refusal.fields) == ("Too late. Too far.", {})


def test_a_request_that_broke_off_is_no_fault_of_ours() -> None:
    refusal = errors.as_refusal(UnreadablePostError("connection reset"))

    assert refusal is not None
    assert (refusal.status, refusal.detail) == (400, "The request broke off before all of it had arrived.")


def test_nested_fields_are_named_as_they_were_sent(browser: Client) -> None:
    sent = {"customer": {"name": " ", "email": "jane@"}, "razorpay_order_id": "x" * 11, "acknowledgments": ["ok", 5]}

    response = browser.post("/api/echo", sent, "application/json")

    assert response.status_code == 400
    assert response.json()["fields"] == {
        "customer.name": ["Please fill this in."],
        "customer.email": ["Please enter an email address like name@example.com."],
        "razorpay_order_id": ["Please use at most 10 characters."],
        "acknowledgments.1": ["Please send text."],
    }
