"""The settings as a whole: `.env.example` mirrors them, and production does not start half-configured."""

from __future__ import annotations

import ast
import json
import os
import re
import secrets
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from mindfulqalb.secret_strength import DEVELOPMENT_SECRETS, SANDBOX_SECRETS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "mindfulqalb/settings"
PARTS = re.findall(r"^from mindfulqalb\.settings\.(\w+) import \*$", (FOLDER / "__init__.py").read_text(), re.MULTILINE)
EXAMPLE = (ROOT / ".env.example").read_text()
FUTURE = "from __future__ import annotations\n"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
READERS = {"env.str", "env.int", "env.bool", "env.list", "env.json", "env.float", "secret", "os.environ.get"}
HEADING = re.compile(r"^# --- (\w.*?) -+$", re.MULTILINE)
VARIABLE = re.compile(r"^(?:# )?([A-Z][A-Z_]*)=", re.MULTILINE)


def source_of_settings() -> str:
    """The parts in reading order, each without what would end the file before it."""
    return "\n".join((FOLDER / f"{part}.py").read_text().replace(FUTURE, "") for part in PARTS)


def names_read_by_settings(source: str | None = None) -> list[str]:
    calls = [
        node
        for node in ast.walk(ast.parse(source_of_settings() if source is None else source))
        if isinstance(node, ast.Call)
    ]
    first_arguments = [(call.lineno, call.args[0]) for call in calls if ast.unparse(call.func) in READERS]
    names = [(line, str(argument.value)) for line, argument in first_arguments if isinstance(argument, ast.Constant)]
    return list(dict.fromkeys(name for _, name in sorted(names, key=lambda pair: pair[0])))


def names_read_by_compose_alone() -> list[str]:
    names = re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text())
    return sorted(set(names) - set(names_read_by_settings()))


def sections(text: str) -> dict[str, str]:
    _, *parts = HEADING.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def random_key() -> str:
    return b64encode(secrets.token_bytes(32)).decode()


def production(**overrides: str) -> dict[str, str]:
    return {
        **{name: random_key() for name in (*DEVELOPMENT_SECRETS, *SANDBOX_SECRETS)},
        "ENVIRONMENT": "production",
        "SITE_URL": "https://book.example.org",
        "ALLOWED_HOSTS": "book.example.org",
        "DATABASE_URL": "postgresql://mindfulqalb@127.0.0.1:1/mindfulqalb",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_HOST": "mail.example.org",
        "CALCOM_EVENT_TYPE_IDS": json.dumps({"individual": "1", "couples": "2", "family": "3", "free": "4"}),
        **overrides,
    }


def check(environment: dict[str, str], *options: str) -> tuple[int, str]:
    """Run `manage.py check`; return its exit status and the last line that it printed."""
    result = subprocess.run(
        [sys.executable, "manage.py", "check", *options],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout.strip().splitlines()[-1]


def refused(environment: dict[str, str]) -> list[str]:
    """The problems that `manage.py check` names as it refuses to start, sorted."""
    status, line = check(environment)
    match = re.search(r"MindfulQALB cannot start in production: (.*)\. See \.env\.example\.$", line)
    assert (status, bool(match)) == (1, True), line
    return sorted(match[1].split("; ")) if match else []


def test_settings_have_no_part_that_is_not_read() -> None:
    assert sorted(PARTS) == sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "__init__")


def test_example_names_every_variable_in_the_order_of_the_settings() -> None:
    assert VARIABLE.findall(EXAMPLE) == names_read_by_settings() + names_read_by_compose_alone()


def test_example_has_the_groups_of_the_settings() -> None:
    groups = {title: names_read_by_settings(text) for title, text in sections(source_of_settings()).items()}
    shown = {title.split(" (each")[0]: VARIABLE.findall(text) for title, text in sections(EXAMPLE).items()}
    assert shown.pop("compose.yaml only") == names_read_by_compose_alone()
    # DATA_DIR is read before the first heading, and a name may be read a second time further down.
    shown["What runs here"].remove("DATA_DIR")
    assert list(shown.items()) == [(title, names) for title, names in groups.items() if names]


def test_example_explains_every_variable_in_one_line() -> None:
    lines = EXAMPLE.splitlines()
    above = [lines[number - 1] for number, line in enumerate(lines) if VARIABLE.match(line)]
    assert [line for line in above if not line.startswith("# ") or VARIABLE.match(line)] == []


