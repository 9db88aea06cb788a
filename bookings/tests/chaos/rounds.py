"""How much chaos makes a round."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

# Each world begins empty and is brought to its end; there is more to find in many than in long ones.
WORLDS, STEPS = 60, 42
SAME_EVERY_TIME = settings(
    max_examples=WORLDS,
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
BY_SEED = settings(SAME_EVERY_TIME, derandomize=False, max_examples=20, stateful_step_count=60)
