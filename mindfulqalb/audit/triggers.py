"""Triggers that make a table append-only, for migrations: the database refuses, whoever asks."""

from __future__ import annotations

from django.db import migrations

# A door is a setting of one transaction: "retention" may erase, "reencrypt" may rewrite sealed columns and nothing
# else.
FUNCTION_BODY = """
DECLARE door text := coalesce(current_setting('mindfulqalb.door', true), '');
BEGIN
    IF door = 'retention' THEN
        RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW WHEN 'DELETE' THEN OLD END;
    END IF;
    IF door = 'reencrypt' AND TG_OP = 'UPDATE' AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
"""
CREATE_FUNCTION = f"CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $${FUNCTION_BODY}$$"
DROP_FUNCTION = "DROP FUNCTION refuse_change()"


def append_only(table: str, *, sealed_columns: list[str]) -> migrations.RunSQL:
    """Make a migration operation that lets `table` grow and nothing else, its encrypted columns' rotation apart."""
    arguments = ", ".join(f"'{column}'" for column in sealed_columns)
    rows = f"{table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change({arguments})"
    truncate = f"{table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    return migrations.RunSQL(
        [f"CREATE TRIGGER {rows}", f"CREATE TRIGGER {truncate}"],
        [f"DROP TRIGGER {table}_rows ON {table}", f"DROP TRIGGER {table}_truncate ON {table}"],
    )