def test_production_starts_with_good_secrets() -> None:
    assert check(production()) == (0, "System check identified no issues (0 silenced).")


def test_production_passes_every_check_for_deployment() -> None:
    environment = production(TRUSTED_PROXY_COUNT="1", CORS_ALLOWED_ORIGINS="https://www.example.org")
    assert check(environment, "--deploy", "--fail-level", "WARNING") == (
        0,
        "System check identified no issues (1 silenced).",
    )


def test_production_is_what_runs_when_nobody_says_so_and_names_all_that_is_missing() -> None:
    blank = {**dict.fromkeys(production(), ""), "CALCOM_EVENT_TYPE_IDS": "{}"}
    del blank["ENVIRONMENT"]
    assert refused(blank) == sorted(f"{name} is missing" for name in blank)


def test_production_refuses_the_example_as_it_ships() -> None:
    shipped = dict(re.findall(r"^([A-Z][A-Z_]*)='?(.*?)'?$", EXAMPLE, re.MULTILINE))
    blank = [
        name for name, value in shipped.items() if value in {"", "{}"} and name not in names_read_by_compose_alone()
    ]
    assert refused(shipped) == sorted(f"{name} is missing" for name in blank)


def test_production_refuses_every_published_secret() -> None:
    published = DEVELOPMENT_SECRETS | SANDBOX_SECRETS
    assert refused(production(**published)) == sorted(f"{name} is a published default" for name in published)


@pytest.mark.parametrize(
    ("name", "value", "problems"),
    [
        ("JWT_SECRET", "your-jwt-secret", ["JWT_SECRET is a published default"]),
        ("ENCRYPTION_KEY", "your-encryption-key", ["ENCRYPTION_KEY is a published default"]),
        ("STRIPE_SECRET_KEY", "sk_test_xxxxxxxxxxxxx", ["STRIPE_SECRET_KEY is a published default"]),
        ("SECRET_KEY", "x7!kQ2", ["SECRET_KEY is shorter than 32 characters"]),
        ("BLIND_INDEX_KEY", "abab" * 11, ["BLIND_INDEX_KEY is too easy to guess"]),
        ("VENDORS", "sandbox", ["VENDORS must be live in production"]),
        ("VENDORS", "both", ["VENDORS must be live in production", "VENDORS must be live or sandbox"]),
        ("ALLOWED_HOSTS", "", ["ALLOWED_HOSTS is missing"]),
    ],
)
def test_production_refuses(name: str, value: str, problems: list[str]) -> None:
    assert refused(production(**{name: value})) == problems


def test_image_build_sets_all_that_production_needs() -> None:
    instruction = re.search(
        r"^RUN (export .*?)\\\s+&& python manage.py collectstatic", DOCKERFILE, re.MULTILINE | re.DOTALL
    )
    assert instruction
    result = subprocess.run(
        ["/bin/sh", "-c", f"{instruction[1]} && python -c 'import mindfulqalb.settings'"],
        cwd=ROOT,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, b"")


def in_files(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """Move every value into a file of its own, with a line's end, as `openssl rand -base64 32 > file` leaves it."""
    for name, value in environment.items():
        (folder / name).write_text(f"{value}\n")
    return {f"{name}_FILE": str(folder / name) for name in environment}


def test_every_variable_may_stand_in_a_file(tmp_path: Path) -> None:
    environment = production(METRICS_TOKEN=random_key())

    printed = read_back(in_files(environment, tmp_path), list(environment))

    assert printed == environment


def test_file_wins_over_the_variable(tmp_path: Path) -> None:
    key = random_key()
    named = in_files({"JWT_SECRET": key}, tmp_path)

    assert read_back(production() | named, ["JWT_SECRET"]) == {"JWT_SECRET": key}


def test_production_refuses_a_weak_secret_in_a_file(tmp_path: Path) -> None:
    assert refused(production() | in_files({"SECRET_KEY": "x7!kQ2"}, tmp_path)) == [
        "SECRET_KEY is shorter than 32 characters"
    ]


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    status, line = check(production(SECRET_KEY_FILE=str(tmp_path / "absent")))

    assert (status, "SECRET_KEY_FILE cannot be read: " in line) == (1, True)


def read_back(environment: dict[str, str], names: list[str]) -> dict[str, str]:
    """What a process with this environment takes for the values of some variables."""
    script = f"import json; from mindfulqalb.settings import env; print(json.dumps({{n: env.str(n) for n in {names}}}))"
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))
