# Debian's PostgreSQL under the official image's name, with an entry point that does the
# same for an empty volume: a database, its owner, and nobody without the password.
FROM docker.io/library/python:3.11-slim-bookworm
RUN groupadd --gid 999 postgres \
    && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
    && apt-get -qq update \
    && apt-get -qq install --yes --no-install-recommends postgresql-15 \
    && rm -rf /var/lib/postgresql/15 \
    && install --directory --owner=999 --group=999 --mode=0700 /var/lib/postgresql/data \
    && install --directory --owner=999 --group=999 --mode=3777 /var/run/postgresql
COPY postgres.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin \
    PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "/usr/local/bin/docker-entrypoint.sh"]
CMD ["postgres"]
