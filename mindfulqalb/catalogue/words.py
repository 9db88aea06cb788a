"""How the back office speaks of what is sold."""

from __future__ import annotations

from mindfulqalb.catalogue.models import FORMAT_NAMES, SessionFormat, SessionType
from mindfulqalb.staff.words import Topic, teach

teach(
    Topic.ACT,
    {
        f"{kind}.{act}": f"{title} was {done}"
        for kind, title in (
            ("session_offer", "A session offer"),
            ("therapist", "A therapist"),
            ("cancellation_rule", "A cancellation rule"),
        )
        for act, done in (("added", "added"), ("changed", "changed"), ("deleted", "deleted"))
    },
)


def type_in_words(session_type: str) -> str:
    """Say who comes; what is sold no more, by its code."""
    return str(SessionType(session_type).label) if session_type in SessionType.values else session_type


def item_in_words(code: str) -> str:
    """Say what is sold under an offer's code: `couples-video` is "Couples, video call"."""
    session_type, _, session_format = code.partition("-")
    known = session_format in SessionFormat.values
    how = FORMAT_NAMES[SessionFormat(session_format)].lower() if known else session_format
    return ", ".join(filter(None, [type_in_words(session_type), how]))
