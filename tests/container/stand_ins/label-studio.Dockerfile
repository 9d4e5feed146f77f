# Label Studio from PyPI under the official image's name: the same user, the same place
# for its data, the same environment. The packages are those that `make test` installed.
FROM localhost/label-studio-packages
# Debian 12 has Python 3.11.2, for which one of them needs one more.
RUN python3 -m venv /opt/pip \
    && /opt/pip/bin/pip install --quiet --target /opt/more async-timeout
ENV HOME=/label-studio \
    LABEL_STUDIO_BASE_DATA_DIR=/label-studio/data \
    PYTHONPATH=/site-packages:/opt/more
RUN install --directory --owner=1001 --group=0 --mode=0775 /label-studio/data
COPY label-studio.sh /label-studio/docker-entrypoint.sh
WORKDIR /label-studio
EXPOSE 8080
USER 1001
ENTRYPOINT ["sh", "/label-studio/docker-entrypoint.sh"]
CMD ["label-studio"]
