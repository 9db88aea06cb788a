"""The timetable, holds and tombstones in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils import timezone

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.retention.holds import place_hold, release_hold
from mindfulqalb.retention.models import LegalHold, Restriction, RetentionRule, Tombstone
from mindfulqalb.retention.registry import kinds
from mindfulqalb.retention.states import Action
from mindfulqalb.retention.timetable import change_rule
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.names import NamesActors
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.subjects import way_to
from mindfulqalb.staff.values import values_called, whether
from mindfulqalb.staff.words import Topic, called

if TYPE_CHECKING:
    from django.http import HttpRequest

RELEASE = Question(
    title="Release legal holds",
    text="The timetable has its way with these again, from the next purge on:",
    yes="Yes, release",
    asks_why=True,
)


class RuleForm(forms.ModelForm[RetentionRule]):
    """A rule's period and action, and why they change."""

    reason = forms.CharField(max_length=500, help_text="It goes on record.")

    class Meta:
        model = RetentionRule
        fields = ("period_days", "action", "basis")

    def clean(self) -> dict[str, Any]:
        """Refuse what the law or the kind of record does not allow, at its field."""
        data = super().clean() or self.cleaned_data
        if data.get("period_days", 0) < self.instance.minimum_days:
            self.add_error("period_days", f"The law asks for {self.instance.minimum_days} days.")
        possible = kinds[self.instance.kind].actions
        if data.get("action") not in possible:
            self.add_error("action", f"This kind can only go so: {', '.join(Action(name).label for name in possible)}.")
        return data


@admin.register(RetentionRule)
class RetentionRuleAdmin(admin.ModelAdmin[RetentionRule]):
    """How long what is kept; the law's minimum is not for staff to change."""

    form = RuleForm
    list_display = ("what", "where", "minimum_days", "period_days", "action", "basis")
    list_filter = (("jurisdiction", values_called(called(Topic.PLACE))),)
    ordering = ("jurisdiction", "kind")
    readonly_fields = ("what", "where", "minimum_days")

    @admin.display(description="what", ordering="kind")
    def what(self, rule: RetentionRule) -> str:
        """Name the kind of record."""
        return called(Topic.RECORD)(rule.kind)

    @admin.display(description="where", ordering="jurisdiction")
    def where(self, rule: RetentionRule) -> str:
        """Name the jurisdiction."""
        return called(Topic.PLACE)(rule.jurisdiction)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a kind of record comes with the code that keeps it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: RetentionRule | None = None) -> bool:
        """Refuse: what nobody has a rule for would be kept for ever."""
        return False

    def save_model(self, request: HttpRequest, obj: RetentionRule, form: Any, change: bool) -> None:  # noqa: FBT001
        """Change it on record."""
        data = form.cleaned_data
        change_rule(
            rule_id=obj.id,
            period_days=data["period_days"],
            action=data["action"],
            basis=data["basis"],
            actor=f"staff:{request.user.pk}",
            reason=data["reason"],
            now=timezone.now(),
        )


class HoldForm(forms.ModelForm[LegalHold]):
    """What to hold, and why."""

    email = forms.EmailField(required=False, help_text="All about this person. Only its digest is kept.")
    booking = forms.UUIDField(required=False, help_text="Or one booking, by its id, and what hangs on it.")
    reason = forms.CharField(max_length=500, help_text="It goes on record.")

    class Meta:
        model = LegalHold
        fields: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        data = super().clean() or self.cleaned_data
        if bool(data.get("email")) == bool(data.get("booking")):
            self.add_error("email", "Name a person or a booking, and not both.")
        return data


@admin.register(LegalHold)
class LegalHoldAdmin(NamesActors, ReadOnlyAdmin):
    """What must not go; placed and released here, on record."""

    form = HoldForm
    actor_fields = ("placed_by", "released_by")
    list_filter: ClassVar = [("released_at", whether("state", empty="In force", filled="Released"))]
    ordering = ("-placed_at",)
    exclude = ("reason", "email", "person_hash")
    actions = ("release",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow it to whoever's role says so."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Lead to what is held."""
        return ("placed_at", _held(request), "placed", "released_at", "released")

    @admin.display(description="placed by")
    def placed(self, hold: LegalHold) -> str:
        """Name who placed it."""
        return self.name_of(hold, hold.placed_by)

    @admin.display(description="released by")
    def released(self, hold: LegalHold) -> str:
        """Name who released it."""
        return self.name_of(hold, hold.released_by)

    def get_readonly_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> Any:
        """Show the names."""
        return ("placed", "released")

    def get_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> Any:
        """Ask for what a hold needs, and show what it is."""
        shown = ("target", "placed_at", "placed", "released_at", "released")
        return shown if obj else ("email", "booking", "reason")

    def get_exclude(self, request: HttpRequest, obj: LegalHold | None = None) -> Any:
        """Keep the sealed reason off the page that shows a hold."""
        return self.exclude if obj else ()

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:  # noqa: FBT001
        """Place it."""
        data = form.cleaned_data
        target = f"booking:{data['booking']}" if data["booking"] else ""
        hold = place_hold(
            email=data["email"], target=target, reason=data["reason"], actor=_actor(request), now=timezone.now()
        )
        obj.pk = hold.pk
        obj.refresh_from_db()

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Whether this person may release holds."""
        return request.user.has_perm("retention.release_legalhold")

    release = RowAction(
        label="Release",
        done="Holds released",
        permissions=["release"],
        question=RELEASE,
        act=lambda row, told: release_hold(hold_id=row.id, reason=told.reason, actor=told.actor, now=told.now),
    )


@admin.register(Restriction)
class RestrictionAdmin(ReadOnlyAdmin):
    """Who is to be erased as soon as the law lets us; by digest."""

    list_display = ("since", "settled_at")
    ordering = ("-since",)
    exclude = ("email", "person_hash")


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """What went, and under which rule."""

    list_display = ("purged_at", "what", "row_count", "rule", "action", "cutoff")
    list_filter: ClassVar = [("kind", values_called(called(Topic.RECORD))), "action", "purged_at"]
    ordering = ("-purged_at",)

    @admin.display(description="what")
    def what(self, tombstone: Tombstone) -> str:
        """Name the kind of record."""
        return called(Topic.RECORD)(tombstone.kind)


def _held(request: HttpRequest) -> Any:
    @admin.display(description="what")
    def held(hold: LegalHold) -> str:
        return way_to(hold.target, request.user) if hold.target else "All about one person"

    return held


def _actor(request: HttpRequest) -> str:
    return f"staff:{request.user.pk}"
