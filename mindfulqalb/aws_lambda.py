"""The handler for AWS Lambda behind an HTTP API, a function URL or a load balancer; needs `pip install apig-wsgi`.

Vercel needs none: it finds `app` in mindfulqalb/wsgi.py. They are apart because Vercel takes anything called `handler`
for a class of `http.server`.
"""

from __future__ import annotations

from typing import Any

from apig_wsgi import make_lambda_handler

from mindfulqalb.wsgi import application

_answer = make_lambda_handler(application, binary_support=True)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one event: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.

    Headers spelt with an underscore are dropped: WSGI could not tell `X_Forwarded_For` from the one that AWS wrote.
    """
    headers = {name: value for name, value in (event.get("headers") or {}).items() if "_" not in name}
    answer: dict[str, Any] = _answer(event | {"headers": headers}, context)
    return answer
