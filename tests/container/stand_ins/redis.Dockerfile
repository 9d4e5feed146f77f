# Debian's Redis under the official image's name, with an entry point that does the same.
FROM docker.io/library/python:3.11-slim-bookworm
RUN apt-get -qq update \
    && apt-get -qq install --yes --no-install-recommends redis-server \
    && install --directory --owner=999 --group=999 /data
COPY redis.sh /usr/local/bin/docker-entrypoint.sh
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["sh", "/usr/local/bin/docker-entrypoint.sh"]
CMD ["redis-server"]
