"""Make an account for somebody who works here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mindfulqalb.staff.accounts import create_staff
from mindfulqalb.staff.roles import ROLES

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py create_staff asha --email asha@example.com --role "Front desk"`: prints the first password, once."""

    help = f"Create a staff account. Roles: {', '.join(ROLES)}."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a name, an email and roles."""
        parser.add_argument("username")
        parser.add_argument("--email", required=True, help="where news of new logins go")
        parser.add_argument("--role", action="append", required=True, dest="roles", metavar="ROLE", help="may repeat")
        parser.add_argument("--name", default="", help="as colleagues know the person")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create and print."""
        try:
            member, password = create_staff(
                username=options["username"],
                email=options["email"],
                roles=options["roles"],
                full_name=options["name"],
                actor="command:create_staff",
                now=timezone.now(),
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        self.stdout.write(f"Login, shown this once: user {member.username}, password {password}")
