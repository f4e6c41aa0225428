"""The numbers page: what is rented, and how to rent one."""

from __future__ import annotations

import html
import re
import shlex

import pytest
from msgspec.structs import replace

from plivo_sim.catalogue import load_catalogue
from plivo_sim.console.pages import PAGE_SIZE
from plivo_sim.domain.records import NumberType
from plivo_sim.services import inventory
from tests.apis.numbers_support import Numbers
from tests.console.support import HOME
from tests.support import AUTH_ID, Http

PAGE = f"{HOME}/numbers"
STOCK = [each.number for each in inventory.stock(load_catalogue(1), 1, "US", NumberType.LOCAL)]


def rent(http: Http, *numbers: str) -> None:
    for number in numbers:
        answer = http.post(f"PhoneNumber/{number}/")
        assert answer.status_code == 201, answer.text


def listed(http: Http, query: str = "") -> list[str]:
    """The numbers on the page, from above."""
    return re.findall(r"<td>\+(\d+)</td>", http.get(f"{PAGE}{query}").text)


def commands(http: Http) -> list[list[str]]:
    """The calls that the page shows, as a shell would read them."""
    found = re.findall(r'<pre id="rent-\d+"[^>]*>(.*?)</pre>', http.get(PAGE).text, re.S)
    return [shlex.split(html.unescape(each)) for each in found]


def make(http: Http, command: list[str]) -> int:
    """Do what a shown command does; returns the status."""
    url = next(word for word in command if word.startswith("http"))
    path = url[url.index("/v1/") :]
    if "-d" not in command:
        return http.call(command[2], path).status_code
    body = command[command.index("-d") + 1]
    return http.call(command[2], path, data=body, content_type="application/json").status_code


def test_none_says_how_to_get_one(http: Http) -> None:
    """An empty account shows calls that rent."""
    assert "No number is rented" in http.get(PAGE).text
    assert len(commands(http)) == 2


def test_newest_first(http: Http) -> None:
    """The list begins with what was rented last."""
    rent(http, *STOCK[:3])
    assert listed(http) == STOCK[2::-1]


@pytest.mark.parametrize("page", [1, 2])
def test_pages(http: Http, page: int) -> None:
    """Each page holds the next older ones."""
    rented = STOCK[: PAGE_SIZE + 2]
    rent(http, *rented)
    there = rented[::-1][:PAGE_SIZE] if page == 1 else rented[1::-1]
    assert listed(http, f"?page={page}") == there


@pytest.mark.parametrize("query", ["{0}", "%2B{0}", "{1}", "+{0}+"])
def test_searching_by_digits(http: Http, query: str) -> None:
    """Any of a number's digits find it, with or without a plus."""
    rent(http, *STOCK[:5])
    asked = query.format(STOCK[2], STOCK[2][4:])
    assert listed(http, f"?q={asked}") == [STOCK[2]]


def test_what_is_found_is_newest_first_too(http: Http) -> None:
    """A search that finds several lists them as the whole list does."""
    rent(http, *STOCK[:3])
    assert listed(http, "?q=1") == STOCK[2::-1]


def test_what_no_number_has(http: Http) -> None:
    """A search without a hit says so, and keeps what was asked, as text."""
    rent(http, STOCK[0])
    page = http.get(PAGE, query_string={"q": '9999999999"><script>'}).text
    assert "No number of this account has these digits" in page
    assert "<script>" not in page


def test_a_linked_number_leads_to_its_application(http: Http) -> None:
    """Country, type, alias and subaccount are shown, and the application with its status."""
    id = http.sdk_created(alias="<b>Acme</b>")
    http.decide(id, "accepted")
    assert make(http, commands(http)[2]) == 201
    with http.account.transaction():
        (number,) = http.account.store.numbers.every()
        changed = replace(number, alias="<i>front desk</i>", subaccount="SAXXXXXXXXXXXXXXXXXX")
        http.account.store.numbers.put(changed)
    page = http.get(PAGE).text
    assert f'href="{HOME}/applications/{id}">&lt;b&gt;Acme&lt;/b&gt;</a>' in page
    assert "<td>IN</td><td>local</td>" in page
    assert "&lt;i&gt;front desk" in page
    assert "SAXXXXXXXXXXXXXXXXXX" in page


def test_only_what_can_be_rented_is_shown(http: Http) -> None:
    """The newest accepted application may be one that rents nothing: for Indian mobile numbers, or
    of an individual."""
    numbers = Numbers(http)
    id = numbers.application()
    numbers.application(number_type="mobile", alias="Second")
    numbers.individual()
    shown = commands(http)
    assert len(shown) == 3
    assert make(http, shown[2]) == 201
    (number,) = http.account.store.numbers.every()
    assert number.application_id == id


def test_the_shown_calls_work(http: Http) -> None:
    """What the page shows for copying does what it says."""
    search, free = commands(http)
    assert make(http, search) == 200
    assert make(http, free) == 201
    assert len(listed(http)) == 1


def test_the_shown_calls_do_not_give_the_token_away(http: Http) -> None:
    """The token is the shell's own."""
    http.sdk_created()
    assert http.token not in http.get(PAGE).text


def test_looking_at_an_account_does_not_make_it(http: Http) -> None:
    """A page of an unknown account is a page, and the account is still unknown."""
    assert http.get(PAGE).status_code == 200
    assert http.sim.accounts() == []


def test_what_is_no_account_is_a_404_page(http: Http) -> None:
    """A wrong account id is told as HTML with the right status."""
    answer = http.get("/console/MA123/numbers")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_the_calls_name_the_account(http: Http) -> None:
    """Each is made with this account's id."""
    for command in commands(http):
        assert command[command.index("-u") + 1].startswith(f"{AUTH_ID}:")
