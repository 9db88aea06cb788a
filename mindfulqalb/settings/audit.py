"""Where the audit trail sends its word."""

from __future__ import annotations

from mindfulqalb.settings.runtime import env

# --- Audit trail ------------------------------------------------------------------------------------------------------

# Copies that we cannot take back: without one of the two, whoever owns the database and this server's disk can cut the
# newest entries off, checkpoints and all.
AUDIT_CHECKPOINT_EMAIL = env.str("AUDIT_CHECKPOINT_EMAIL", "")
AUDIT_CHECKPOINT_DIRECTORY = env.str("AUDIT_CHECKPOINT_DIRECTORY", "")
