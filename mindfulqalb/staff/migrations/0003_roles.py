from django.db import migrations

ROLES = ["Therapist", "Front desk", "Finance", "Compliance auditor", "Administrator"]


def make_roles(apps, schema_editor):
    """Make the groups; `load_roles`, run after every migrate, gives them what mindfulqalb/staff/roles.py says."""
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0002_second_factor_and_tokens"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
