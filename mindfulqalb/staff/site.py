"""The practice's admin site: Django's own, with a second factor at the door."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from mindfulqalb.practice_clock import practice_zone
from mindfulqalb.staff import pages
from mindfulqalb.staff.desk.page import first_page
from mindfulqalb.staff.door import is_inside, is_staff, lets_in_half_way, member_of
from mindfulqalb.staff.forms import THROTTLED, StaffLoginForm
from mindfulqalb.staff.second_factor import needs_second_factor
from mindfulqalb.staff.sign_in import note_sign_in, visitor_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern, URLResolver

    from mindfulqalb.staff.models import StaffMember


CHOOSE_FIRST = "Please choose a password of your own first: the one that you were given has been seen by others."


class PracticeAdminSite(AdminSite):
    """Django's own admin under the practice's name."""

    site_header = f"{settings.PRACTICE_NAME} back office"
    site_title = settings.PRACTICE_NAME
    index_title = "Today"
    site_url = "/"
    login_form = StaffLoginForm
    # Its list of every page leaves too little room for a table; the first page has it.
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in staff who have shown their second factor, where they need one."""
        return is_inside(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Show nothing to somebody whose password another person knows but the page on which they change it."""
        inner = super().admin_view(view, cacheable)
        if view in (self.password_change, self.logout, self.i18n_javascript):
            return inner

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if self.has_permission(request) and member_of(request).must_change_password:
                messages.warning(request, CHOOSE_FIRST)
                return HttpResponseRedirect(reverse("admin:password_change"))
            return inner(request, *args, **kwargs)

        return guarded

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the pages of the second factor and of one's own account."""
        own: list[URLResolver | URLPattern] = [
            path("second-factor/", pages.verify, name="second-factor"),
            path("second-factor/set-up/", pages.set_up, name="second-factor-set-up"),
            path("account/", self.admin_view(pages.account), name="account"),
            path("account/recovery-codes/", self.admin_view(pages.recovery_codes), name="recovery-codes"),
            path("account/log-out-everywhere/", self.admin_view(pages.end_everywhere), name="log-out-everywhere"),
        ]
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what is on, what needs a person and how the machinery is, as far as it is this person's to see."""
        now = timezone.now()
        today = now.astimezone(practice_zone())
        page = {"title": f"{today:%A}, {today.day} {today:%B}", "zone": settings.PRACTICE_TIME_ZONE}
        page |= {"desk": first_page(member=cast("StaffMember", request.user), now=now)}
        return super().index(request, page | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for the password; whoever has given it goes on to the second factor."""
        if lets_in_half_way(request):
            return HttpResponseRedirect(reverse("admin:second-factor") + pages.next_query(request))
        response = super().login(request, extra_context)
        if request.method == "POST" and is_staff(request.user) and not needs_second_factor(request.user):
            note_sign_in(member=request.user, visitor=visitor_of(request), now=timezone.now())
        if isinstance(response, TemplateResponse):
            mark_throttled(response)
        return response


def mark_throttled(response: TemplateResponse) -> None:
    """Say by the status, too, that somebody has to wait."""
    form = (response.context_data or {}).get("form")
    if form is not None and form.is_bound and form.has_error("__all__", THROTTLED):
        response.status_code = 429
