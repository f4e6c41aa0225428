"""Makes the pictures of the console: ``python docs/screenshots/make.py``.

Needs the test extra (playwright) and Chromium. The same simulator, the same pictures: time stands
still and everything is made from a seed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import plivo
from playwright.sync_api import sync_playwright

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.client.applications import sample
from plivo_sim.settings import Settings
from plivo_sim.testing.sdk import point

HERE = Path(__file__).parent
ACCOUNT = "MADEMODEMODEMODEMODE"
NAMES = (
    "Sunrise Logistics", "Kaveri Foods", "Lotus Textiles", "Bolt Mobility", "Acme Traders",
    "Indus Analytics", "Malabar Exports", "Deccan Robotics",
)  # fmt: skip
NOBODY = "http://127.0.0.1:9/hook"
"""Where no webhook listens."""
FILES = [str(sample(n)) for n in ("registration_certificate.pdf", "gst_certificate.png")]


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with LiveSimulator(Settings(port=8700, paused=True, review_delay=None)) as live:
        shown = _fill(live.url)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--hide-scrollbars"]
            )
            for name, path, width, height in (
                ("overview", "", 1280, 900),
                ("application", f"applications/{shown}", 1280, 1150),
                ("traffic", "traffic", 1280, 900),
                ("scenario", "scenario", 1280, 900),
                ("time", "time", 1280, 620),
            ):
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{live.url}/console/{ACCOUNT}/{path}")
                page.screenshot(path=HERE / f"{name}.png")
            browser.close()


def _fill(url: str) -> str:
    """A few applications in every state; the id of the one to look at."""
    client = point(plivo.RestClient(ACCOUNT, "any-token"), url)
    control = Client(url, ACCOUNT)
    asked = client.phone_number_compliance_requirements.get("IN", "local", "business")
    documents = [
        {
            "document_type_id": type_.document_type_id,
            "data_fields": {field.field_name: "Acme" for field in type_.required_fields},
        }
        for type_ in asked.document_types
    ]
    ids = {}
    for name in NAMES:
        data = {
            "country_iso": "IN", "number_type": "local", "alias": f"{name}, Mumbai",
            "callback_url": NOBODY if name == "Lotus Textiles" else f"{url}/_sim/inbox/demo",
            "documents": documents,
            "end_user": {
                "type": "business", "name": f"{name} Pvt Ltd", "email": "ops@mail.example",
                "address_line1": "12 MG Road", "city": "Mumbai", "state": "Maharashtra",
                "postal_code": "400001", "country": "IN",
            },
        }  # fmt: skip
        ids[name] = client.phone_number_compliance.create(data, FILES).compliance_id
        _advance(control, "5h")
    for name, status, reason in (
        ("Sunrise Logistics", "accepted", None),
        ("Kaveri Foods", "more_info_required", "Please describe what the number will be used for."),
        ("Lotus Textiles", "rejected", "The scan is not readable. Please upload a clear copy."),
        ("Acme Traders", "rejected", "Business name is not identical on both certificates."),
    ):
        body = {"status": status} | ({"reason": reason} if reason else {})
        control.control("POST", f"/applications/{ids[name]}/decision", body)
    _advance(control, "61s")
    _use(control, "name-mismatch")
    client.phone_number_compliance.update(
        ids["Acme Traders"], {"end_user": {"name": "Acme Private Limited"}}
    )
    return str(ids["Acme Traders"])


def _advance(control: Client, by: str) -> None:
    control.control("POST", "/clock/advance", {"by": by, "account": ACCOUNT})


def _use(control: Client, scenario: str) -> None:
    control.control("POST", "/scenario", {"name": scenario, "account": ACCOUNT})


if __name__ == "__main__":
    main()
