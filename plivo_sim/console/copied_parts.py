"""The parts of a test that is made of what was done, which are the same in each."""

from __future__ import annotations

HEAD = '''\
"""What was done by hand in the account {account}, as a test.

Made by the console of plivo-sim. To run it, with the path of a checkout of plivo-sim:
pip install plivo-sim/ pytest; pytest FILE
{notes}"""

{imports}


@pytest.mark.plivo_sim({marker})
def test_as_it_was_done_by_hand({fixtures}):
'''
CALL = '''\
    account = plivo_server.account.auth_id
    http = urllib3.PoolManager(retries=False)

    def call(method, path, status, **sent):
        """A request of an API; it must be answered with this status."""
        login = f"{account}:{plivo_server.account.auth_token}"
        headers = urllib3.make_headers(basic_auth=login) | sent.get("headers", {})
        url = f"{plivo_server.url}{path}?{urlencode(sent.get('params', ()))}".removesuffix("?")
        body = None
        if "json" in sent:
            body, headers["Content-Type"] = json.dumps(sent["json"]), "application/json"
        elif "files" in sent:
            body, headers["Content-Type"] = urllib3.encode_multipart_formdata(sent["files"])
        elif "data" in sent:
            body = urlencode(sent["data"])
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = http.request(method, url, body=body, headers=headers, timeout=60)
        text = answer.data.decode()
        assert answer.status == status, text
        return json.loads(text) if text else {}
'''
CONTROL = '''\

    def control(method, path, /, **body):
        """A call of the control API about the account."""
        url = f"{plivo_server.url}{path}?account={account}"
        headers = {"Content-Type": "application/json"}
        answer = http.request(method, url, body=json.dumps(body), headers=headers, timeout=60)
        assert answer.status < 400, answer.data.decode()
'''
UPLOAD = '''\

    def upload(name):
        """A file of this name; the content of what was uploaded is not kept."""
        is_png = name.lower().endswith(".png")
        kind = sample("gst_certificate.png" if is_png else "registration_certificate.pdf")
        return name, kind.read_bytes() + f"\\n% {name}".encode()
'''
