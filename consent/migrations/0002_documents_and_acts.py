import django.db.models.deletion
import mindfulqalb.encryption.fields
from django.db import migrations, models

from mindfulqalb.audit.triggers import append_only

SEALED = [
    "email_encrypted",
    "full_ip_address_encrypted",
    "claimed_ip_address_encrypted",
    "guardian_name_encrypted",
    "guardian_email_encrypted",
]
# A draft may change; what was published never may.
REFUSE_CHANGE = "BEFORE UPDATE OR DELETE ON consent_documents FOR EACH ROW {when} EXECUTE FUNCTION refuse_change()"
ROWS = "CREATE TRIGGER consent_documents_rows " + REFUSE_CHANGE
PUBLISHED_ONLY = "WHEN (OLD.published_at IS NOT NULL)"


def drop_triggers(table: str) -> migrations.RunSQL:
    names = (f"{table}_rows", f"{table}_truncate")
    return migrations.RunSQL([f"DROP TRIGGER {name} ON {table}" for name in names], migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="consentdocument",
            options={"permissions": [("publish_consentdocument", "Can publish a document for good")]},
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="actor",
            field=models.CharField(default="client", help_text="client, system or staff:<id>", max_length=100),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="age_band",
            field=models.CharField(
                blank=True,
                choices=[("adult", "18 or older"), ("under_18", "Under 18")],
                help_text="As the client said.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="control_label",
            field=models.CharField(blank=True, help_text="What the pressed button said.", max_length=200),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="event",
            field=models.CharField(
                choices=[
                    ("given", "Given"),
                    ("renewed", "Given again"),
                    ("withdrawn", "Withdrawn"),
                    ("expired", "Expired"),
                    ("superseded", "Superseded by consent to a newer text"),
                ],
                default="given",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="guardian_email",
            field=mindfulqalb.encryption.fields.EncryptedTextField(
                db_column="guardian_email_encrypted", label="consent.guardian_email", null=True
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="guardian_name",
            field=mindfulqalb.encryption.fields.EncryptedTextField(
                db_column="guardian_name_encrypted", label="consent.guardian_name", null=True
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="guardian_relation",
            field=models.CharField(
                blank=True,
                choices=[("mother", "Mother"), ("father", "Father"), ("legal_guardian", "Legal guardian")],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="kind",
            field=models.CharField(
                choices=[
                    ("informed_consent", "Informed consent"),
                    ("privacy_notice", "Privacy notice"),
                    ("guardian_consent", "Guardian's consent"),
                    ("minor_assent", "Minor's assent"),
                    ("recording", "Recording of sessions"),
                    ("marketing", "News and offers"),
                ],
                default="informed_consent",
                max_length=30,
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="notice",
            field=models.ForeignKey(
                help_text="The privacy notice that was shown with it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="noticed_by",
                to="consent.consentdocument",
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="notice_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="part_of",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="The minor's consent to which this guardian's consent or assent belongs.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="parts",
                to="consent.consentrecord",
            ),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="reference",
            field=models.CharField(blank=True, help_text="What it was about: kind:<id or code>.", max_length=100),
        ),
        migrations.AddField(
            model_name="consentrecord",
            name="refers_to",
            field=models.ForeignKey(
                db_constraint=False,
                help_text="The row that this one renews or closes.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="later_acts",
                to="consent.consentrecord",
            ),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="acknowledgments",
            field=models.JSONField(
                blank=True, default=list, help_text='What must be ticked: [{"id": "item1", "label": "..."}]'
            ),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="kind",
            field=models.CharField(
                choices=[
                    ("informed_consent", "Informed consent"),
                    ("privacy_notice", "Privacy notice"),
                    ("guardian_consent", "Guardian's consent"),
                    ("minor_assent", "Minor's assent"),
                    ("recording", "Recording of sessions"),
                    ("marketing", "News and offers"),
                ],
                default="informed_consent",
                max_length=30,
            ),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="locale",
            field=models.CharField(default="en", help_text="en first; its translations follow.", max_length=10),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="published_at",
            field=models.DateTimeField(editable=False, help_text="Empty: a draft.", null=True),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="sha256",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AlterField(
            model_name="consentdocument",
            name="version",
            field=models.CharField(help_text="The day it was written, such as 2026-11-30.", max_length=20),
        ),
        migrations.AlterField(
            model_name="consentrecord",
            name="method",
            field=models.CharField(
                choices=[
                    ("checkbox", "Ticked each point"),
                    ("booking", "Accepted with the booking"),
                    ("link", "Button behind the signed link"),
                    ("clock", "By the passing of time"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="consentrecord",
            index=models.Index(
                condition=models.Q(("event__in", ("given", "renewed"))),
                fields=["valid_until"],
                name="consent_valid_until",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentdocument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_at__isnull", True), models.Q(("sha256", ""), _negated=True), _connector="OR"
                ),
                name="consent_document_published_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentrecord",
            constraint=models.UniqueConstraint(
                condition=models.Q(("event__in", ("withdrawn", "expired", "superseded"))),
                fields=("refers_to", "event"),
                name="consent_closed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="consentrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("event__in", ("given", "renewed")), ("refers_to__isnull", False), _connector="OR"),
                name="consent_closes_something",
            ),
        ),
        drop_triggers("consent_records"),
        append_only("consent_records", sealed_columns=SEALED),
        migrations.RunSQL(
            ["DROP TRIGGER consent_documents_rows ON consent_documents", ROWS.format(when=PUBLISHED_ONLY)],
            ["DROP TRIGGER consent_documents_rows ON consent_documents", ROWS.format(when="")],
        ),
    ]
