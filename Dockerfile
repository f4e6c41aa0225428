# docker build -t plivo-sim . && docker run --rm -p 8700:8700 -v plivo-sim:/state plivo-sim
#
# Settings are PLIVO_SIM_* variables (docker run -e PLIVO_SIM_PAUSED=1 …). Control calls are
# answered under loopback names only, so from another container, where the host name is the
# service's, add -e PLIVO_SIM_ALLOWED_HOSTS=plivo-sim (or whatever the service is called).
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY plivo_sim plivo_sim
COPY scenarios scenarios
RUN python -m venv /opt/plivo-sim && /opt/plivo-sim/bin/pip install --no-cache-dir -c constraints.txt '.[tls]'

FROM python:3.12-slim
ENV PATH=/opt/plivo-sim/bin:$PATH PYTHONUNBUFFERED=1 PLIVO_SIM_STATE=/state
RUN useradd --system --uid 8700 --no-create-home plivo-sim \
 && install --directory --owner plivo-sim --mode 0700 /state
COPY --from=build /opt/plivo-sim /opt/plivo-sim
USER plivo-sim
VOLUME /state
EXPOSE 8700
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8700/_sim/health/ready', timeout=2)"]
CMD ["plivo-sim", "serve", "--host", "0.0.0.0", "--port", "8700"]
