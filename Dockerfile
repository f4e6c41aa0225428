# docker build -t plivo-sim . && docker run --rm -p 127.0.0.1:8700:8700 -v plivo-sim:/state plivo-sim
#
# Settings are PLIVO_SIM_* variables (docker run -e PLIVO_SIM_PAUSED=1 …). Control calls are
# answered under loopback names only, so from another container, where the host name is the
# service's, add -e PLIVO_SIM_ALLOWED_HOSTS=plivo-sim (or whatever the service is called).
ARG BASE=python:3.12-slim
FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY plivo_sim plivo_sim
COPY scenarios scenarios
RUN python3 -m venv /opt/plivo-sim && /opt/plivo-sim/bin/pip install --no-cache-dir -c constraints.txt '.[tls]'

FROM ${BASE}
ENV PATH=/opt/plivo-sim/bin:$PATH PYTHONUNBUFFERED=1 PLIVO_SIM_HOST=0.0.0.0 PLIVO_SIM_PORT=8700 \
    PLIVO_SIM_STATE=/state PLIVO_SIM_TLS_DIR=/tls
# /tls may be read by all, so that another container's user reads /tls/ca.pem; the keys may not.
RUN useradd --system --uid 8700 --user-group --no-create-home plivo-sim \
 && install --directory --owner 8700 --group 8700 --mode 0700 /state \
 && install --directory --owner 8700 --group 8700 --mode 0755 /tls
COPY --from=build /opt/plivo-sim /opt/plivo-sim
USER 8700:8700
VOLUME /state /tls
EXPOSE 8700
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["plivo-sim", "healthcheck"]
CMD ["plivo-sim", "serve"]
