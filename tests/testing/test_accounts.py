"""Which account the fixtures are of, and clients of several."""

from __future__ import annotations

from typing import Any

import plivo
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.testing import in_process, served
from plivo_sim.testing.accounts import fixed_tokens, merged

pytest_plugins = ["pytester"]

MAIN, SUB, OTHER = ("MAOWNOWNOWNOWNOWNOWN", "SAOWNOWNOWNOWNOWNOWN", "MAOTHEROTHEROTHEROTH")


def run(project: pytest.Pytester, *args: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", "--strict-markers", *args)


def test_the_ini_file_markers_and_arguments_choose_the_account(pytester: pytest.Pytester) -> None:
    """The nearest one counts; other credentials than the chosen ones get 401."""
    pytester.makeini(f"[pytest]\nplivo_auth_id = {MAIN}\nplivo_auth_token = ini-token\n")
    pytester.makepyfile(f"""
        import plivo, pytest

        def account(server):
            return server.auth_id, server.auth_token

        def test_of_the_ini_file(plivo_server, plivo_client, plivo_inbox):
            assert account(plivo_server) == ("{MAIN}", "ini-token")
            assert plivo_inbox.token == "ini-token"
            plivo_client.phone_number_compliance.list()
            wrong = plivo_server.for_account("{MAIN}", "wrong-token").client()
            with pytest.raises(plivo.exceptions.AuthenticationError):
                wrong.phone_number_compliance.list()

        @pytest.mark.plivo_sim(auth_id="{OTHER}", auth_token="token", seed=7)
        class TestOfTheMarker:
            @pytest.mark.plivo_sim(seed=8)
            def test_several_are_one(self, plivo_server):
                assert account(plivo_server) == ("{OTHER}", "token")
                assert plivo_server.sim.settings.seed == 8

            @pytest.mark.plivo_sim(auth_id="{MAIN}")
            def test_a_token_is_of_its_auth_id(self, plivo_server):
                assert account(plivo_server) == ("{MAIN}", "test-token")

        @pytest.mark.parametrize(
            "plivo_server", [{{"auth_id": "{OTHER}", "auth_token": "token"}}], indirect=True
        )
        def test_of_the_argument(plivo_server, plivo_client):
            assert account(plivo_server) == ("{OTHER}", "token")
            plivo_client.phone_number_compliance.list()
    """)
    run(pytester).assert_outcomes(passed=4)


def test_what_makes_no_sense_is_told(pytester: pytest.Pytester) -> None:
    """In a sentence, wherever it stands."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("plivo_server", ["MA"], indirect=True)
        def test_text(plivo_server): ...

        @pytest.mark.parametrize("plivo_sim", [{"auth_di": "MA"}], indirect=True)
        def test_name(plivo_sim): ...
    """)
    result = run(pytester)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([
        "@pytest.mark.plivo_sim: 'MA' is no dictionary",
        "@pytest.mark.plivo_sim: auth_di=: no such argument; did you mean 'auth_id'?",
    ])  # fmt: skip
    wrong = run(pytester, "-o", "plivo_auth_id=me")
    wrong.stderr.fnmatch_lines(["ERROR: plivo_auth_id: 'me' is not MA or SA and 18 letters *"])


def test_a_subaccounts_application(pytester: pytest.Pytester) -> None:
    """With its own credentials, beside the main account's; signatures are checked with both."""
    pytester.makepyfile(f"""
        import plivo, pytest

        DATA = {{"country_iso": "US", "number_type": "local", "alias": "Acme",
                "end_user": {{"type": "business", "name": "Acme"}}}}

        @pytest.mark.plivo_sim(auth_id="{MAIN}", auth_token="main", subaccount_token="sub")
        def test_both(plivo_client, plivo_server, plivo_inbox):
            sub = plivo_server.for_account("{SUB}", "sub")
            data = DATA | {{"callback_url": plivo_inbox.url}}
            plivo_client.phone_number_compliance.create(data=data)
            sub.client().phone_number_compliance.create(data=data | {{"alias": "Acme, sub"}})
            plivo_server.advance(days=30)
            assert [each.signed for each in plivo_inbox.wait_for(2, timeout_s=60)] == [True, True]
            assert len(sub.applications()) == len(plivo_server.applications()) == 2
            wrong = plivo_server.for_account("{SUB}", "main").client()
            with pytest.raises(plivo.exceptions.AuthenticationError):
                wrong.phone_number_compliance.list()

        @pytest.mark.plivo_sim(auth_id="{SUB}", auth_token="sub")
        def test_alone(plivo_client, plivo_server, plivo_inbox):
            made = plivo_client.phone_number_compliance.create(
                data=DATA | {{"callback_url": plivo_inbox.url}}
            )
            plivo_server.accept(made.compliance_id)
            assert [each.signed for each in plivo_inbox.wait_for(1, timeout_s=60)] == [True]
            assert plivo_server.auth_id == "{MAIN}"
    """)
    run(pytester).assert_outcomes(passed=2)


