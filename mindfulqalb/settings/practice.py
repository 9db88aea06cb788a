"""The practice: its name, place and helplines."""

from __future__ import annotations

from mindfulqalb.settings.runtime import env, problems

# --- The practice -----------------------------------------------------------------------------------------------------

PRACTICE_NAME = env.str("PRACTICE_NAME", "MindfulQALB")
PRACTICE_TIME_ZONE = env.str("PRACTICE_TIME_ZONE", "Asia/Kolkata")
PRACTICE_REGION = env.str("PRACTICE_REGION", "IN")  # how a phone number without country code is read
PRACTICE_EMAIL = env.str("PRACTICE_EMAIL", "care@mindfulqalb.com")
# Who is sent the books every morning; empty: nobody.
FINANCE_EMAIL = env.str("FINANCE_EMAIL", PRACTICE_EMAIL)
# What receipts say: who sells, where (lines divided by semicolons), and what the tax office wants to read.
PRACTICE_LEGAL_NAME = env.str("PRACTICE_LEGAL_NAME", PRACTICE_NAME)
PRACTICE_ADDRESS = env.str("PRACTICE_ADDRESS", "")
PRACTICE_TAX_LINE = env.str("PRACTICE_TAX_LINE", "")
# Receipts are numbered anew in each accounting year; India's begins in April.
ACCOUNTING_YEAR_FIRST_MONTH = env.int("ACCOUNTING_YEAR_FIRST_MONTH", 4)
if not 1 <= ACCOUNTING_YEAR_FIRST_MONTH <= 12:  # noqa: PLR2004  (months)
    problems.append("ACCOUNTING_YEAR_FIRST_MONTH must be a month, 1 to 12")
# The country (ISO 3166) in which the data lies: it stands in a client's receipt of consent.
DATA_LOCATION = env.str("DATA_LOCATION", "IN")
# Shown on every page and in every mail: a client may be in distress.
HELPLINES = env.json(
    "HELPLINES",
    default=[
        {"name": "Tele-MANAS (24 hours, free)", "phone": "14416"},
        {"name": "Tele-MANAS, second line", "phone": "1800-891-4416"},
        {"name": "Emergency", "phone": "112"},
    ],
)
