# The service as an image: api, worker, beat and the one-shot migrate run from it (docker-compose.yml).
# PostgreSQL and Valkey are servers of their own there; the wheels that bring them to one machine stay out.

FROM python:3.11-slim-bookworm AS packages
# A mirror of the package index, where the usual one is far away: --build-arg PIP_INDEX_URL=…
ARG PIP_INDEX_URL
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/zhida \
 && /opt/zhida/bin/pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: -r /tmp/requirements.lock

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin zhida
COPY --from=packages /opt/zhida /opt/zhida
WORKDIR /app
# pyproject.toml tells alembic where migrations/ lies; data/ holds the published facts and the calendar.
COPY pyproject.toml ./
COPY domain/ domain/
COPY service/ service/
COPY tasks/ tasks/
COPY migrations/ migrations/
COPY data/ data/
ENV PATH=/opt/zhida/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1
# Compiled here, because the files of a running container are read-only.
RUN python -m compileall -q domain service tasks migrations \
 && printf '#!/bin/sh\nexec python -m service.cli "$@"\n' > /usr/local/bin/zhida \
 && chmod 755 /usr/local/bin/zhida
USER 10001
EXPOSE 8000
CMD ["uvicorn", "service.app:create_app", "--factory", "--host", "0.0.0.0", "--port", "8000", "--no-access-log"]
