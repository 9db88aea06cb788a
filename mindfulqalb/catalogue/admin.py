"""The catalogue in the admin: prices, durations and event types are edited here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from mindfulqalb.catalogue.models import (
    EVENT_TYPE_OF_ANOTHER,
    CancellationRule,
    Price,
    SessionOffer,
    Therapist,
)
from mindfulqalb.catalogue.queries import is_event_type_of_another
from mindfulqalb.staff.audited import AuditedAdmin


class PriceInline(admin.TabularInline[Price, SessionOffer]):
    """An offer's price per currency."""

    model = Price
    extra = 0


class SessionOfferForm(forms.ModelForm[SessionOffer]):
    """An offer, checked against what only the settings know."""

    def clean(self) -> dict[str, Any]:
        """Refuse an event type that is another therapist's."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        wanted = {name: cleaned.get(name) for name in ("session_type", "format", "therapist", "calendar_event_type")}
        offer = SessionOffer(id=self.instance.id, **{name: value for name, value in wanted.items() if value})
        if offer.therapist_id and is_event_type_of_another(offer):
            self.add_error("calendar_event_type", EVENT_TYPE_OF_ANOTHER)
        return cleaned


@admin.register(SessionOffer)
class SessionOfferAdmin(AuditedAdmin):
    """What is sold. Offers are switched off, not deleted: bookings point at them."""

    kind = "session_offer"
    on_record = (
        *("session_type", "format", "title", "duration_minutes", "buffer_minutes", "therapist", "calendar_event_type"),
        *("is_default", "is_active", "position", "moves_allowed", "move_notice_hours", "currency", "amount_minor"),
    )
    form = SessionOfferForm
    list_display = (
        *("title", "session_type", "format", "duration_minutes", "buffer_minutes"),
        *("therapist", "is_active", "is_default"),
    )
    list_filter = ("session_type", "format", "is_active", "therapist")
    list_select_related = ("therapist",)
    ordering = ("position",)
    inlines = (PriceInline,)

    def get_form(self, request: Any, obj: Any = None, change: Any = False, **kwargs: Any) -> Any:  # noqa: FBT002
        """Fix type and format once it is there: payments and bookings know the offer by them.

        Disabled and not read-only, because constraints are checked for the fields of the form alone.
        """
        form = super().get_form(request, obj, change, **kwargs)
        # Whoever may only look has a form without fields.
        for name in {"session_type", "format"} & set(form.base_fields):
            form.base_fields[name].disabled = obj is not None
        return form

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Refuse: untick "is active" instead."""
        return False


@admin.register(Therapist)
class TherapistAdmin(AuditedAdmin):
    """Whose hours are sold."""

    kind = "therapist"
    on_record = ("slug", "is_active", "member")
    list_display = ("name", "slug", "is_active", "member")
    list_select_related = ("member",)
    search_fields = ("name",)


@admin.register(CancellationRule)
class CancellationRuleAdmin(AuditedAdmin):
    """What goes back when a client cancels, by how long before."""

    kind = "cancellation_rule"
    on_record = ("hours_before", "refund_percent")
    list_display = ("hours_before", "refund_percent")
    ordering = ("-hours_before",)
