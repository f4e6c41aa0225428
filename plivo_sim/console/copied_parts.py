"""The parts of a test that is made of what was done, which are the same in each."""

from __future__ import annotations

HEAD = '''\
"""What was done by hand in the account {account}, as a test.

Made by the console of plivo-sim. To run it: pip install plivo-sim plivo pytest; pytest FILE
{notes}"""

{imports}


@pytest.mark.plivo_sim({marker})
def test_as_it_was_done_by_hand({fixtures}):
'''
CALL = '''\
    account = plivo_server.account.auth_id

    def call(method, path, status, **sent):
        """A request of an API; it must be answered with this status."""
        answer = requests.request(
            method,
            f"{plivo_server.url}{path}",
            auth=(account, plivo_server.account.auth_token),
            timeout=60,
            **sent,
        )
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else {}
'''
CONTROL = '''\

    def control(method, path, **body):
        """A call of the control API about the account."""
        answer = requests.request(
            method, f"{plivo_server.url}{path}", params={"account": account}, json=body, timeout=60
        )
        assert answer.ok, answer.text
'''
UPLOAD = '''\

    def upload(name):
        """A file of this name; the content of what was uploaded is not kept."""
        is_png = name.lower().endswith(".png")
        kind = sample("gst_certificate.png" if is_png else "registration_certificate.pdf")
        return name, kind.read_bytes() + f"\\n% {name}".encode()
'''
