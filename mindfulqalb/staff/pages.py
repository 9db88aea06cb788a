"""The admin's pages about oneself: second factor, recovery codes, the end of all sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import segno
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from mindfulqalb.api.errors import TooManyRequests
from mindfulqalb.staff.door import is_staff, lets_in_half_way, open_door
from mindfulqalb.staff.forms import THROTTLED, CodeForm, require_attempt, throttled
from mindfulqalb.staff.models import Authenticator, StaffMember
from mindfulqalb.staff.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    confirmed_authenticator,
    enrolment_uri,
    recovery_codes_left,
    renew_recovery_codes,
    verify_code,
)
from mindfulqalb.staff.sign_in import log_out_everywhere, note_sign_in, visitor_of

if TYPE_CHECKING:
    from django.forms import Form

WRONG_CODE = "This code is not right. A code of the app is good for half a minute, and once."


@never_cache
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Ask whoever gave the right password for the second factor."""
    member = _half_way(request)
    if member is None:
        return HttpResponseRedirect(reverse("admin:login") + next_query(request))
    if confirmed_authenticator(member) is None:
        return HttpResponseRedirect(reverse("admin:second-factor-set-up") + next_query(request))
    form = CodeForm(request.POST or None)
    if form.is_valid() and _may_try(request, form, member):
        try:
            authenticator = verify_code(member=member, code=form.cleaned_data["code"], now=timezone.now())
        except TooManyRequests as pause:
            form.add_error(None, throttled(pause.retry_after.total_seconds() if pause.retry_after else 0))
        else:
            if authenticator is not None:
                return _come_in(request, member, authenticator)
            form.add_error("code", WRONG_CODE)
    return _page(request, "verify", "Second factor", form=form)


@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the code to scan, and take the first code of the app as proof; then show the recovery codes, once."""
    member = request.user if is_staff(request.user) else None
    if member is None:
        return HttpResponseRedirect(reverse("admin:login"))
    try:
        authenticator = begin_enrolment(member=member, now=timezone.now())
    except Authenticator.DoesNotExist:
        return HttpResponseRedirect(reverse("admin:second-factor") + next_query(request))
    form = CodeForm(request.POST or None)
    if form.is_valid() and _may_try(request, form, member):
        codes = confirm_enrolment(member=member, code=form.cleaned_data["code"], now=timezone.now())
        if codes is not None:
            open_door(request, authenticator)
            note_sign_in(member=member, visitor=visitor_of(request), now=timezone.now())
            return _page(request, "recovery_codes", "Recovery codes", codes=codes, next=next_address(request))
        form.add_error("code", WRONG_CODE)
    uri = enrolment_uri(authenticator)
    picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
    return _page(
        request, "set_up", "Set up your authenticator app", form=form, picture=picture, secret=_spaced(authenticator)
    )


@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Show what guards one's own account."""
    member = _member(request)
    return _page(
        request,
        "account",
        "Your account",
        authenticator=confirmed_authenticator(member),
        codes_left=recovery_codes_left(member),
        devices=member.known_devices.order_by("-last_seen_at")[:20],
    )


@never_cache
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them, once."""
    codes = renew_recovery_codes(member=_member(request), now=timezone.now())
    return _page(request, "recovery_codes", "Recovery codes", codes=codes, next=reverse("admin:account"))


@require_POST
def end_everywhere(request: HttpRequest) -> HttpResponse:
    """Log out of every browser and program, this one included."""
    member = _member(request)
    log_out_everywhere(member=member, actor=f"staff:{member.id}", now=timezone.now())
    request.session.flush()
    messages.success(request, "You are logged out everywhere.")
    return HttpResponseRedirect(reverse("admin:login"))


def next_address(request: HttpRequest) -> str:
    """Where somebody wanted to go; our own pages only."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("admin:index")


def next_query(request: HttpRequest) -> str:
    """Carry that along in an address."""
    return "?" + urlencode({"next": next_address(request)})


def _half_way(request: HttpRequest) -> StaffMember | None:
    return _member(request) if lets_in_half_way(request) else None


def _member(request: HttpRequest) -> StaffMember:
    if not is_staff(request.user):
        raise TypeError("only staff get this far")
    return request.user


def _may_try(request: HttpRequest, form: Form, member: StaffMember) -> bool:
    try:
        require_attempt(request, username=member.get_username())
    except ValidationError as refused:
        form.add_error(None, refused)
        return False
    return True


def _come_in(request: HttpRequest, member: StaffMember, authenticator: Authenticator) -> HttpResponse:
    open_door(request, authenticator)
    note_sign_in(member=member, visitor=visitor_of(request), now=timezone.now())
    return HttpResponseRedirect(next_address(request))


def _spaced(authenticator: Authenticator) -> str:
    return " ".join(authenticator.secret[start : start + 4] for start in range(0, len(authenticator.secret), 4))


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> TemplateResponse:
    form = context.get("form")
    is_throttled = form is not None and form.is_bound and form.has_error("__all__", THROTTLED)
    whole = {**admin.site.each_context(request), "title": title, "next": next_address(request)} | context
    return TemplateResponse(request, f"admin/account/{name}.html", whole, status=429 if is_throttled else 200)
