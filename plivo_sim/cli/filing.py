"""``plivo-sim apps file|correct|submit|delete``: what a client of the API does, without an SDK."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plivo_sim.catalogue.user_files import bytes_in
from plivo_sim.cli.numbers import Int, IntRange
from plivo_sim.cli.shared import (
    Target,
    WrongFile,
    id_argument,
    read_pairs,
    token_option,
    with_holder,
    with_new_account,
)
from plivo_sim.cli.words import COUNTRIES
from plivo_sim.domain.limits import BODY
from plivo_sim.domain.records import END_USER_DETAILS, NumberType, Origin, UserType
from plivo_sim.domain.words import did_you_mean

if TYPE_CHECKING:
    from plivo_sim.client import Client
    from plivo_sim.client.applications import Applicant, File, Requirement
    from plivo_sim.client.filing import Countries, Requirements
    from plivo_sim.client.rows import Row

C = TypeVar("C", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path, exists=True, dir_okay=False)


def _details(
    context: click.Context, parameter: click.Parameter, texts: Sequence[str]
) -> dict[str, str]:
    pairs, known = read_pairs(context, parameter, texts), set(END_USER_DETAILS) - {"country"}
    for name in pairs.keys() - known:
        hint = did_you_mean(name, sorted(known), listed=len(known))
        raise click.BadParameter(f"unknown: '{name}'{hint}", context, parameter)
    return pairs


def _content_options(command: C) -> C:
    """What an application is made of; what is not given is made up."""
    for option in (
        click.option("--seed", type=Int(), default=1, show_default=True,
                     help="Another seed, other people."),
        token_option("Auth token of the account; its callbacks are signed with the last one used."),
        click.option("--file", "files", metavar="DOCUMENT=FILE", multiple=True,
                     callback=read_pairs, help="Your own file for a document of this type."),
        click.option("--field", "fields", metavar="NAME=VALUE", multiple=True,
                     callback=read_pairs, help="A field of the documents."),
        click.option("--end-user", metavar="NAME=VALUE", multiple=True, callback=_details,
                     help="A detail of the end user: name=Acme, city=Mumbai."),
        click.option("--alias", default="", help="Alias of the application."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.option("--country", metavar="XX", type=COUNTRIES, help="Two letters.")
@click.option("--number-type", type=click.Choice(list(map(str, NumberType))), default="local",
              show_default=True, help="Of the numbers.")  # fmt: skip
@click.option("--user-type", type=click.Choice(list(map(str, UserType))), default="business",
              show_default=True, help="Who applies.")  # fmt: skip
@click.option("--csv", "csv_file", type=_PATH, help="Take who applies from a row of this file.")
@click.option("--row", type=IntRange(1), default=1, show_default=True,
              help="Which row of --csv, the first below the heads being 1.")  # fmt: skip
@click.option("--callback-url", metavar="URL", default="", help="Where its callbacks go.")
@_content_options
@with_new_account
def file(
    target: Target,
    country: str | None,
    csv_file: Path | None,
    row: int,
    token: str,
    seed: int,
    **given: Any,
) -> None:
    """File an application, as a client of the API does.

    What is not given is made up, with a generated file for each document. The columns of --csv are
    those of plivo-sim seed; options go before its cells.
    """
    from plivo_sim.client import Client
    from plivo_sim.client.filing import account_at, catalogue_at

    if (country is None) == (csv_file is None):
        raise click.UsageError("give one of --country, --csv")
    try:
        requirements, countries = catalogue_at(target.client, [country] if country else [])
    except ValueError as error:
        raise click.UsageError(f"--country {error}") from None
    client = Client(target.client.url, target.account or account_at(target.client), token)
    if csv_file is not None:
        applicant = _of_row(_row_of(client, csv_file, row, requirements), seed, countries, given)
    else:
        key = (str(country).upper(), given["number_type"], given["user_type"])
        if key not in requirements:
            has = ", ".join(sorted(f"{each[1]} {each[2]}" for each in requirements))
            raise click.UsageError(f"{key[0]} has no {key[1]} {key[2]} numbers; it has {has}")
        applicant = _made(key, seed, countries, given)
    answer = _sent(client, "", applicant, requirements[applicant.key], given)
    target.show(answer, lambda made: f"{made['compliance_id']} is filed in {client.auth_id}")


@click.command()
@id_argument("application")
@_content_options
@with_holder
def correct(target: Target, id: str, token: str, seed: int, **given: Any) -> None:
    """Correct an application, and send it again.

    It does what a client of the API does. Documents are sent again whole, as an update on Plivo
    replaces them all: made up anew, but for the files and fields that are given. With --alias and
    --end-user alone they stay as they are.
    """
    from plivo_sim.client.filing import catalogue_at

    found = target.get(f"/applications/{id}")
    client = _client_of(target, found, token)
    requirements, countries = catalogue_at(target.client, [found["country_iso"]])
    key = (found["country_iso"], found["number_type"], found["user_type"])
    shown = client.compliance("GET", f"{id}/?expand=end_user")["compliance"]
    named = {name: text for name, text in shown["end_user"].items() if text}
    known = {name: named[name] for name in END_USER_DETAILS if name in named and name != "country"}
    whole = {**given, "end_user": known | given["end_user"]}
    applicant = _made(key, seed + found["attempt"], countries, whole)
    answer = _sent(client, f"{id}/", applicant, requirements[key], given)
    target.show(answer, _done(f"{id} is corrected and sent again"))


@click.command()
@id_argument("application")
@token_option("Auth token of the account.")
@with_holder
def submit(target: Target, id: str, token: str) -> None:
    """Submit a draft, or a corrected application of the legacy API.

    The other APIs submit what is filed or corrected at once.
    """
    client = _client_of(target, target.get(f"/applications/{id}"), token)
    answer = client.api("POST", f"ComplianceApplication/{id}/Submit/")
    target.show(answer, _done(f"{id} is submitted"))


@click.command()
@id_argument("application")
@token_option("Auth token of the account.")
@with_holder
def delete(target: Target, id: str, token: str) -> None:
    """Delete an application, as a client of the API does.

    Through the API that made it; not in every status, nor while a number is linked to it.
    """
    found = target.get(f"/applications/{id}")
    client = _client_of(target, found, token)
    if found["origin"] == Origin.LEGACY:
        answer = client.api("DELETE", f"ComplianceApplication/{id}/")
    else:
        answer = client.compliance("DELETE", f"{id}/")
    target.show(answer, _done(f"{id} is deleted"))


def _done(sentence: str) -> Callable[[Any], str]:
    """What is said of an answer of the API, if it is one."""
    return lambda answer: sentence if answer["api_id"] else ""


def _client_of(target: Target, application: Mapping[str, Any], token: str) -> Client:
    from plivo_sim.client import Client

    return Client(target.client.url, application["account"], token)


def _row_of(client: Client, path: Path, number: int, requirements: Requirements) -> Row:
    """Raises WrongFile with every mistake of the file."""
    from plivo_sim.client.rows import read_rows

    table = read_rows(path, requirements, client.machine(client.auth_id).outcomes)
    if table.mistakes:
        raise WrongFile("\n".join(f"{path}:{line}: {text}" for line, text in table.mistakes))
    if number > len(table.rows):
        raise WrongFile(f"{path}: has {len(table.rows)} rows, not {number}")
    return table.rows[number - 1]


def _of_row(row: Row, seed: int, countries: Countries, given: Mapping[str, Any]) -> Applicant:
    whole = {
        **given,
        "end_user": row.end_user | given["end_user"],
        "alias": given["alias"] or row.alias,
        "callback_url": given["callback_url"] or row.callback_url,
    }
    return dataclasses.replace(_made(row.key, seed, countries, whole), outcome=row.outcome)


def _made(
    key: tuple[str, str, str], seed: int, countries: Countries, given: Mapping[str, Any]
) -> Applicant:
    """The applicant of this number, with what is given in place of what is made up."""
    from plivo_sim.client.applications import generated_proof
    from plivo_sim.client.people import People

    made = People(seed, countries.__getitem__).complete(
        0, key, given["end_user"], alias=given["alias"], callback_url=given.get("callback_url", "")
    )
    files = {word: Path(name) for word, name in given["files"].items()}

    def proof(
        applicant: Applicant, type_: Mapping[str, Any], values: Mapping[str, str], index: int
    ) -> File | None:
        if type_["word"] in files:
            path = files[type_["word"]]
            return path.name, bytes_in(path, BODY.most)
        return generated_proof(applicant, type_, values, index)

    def fill(rule: Mapping[str, Any]) -> str | None:
        value: str | None = given["fields"].get(rule["name"])
        return made.fill(rule) if value is None else value

    return dataclasses.replace(made, fill=fill, proof=proof, words=[*files, *made.words])


def _sent(
    client: Client,
    path: str,
    applicant: Applicant,
    requirement: Requirement,
    given: Mapping[str, Any],
) -> Any:
    """What the API answers to the application, or to its correction at ``path``. Raises UsageError
    for a document or field that the requirement does not ask for."""
    from plivo_sim.client.applications import CreateRequest, create_request

    _check_known(requirement, given)
    request = create_request(applicant, requirement)
    if not path:
        return client.compliance("POST", form=request.form, headers=request.headers)
    data: dict[str, Any] = {"alias": given["alias"], "end_user": given["end_user"]}
    data = {name: value for name, value in data.items() if value}
    if not data or given["files"] or given["fields"]:
        data["documents"] = request.data["documents"]
        return client.compliance("PATCH", path, form=CreateRequest(data, request.files).form)
    return client.compliance("PATCH", path, form=[("data", json.dumps(data))])


def _check_known(requirement: Requirement, given: Mapping[str, Any]) -> None:
    types = [type_ for demand in requirement["documents"] for type_ in demand["any_of"]]
    words = {type_["word"] for type_ in types}
    names = {rule["name"] for type_ in types for rule in type_["fields"]}
    for option, known in (("file", words), ("field", names)):
        for name in given[f"{option}s"].keys() - known:
            hint = did_you_mean(name, sorted(known), listed=len(known))
            raise click.UsageError(f"--{option} {name}: nothing asks for it{hint}")
