"""Who of the staff has looked at a person's data, as far as the person is told.

When, in which role and at what: GDPR 15 gives a person the times and purposes of each look at their data, and the names
of those who looked only where they cannot stand up for their rights without (Court of Justice, C-579/21). To that a
practice answers in a letter, for it has to be weighed against its staff. What staff wrote as their reason stays here,
too: it may tell of others. DPDP Act s. 11 asks for a summary of the processing, and this is more. What an auditor took
out is not in it: that event names filters and nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.audit.actions import READ
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.names import members_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_ROLE = "Staff"


def accesses_to(targets: Sequence[str]) -> list[dict[str, Any]]:
    """List the looks at what `targets` (kind:<id>) name, oldest first; a role is the one that its holder has today."""
    looks = list(AuditEvent.objects.filter(target__in=targets, action=READ).order_by("occurred_at", "id"))
    roles = _roles_of({look.actor for look in looks})
    return [
        {
            "looked_at": look.occurred_at,
            "role": roles.get(look.actor, NO_ROLE),
            "of": look.target.partition(":")[0],
            "fields": (look.details or {}).get("fields", []),  # none are left once the rule for events has had its way
        }
        for look in looks
    ]


def _roles_of(actors: Iterable[str]) -> dict[str, str]:
    """Name the roles of staff, and leave out whoever has none."""
    actor_of = {member.pk: actor for actor, member in members_of(actors).items()}
    held: dict[str, list[str]] = {}
    named = StaffMember.objects.filter(pk__in=actor_of).order_by("groups__name").values_list("pk", "groups__name")
    for pk, role in named:
        held.setdefault(actor_of[pk], []).extend([role] if role else [])
    return {actor: ", ".join(roles) for actor, roles in held.items() if roles}
