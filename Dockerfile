# One image for web, worker and beat; compose.yaml shows how they are started. It holds no secret and no .env.

FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PATH=/venv/bin:$PATH
RUN python -m venv /venv
COPY requirements.txt .
RUN pip install --require-hashes --no-deps --only-binary :all: --requirement requirements.txt
WORKDIR /app
COPY . .
# Production settings refuse to load without secrets; these are thrown away with this line.
RUN export ENVIRONMENT=production SITE_URL=https://build.invalid ALLOWED_HOSTS=build.invalid EMAIL_HOST=build.invalid \
        DATABASE_URL=postgresql://build.invalid/build REDIS_URL=redis://build.invalid/0 \
        CALCOM_EVENT_TYPE_IDS='{"free": "0"}' \
    && for name in SECRET_KEY JWT_SECRET ENCRYPTION_KEY BLIND_INDEX_KEY AUDIT_SIGNING_KEY CALCOM_API_KEY \
        CALCOM_WEBHOOK_SECRET RAZORPAY_KEY_ID RAZORPAY_KEY_SECRET RAZORPAY_WEBHOOK_SECRET STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET; \
        do export "$name=$(python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')"; done \
    && python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q .

FROM python:3.11-slim-trixie
# WEB_THREADS (8) times workers times replicas must stay below what PostgreSQL accepts.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    GRANIAN_WORKERS=2 GRANIAN_WORKERS_KILL_TIMEOUT=20 GRANIAN_RESPAWN_FAILED_WORKERS=true
# pg_dump, for `manage.py backup`: of PostgreSQL 17, as in compose.yaml.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --user-group --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mindfulqalb
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# Asks under the public name: ALLOWED_HOSTS knows no other.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; host = os.environ['SITE_URL'].split('/')[2]; r.urlopen(r.Request('http://127.0.0.1:8000/livez', headers={'Host': host}), timeout=4)"]
CMD ["granian", "--interface", "asgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "mindfulqalb.asgi:application"]