@pytest.mark.live
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_the_inbox_knows_the_tokens_of_the_tests_accounts(
    pytester: pytest.Pytester, elsewhere: LiveSimulator, is_elsewhere: bool
) -> None:
    """Of those that have a handle, and of those whose tokens the marker fixes; and no other."""
    pytester.makepyfile(f"""
        import pytest
        from plivo_sim.testing import sdk

        DATA = {{"country_iso": "US", "number_type": "local", "alias": "Acme",
                "end_user": {{"type": "business", "name": "Acme"}}}}

        def file(client, inbox, **changes):
            made = client.phone_number_compliance.create(
                data=DATA | {{"callback_url": inbox.url}} | changes)
            return made.compliance_id

        def test_handles(plivo_inbox, plivo_client, plivo_server):
            other = plivo_server.for_account("{OTHER}", "of the other")
            sub = plivo_server.for_account("SA{OTHER[2:]}", "of its sub")
            file(plivo_client, plivo_inbox)
            for handle in (other, sub):
                file(handle.client(), plivo_inbox, alias=handle.credentials[1])
            for handle in (plivo_server, other):
                handle.advance(days=30)
            assert [each.signed for each in plivo_inbox.wait_for(3, timeout_s=60)] == [True] * 3

        def test_nobodys_token(plivo_server, plivo_inbox):
            import plivo
            client = plivo.RestClient(plivo_server.auth_id, "of the other")
            file(sdk.point(client, plivo_server.url), plivo_inbox)
            plivo_server.advance(days=30)
            assert [each.signed for each in plivo_inbox.wait_for(1, timeout_s=60)] == [False]

        @pytest.mark.plivo_sim(auth_id="{MAIN}", credentials={{"{OTHER}": "fixed"}})
        def test_fixed(plivo_sim, plivo_inbox):
            import json
            from werkzeug.test import Client
            answer = Client(plivo_sim.app).post(
                "/v1/Account/{OTHER}/PhoneNumber/Compliance/", auth=("{OTHER}", "fixed"),
                data={{"data": json.dumps(DATA | {{"callback_url": plivo_inbox.url}})}})
            assert answer.status_code == 201, answer.text
            plivo_sim.for_account("{OTHER}", "another").advance(days=30)
            assert [each.signed for each in plivo_inbox.wait_for(1, timeout_s=60)] == [True]
    """)
    options = (f"--plivo-sim-url={elsewhere.url}",) if is_elsewhere else ()
    run(pytester, *options).assert_outcomes(passed=3)


@pytest.mark.live
def test_each_account_has_clients_and_verbs_of_its_own() -> None:
    """On one server; clients are closed together."""
    with served() as sim:
        other = sim.for_account(OTHER, "token")
        clients: list[Any] = [each.client() for each in (sim, other, other)]
        for alias, client in zip("abc", clients, strict=True):
            client.phone_number_compliance.create(
                data={
                    "country_iso": "US", "number_type": "local", "alias": alias,
                    "end_user": {"type": "business", "name": "Acme"},
                }
            )  # fmt: skip
        told = [sorted(each.alias for each in it.applications()) for it in (sim, other)]
        assert told == [["a"], ["b", "c"]]
        (application,) = sim.applications()
        other.advance(days=30)
        assert sim.application(application.id).status == "submitted"
        assert {each.status for each in other.applications()} == {"accepted"}


def test_what_is_no_account_or_has_no_address_says_so() -> None:
    """Handles of tests that are in process, too."""
    with in_process() as sim:
        with pytest.raises(ValueError, match="'me' is not MA or SA and 18 letters or digits"):
            sim.for_account("me", "token")
        with pytest.raises(TypeError, match="has no URL: use plivo_server"):
            sim.client()


def test_tokens_belong_to_the_auth_id_beside_them() -> None:
    """Another auth id does not take them over."""
    account = {"auth_id": MAIN, "auth_token": "a"}
    assert merged([account, {"subaccount_token": "b"}]) == account | {"subaccount_token": "b"}
    assert merged([account, {"auth_id": MAIN, "seed": 2}]) == account | {"seed": 2}
    assert merged([account, {"auth_id": OTHER}]) == {"auth_id": OTHER}
    assert merged([account, {"auth_token": "b"}]) == account | {"auth_token": "b"}


@pytest.mark.parametrize(
    ("wanted", "fixed"),
    [
        ({}, {}),
        ({"auth_id": MAIN}, {}),
        ({"auth_id": MAIN, "auth_token": "a"}, {MAIN: "a"}),
        ({"auth_id": SUB, "auth_token": "a"}, {SUB: "a"}),
        (
            {"auth_id": MAIN, "auth_token": "a", "subaccount_token": "b"},
            {MAIN: "a", SUB: "b"},
        ),
    ],
)
def test_a_token_that_is_given_is_the_only_one(
    wanted: dict[str, str], fixed: dict[str, str]
) -> None:
    """As the setting ``credentials``."""
    assert fixed_tokens(wanted) == fixed


def test_the_sdk_is_what_clients_are() -> None:
    """Of the official one, pointed; ``with`` closes it, too."""
    with served() as sim, sim.client() as client:
        assert isinstance(client, plivo.RestClient)
        assert client.session.auth == (sim.auth_id, sim.auth_token)
