"""The keys of this server, and how a secret is read."""

from __future__ import annotations

from mindfulqalb.secret_strength import DEVELOPMENT_SECRETS, SANDBOX_SECRETS, weakness
from mindfulqalb.settings.runtime import DEVELOPMENT, SANDBOX, env, problems

# --- Secrets ----------------------------------------------------------------------------------------------------------


def secret(name: str, *, minimum_length: int = 32) -> str:
    """Read one secret; in production, note why it is unfit. Development and sandbox fall back on published ones."""
    published = (DEVELOPMENT_SECRETS if DEVELOPMENT else {}) | (SANDBOX_SECRETS if SANDBOX else {})
    # Empty is not set: so they stand in .env.example.
    value: str = env.str(name, "") or published.get(name, "")
    problem = None if DEVELOPMENT else weakness(name, value, minimum_length=minimum_length)
    if problem:
        problems.append(problem)
    return value


SECRET_KEY = secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
JWT_SECRET = secret("JWT_SECRET")
JWT_SECRET_FALLBACKS = env.list("JWT_SECRET_FALLBACKS", default=[])
ENCRYPTION_KEY = secret("ENCRYPTION_KEY")
ENCRYPTION_KEY_FALLBACKS = env.list("ENCRYPTION_KEY_FALLBACKS", default=[])
BLIND_INDEX_KEY = secret("BLIND_INDEX_KEY")
BLIND_INDEX_KEY_FALLBACKS = env.list("BLIND_INDEX_KEY_FALLBACKS", default=[])
AUDIT_SIGNING_KEY = secret("AUDIT_SIGNING_KEY")
AUDIT_PUBLIC_KEYS = env.list("AUDIT_PUBLIC_KEYS", default=[])
