"""pip install testcontainers plivo pytest; docker build -t plivo-sim . in plivo-sim's checkout."""

import os

import plivo
import plivo.rest.client
import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy


@pytest.fixture(scope="session")
def plivo_url():
    image = os.environ.get("PLIVO_SIM_IMAGE", "plivo-sim")
    container = DockerContainer(image).with_exposed_ports(8700).with_env("PLIVO_SIM_PAUSED", "1")
    with container.waiting_for(HttpWaitStrategy(8700, "/_sim/health/ready")) as started:
        yield f"http://{started.get_container_host_ip()}:{started.get_exposed_port(8700)}"


def test_nothing_yet(plivo_url, monkeypatch):
    monkeypatch.setattr(plivo.rest.client, "PLIVO_API_BASE_URI", f"{plivo_url}/v1/Account")
    client = plivo.RestClient("MAXXXXXXXXXXXXXXXXXX", "token")
    assert client.phone_number_compliance.list().meta["total_count"] == 0
