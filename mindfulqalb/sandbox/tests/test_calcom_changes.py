"""Cancel, reschedule, confirm, decline, mark absent; as a caller and as the therapist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from mindfulqalb.sandbox.tests.clients import (
    BOOKINGS,
    FREE,
    HOST,
    book,
    booking_body,
    calcom,
    iso,
    local_moment,
    slot_times,
)

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


def change(sandbox: SandboxProcess, uid: str, what: str, body: dict[str, Any] | None = None) -> requests.Response:
    return calcom(sandbox, "POST", f"bookings/{uid}/{what}", headers={**BOOKINGS, **HOST}, json=body or {})


def message(response: requests.Response) -> str:
    return str(response.json()["error"]["message"])


def read(sandbox: SandboxProcess, uid: str) -> dict[str, Any]:
    shown: dict[str, Any] = calcom(sandbox, "GET", f"bookings/{uid}", headers=BOOKINGS).json()["data"]
    return shown


@pytest.fixture
def uid(sandbox: SandboxProcess) -> str:
    """The uid of a booking in three days, at ten."""
    return str(book(sandbox, local_moment(3, 10), metadata={"ref": "abc"})["uid"])


def test_cancel_frees_the_slot(sandbox: SandboxProcess, uid: str) -> None:
    response = change(sandbox, uid, "cancel", {"cancellationReason": "ill"})

    data = response.json()["data"]
    assert (response.status_code, data["status"], data["cancellationReason"]) == (200, "cancelled", "ill")
    assert "10:00" in slot_times(sandbox, 3)


def test_cancel_again_is_refused(sandbox: SandboxProcess, uid: str) -> None:
    change(sandbox, uid, "cancel", {"cancellationReason": "ill"})

    response = change(sandbox, uid, "cancel", {"cancellationReason": "ill"})

    beginning = f"Can't cancel booking with uid={uid} because it has been cancelled already."
    assert (response.status_code, message(response)[: len(beginning)]) == (400, beginning)


def test_cancel_as_host_needs_a_reason_and_as_guest_does_not(sandbox: SandboxProcess, uid: str) -> None:
    as_host = change(sandbox, uid, "cancel")
    as_guest = calcom(sandbox, "POST", f"bookings/{uid}/cancel", headers=BOOKINGS, json={})

    assert (as_host.status_code, message(as_host)) == (400, "Cancellation reason is required")
    assert as_guest.status_code == 200


def test_cancel_refuses_unknown_fields_and_bookings_that_are_over(sandbox: SandboxProcess, uid: str) -> None:
    unknown = change(sandbox, uid, "cancel", {"reason": "ill"})
    sandbox.advance(5 * 24 * 3600)
    over = change(sandbox, uid, "cancel", {"cancellationReason": "ill"})

    assert message(unknown) == "reason property is wrong,property reason should not exist "
    assert (over.status_code, message(over)) == (400, "Cannot cancel a booking that has already ended")


def test_reschedule_makes_a_new_booking_and_cancels_the_old(sandbox: SandboxProcess, uid: str) -> None:
    response = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 14)), "reschedulingReason": "work"})

    new, old = response.json()["data"], read(sandbox, uid)
    assert response.status_code == 201
    assert (new["rescheduledFromUid"], new["status"], new["metadata"]) == (uid, "accepted", {"ref": "abc"})
    assert (old["status"], old["rescheduledToUid"]) == ("cancelled", new["uid"])
    assert ("10:00" in slot_times(sandbox, 3), "14:00" in slot_times(sandbox, 3)) == (True, False)


def test_reschedule_may_overlap_the_old_time(sandbox: SandboxProcess, uid: str) -> None:
    response = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 10, 30))})

    assert response.status_code == 201


def test_reschedule_to_a_taken_time_leaves_the_old_booking(sandbox: SandboxProcess, uid: str) -> None:
    book(sandbox, local_moment(3, 14))

    response = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 14))})

    assert message(response) == "User either already has booking at this time or is not available"
    assert read(sandbox, uid)["status"] == "accepted"


def test_reschedule_twice_names_the_new_booking(sandbox: SandboxProcess, uid: str) -> None:
    new = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 14))}).json()["data"]["uid"]

    response = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 15))})

    assert response.status_code == 400
    assert f"cancelled and rescheduled already to booking with uid={new}" in message(response)


def test_reschedule_of_a_cancelled_booking_is_refused(sandbox: SandboxProcess, uid: str) -> None:
    change(sandbox, uid, "cancel", {"cancellationReason": "ill"})

    response = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 14))})

    beginning = f"Can't reschedule booking with uid={uid} because it has been cancelled."
    assert (response.status_code, message(response)[: len(beginning)]) == (400, beginning)


def test_confirm_and_decline_end_a_request(sandbox: SandboxProcess) -> None:
    sandbox.turn(requiresConfirmation=[FREE])
    wanted = book(sandbox, local_moment(3, 10), eventTypeId=FREE)["uid"]
    unwanted = book(sandbox, local_moment(3, 12), eventTypeId=FREE)["uid"]

    confirmed, declined = change(sandbox, wanted, "confirm"), change(sandbox, unwanted, "decline", {"reason": "away"})

    assert (confirmed.status_code, confirmed.json()["data"]["status"]) == (200, "accepted")
    assert (declined.status_code, declined.json()["data"]["status"]) == (200, "rejected")
    again = change(sandbox, wanted, "confirm")
    assert (again.status_code, again.json()["error"]) == (
        400,
        {"code": "TRPCError", "message": "Booking already confirmed"},
    )


def test_reschedule_of_a_confirmation_type_waits_unless_the_host_did_it(sandbox: SandboxProcess) -> None:
    sandbox.turn(requiresConfirmation=[FREE])
    uid = book(sandbox, local_moment(3, 10), eventTypeId=FREE)["uid"]

    by_guest = change(sandbox, uid, "reschedule", {"start": iso(local_moment(3, 11))}).json()["data"]
    host = by_guest["hosts"][0]["email"]
    body = {"start": iso(local_moment(3, 12)), "rescheduledBy": host}
    by_host = change(sandbox, by_guest["uid"], "reschedule", body).json()["data"]

    assert (by_guest["status"], by_host["status"]) == ("pending", "accepted")


def test_mark_absent_only_after_the_start(sandbox: SandboxProcess, uid: str) -> None:
    body = {"host": False, "attendees": [{"email": "asha@example.com", "absent": True}]}

    before = change(sandbox, uid, "mark-absent", body)
    sandbox.advance((local_moment(3, 10, 5) - local_moment(0, 0)).total_seconds())
    after = change(sandbox, uid, "mark-absent", body)

    assert before.status_code == 400
    assert (after.status_code, after.json()["data"]["attendees"][0]["absent"]) == (200, True)


@pytest.mark.parametrize("call", ["confirm", "decline", "mark-absent"])
def test_host_calls_need_the_key(sandbox: SandboxProcess, uid: str, call: str) -> None:
    response = calcom(sandbox, "POST", f"bookings/{uid}/{call}", headers=BOOKINGS, json={})

    assert response.status_code == 401


@pytest.mark.parametrize(
    ("what", "more", "status"),
    [("cancel", {}, "cancelled"), ("reschedule", {"start": iso(local_moment(3, 14))}, "accepted")],
)
def test_therapist_changes_a_booking(
    sandbox: SandboxProcess, uid: str, what: str, more: dict[str, str], status: str
) -> None:
    assert sandbox.change_booking(uid, what, **more)["status"] == status


def test_therapist_cannot_do_what_cannot_be_done(sandbox: SandboxProcess, uid: str) -> None:
    with pytest.raises(requests.HTTPError, match="Booking already confirmed"):
        sandbox.change_booking(uid, "confirm")
    with pytest.raises(requests.HTTPError, match="There is no change"):
        sandbox.change_booking(uid, "paint")


def test_booking_pages_show_the_booking(sandbox: SandboxProcess, uid: str) -> None:
    pages = [requests.get(f"{sandbox.url}/calcom/{kind}/{uid}", timeout=10) for kind in ("booking", "video")]
    missing = requests.get(f"{sandbox.url}/calcom/booking/nobody", timeout=10)

    assert [page.status_code for page in pages] == [200, 200]
    assert "between MindfulQALB and Asha Rao" in pages[0].text
    assert missing.status_code == 404


def test_booking_with_unreadable_body_is_refused(sandbox: SandboxProcess) -> None:
    url = f"{sandbox.url}/calcom/v2/bookings"
    texts = ["{", "[1]"]

    statuses = [requests.post(url, data=text, headers=BOOKINGS, timeout=10).status_code for text in texts]

    assert statuses == [400, 400]
    assert calcom(sandbox, "POST", "bookings", headers=BOOKINGS, json=booking_body(local_moment(3, 10))).ok
