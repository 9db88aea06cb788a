"""Staff accounts in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from mindfulqalb.staff.models import StaffMember

admin.site.register(StaffMember, UserAdmin)
