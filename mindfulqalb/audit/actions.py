"""What events are called of which other code has to know."""

from __future__ import annotations

READ = "personal_data.read"
ERASED, PURGED = "audit.payloads_erased", "audit.evidence_purged"
# They account for what is gone, so they stay whole.
REMOVALS = (ERASED, PURGED)
