"""The pages' paths."""

from __future__ import annotations

from django.urls import path

from mindfulqalb.sandbox.mailbox import views as mailbox
from mindfulqalb.sandbox.pages import calendar, calls, home, payments, static, trouble

urlpatterns = [
    path("", home.home_page),
    path("calendar", calendar.calendar_page),
    path("payments", payments.payments_page),
    path("payments/razorpay/<order_id>", payments.pay_button),
    path("mail", mailbox.mailbox_page),
    path("mail/<number>", mailbox.mail_page),
    path("mail/<number>/html", mailbox.mail_html),
    path("mail/<number>/attachments/<int:index>", mailbox.mail_attachment),
    path("trouble", trouble.trouble_page),
    path("calls", calls.calls_page),
    path("static/<name>", static.static_file),
]
