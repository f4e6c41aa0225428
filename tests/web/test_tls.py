"""TLS without code changes: the untouched SDK against https://api.plivo.com."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi
import plivo
import pytest
import requests
import urllib3

from plivo_sim.account.store.disk import lock_file, open_file
from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings
from plivo_sim.web import certificates
from plivo_sim.web.certificates import make_tls
from plivo_sim.web.tls import TlsAdapter, TlsUnavailable

pytestmark = pytest.mark.live


@pytest.fixture
def secure(tmp_path: Path) -> Any:
    with LiveSimulator(Settings(port=0, paused=True, tls=True, tls_dir=tmp_path / "tls")) as live:
        yield live


def test_the_untouched_sdk_calls_api_plivo_com(
    secure: LiveSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the name resolved to loopback and the authority in certifi's bundle, as
    ``cat ca.pem >> "$(python -m certifi)"`` puts it there, nothing in the SDK is changed.

    (It sends prepared requests, so ``requests`` does not look at REQUESTS_CA_BUNDLE.)
    """
    port = int(secure.url.rpartition(":")[2])
    real = socket.getaddrinfo

    def resolve(host: Any, wanted: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "api.plivo.com":
            return real("127.0.0.1", port, *args, **kwargs)
        return real(host, wanted, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert secure.authority is not None
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + secure.authority.read_bytes())
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(bundle))
    with plivo.RestClient("MAXXXXXXXXXXXXXXXXXX", "token") as client:
        asked = client.phone_number_compliance_requirements.get("IN", "local", "business")
    assert asked.country_iso == "IN"


def test_what_it_prints_begins_with_https(secure: LiveSimulator) -> None:
    """Pages tell the calls that do the same; they are pasted as they are."""
    with urllib3.PoolManager(ca_certs=str(secure.authority)) as pool:
        page = pool.request("GET", f"{secure.url}/console/MAXXXXXXXXXXXXXXXXXX/applications")
    told = page.data.decode()
    assert f"https://127.0.0.1:{secure.url.rpartition(':')[2]}" in told
    assert "http://127.0.0.1" not in told


def test_without_trust_it_is_refused(secure: LiveSimulator) -> None:
    """A client that does not know the authority does not talk to it."""
    with urllib3.PoolManager(retries=False) as pool, pytest.raises(urllib3.exceptions.SSLError):
        pool.request("GET", f"{secure.url}/_sim/health")


def test_the_hosts_that_control_calls_may_name_are_in_the_certificate(tmp_path: Path) -> None:
    """So that a service of a compose network is steered under its own name."""
    settings = Settings(port=0, tls=True, tls_dir=tmp_path, allowed_hosts=("plivo-sim",))
    with (
        LiveSimulator(settings) as live,
        urllib3.PoolManager(
            ca_certs=str(live.authority), server_hostname="plivo-sim", assert_hostname="plivo-sim"
        ) as pool,
    ):
        answer = pool.request("GET", f"{live.url}/_sim/health", headers={"Host": "plivo-sim"})
    assert answer.status == 200


def test_the_authority_is_kept(tmp_path: Path) -> None:
    """It has to be trusted once; keys are nobody else's to read."""
    _, first = make_tls(tmp_path)
    before = first.read_bytes()
    tls, second = make_tls(tmp_path, "compose-name")
    assert second.read_bytes() == before
    assert (tmp_path / "ca-key.pem").stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=str(second))
    context.load_verify_locations(cafile=str(tls.certificate))


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    """No stack trace."""
    code = (
        "import sys; sys.modules['trustme'] = None\n"
        "from plivo_sim.cli import main\n"
        f"main(['serve', '--tls', '--port', '0', '--tls-dir', {str(tmp_path)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install trustme" in done.stderr
    assert "Traceback" not in done.stderr


def test_keys_are_written_through_no_link(tmp_path: Path) -> None:
    """Somebody who may write to the folder wants to have them elsewhere."""
    folder, elsewhere = tmp_path / "tls", tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "ca-key.pem").symlink_to(elsewhere)
    tls, _ = make_tls(folder)
    assert not elsewhere.exists()
    assert TlsAdapter(tls)


def test_a_second_start_replaces_nothing_that_the_first_may_be_reading(tmp_path: Path) -> None:
    made = make_tls(tmp_path)
    content = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert make_tls(tmp_path) == made
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == content


def test_starts_at_the_same_time_wait_for_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or say for what they have waited."""
    monkeypatch.setattr(certificates, "PATIENCE_S", 0.0)
    with open_file(tmp_path / "lock", "ab") as file:
        assert lock_file(file)
        with pytest.raises(TlsUnavailable, match=r"another process has had .*lock"):
            make_tls(tmp_path)
    assert make_tls(tmp_path)


def test_a_damaged_certificate_is_named(tmp_path: Path) -> None:
    tls, _ = make_tls(tmp_path)
    Path(tls.certificate).write_bytes(b"no certificate")
    with pytest.raises(TlsUnavailable, match=f"--tls-dir: {tls.certificate} cannot be used"):
        TlsAdapter(tls)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_told() -> None:
    """With the setting's name, as in a container whose root cannot be written to."""
    with pytest.raises(TlsUnavailable, match=r"--tls-dir: /proc/tls: .*can be written to"):
        make_tls(Path("/proc/tls"))
