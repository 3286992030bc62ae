"""A request may bring so much and no more."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.api.client import DOMAIN, Api, api_with
from tests.stores import Site

PATH = f"/api/domain/{DOMAIN}"


class Endless(io.RawIOBase):
    """A body without an end that counts what was read of it."""

    def __init__(self) -> None:
        self.read_so_far = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.read_so_far += size
        return b"a" * size


def test_a_body_that_announces_too_much_is_refused_unread(admin: Api) -> None:
    body = Endless()
    status, answer = admin.straight(PATH, body, CONTENT_LENGTH=str(10**10))

    assert "413 Content Too Large" == status
    assert b'"_code":"TOO_LARGE"' in answer
    assert 0 == body.read_so_far


@pytest.mark.parametrize(
    "environ", [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"wsgi.input_terminated": "1"}]
)
def test_an_endless_chunked_body_is_read_up_to_the_limit(
    admin: Api, environ: dict[str, str]
) -> None:
    body = Endless()
    status, _ = admin.straight(PATH, body, **environ)

    assert "413 Content Too Large" == status
    assert 1_048_577 == body.read_so_far


def test_no_body_is_looked_for_where_a_get_announces_none(admin: Api) -> None:
    body = Endless()
    environ = {"REQUEST_METHOD": "GET", "wsgi.input_terminated": "1"}
    status, _ = admin.straight(PATH, body, **environ)

    assert ("200 OK", 0) == (status, body.read_so_far)


def test_a_length_of_thousands_of_digits_is_too_much(admin: Api) -> None:
    status, _ = admin.straight(PATH, io.BytesIO(b""), CONTENT_LENGTH="9" * 5000)

    assert "413 Content Too Large" == status


def test_a_chunked_body_is_read(admin: Api) -> None:
    status, _ = admin.straight(PATH, io.BytesIO(b"quota=7"), HTTP_TRANSFER_ENCODING="chunked")

    assert "200 OK" == status
    assert 7 == admin.call("GET", PATH).json["_data"]["quota"]


@pytest.mark.parametrize("length", ["-1", "1e3", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_length_that_is_none_is_refused(admin: Api, length: str) -> None:
    assert admin.straight(PATH, io.BytesIO(b""), CONTENT_LENGTH=length)[0].startswith("400 ")


def test_a_body_cut_short_is_not_acted_on(admin: Api) -> None:
    status, _ = admin.straight(PATH, io.BytesIO(b"name=Exam"), CONTENT_LENGTH="12")

    assert status.startswith("400 ")
    assert "Example" == admin.call("GET", PATH).json["_data"]["name"]


def test_a_body_of_ten_megabytes_is_refused(admin: Api) -> None:
    assert 413 == admin.call("PUT", PATH, b"name=" + b"a" * 10_000_000).status_code


def test_a_body_of_just_the_limit_is_read(admin: Api) -> None:
    form = b"name=" + b"a" * (1_048_576 - 5)

    assert 400 == admin.call("PUT", PATH, form).status_code
    assert 413 == admin.call("PUT", PATH, form + b"a").status_code


@pytest.mark.parametrize("way", ["form", "query", "json", "both"])
def test_so_many_parameters_are_taken_and_no_more(empty_site: Site, way: str) -> None:
    def statuses(count: int) -> int:
        pairs = [f"x{number}=" for number in range(count)]
        match way:
            case "form":
                sent: dict[str, Any] = {"form": "&".join(pairs)}
            case "query":
                sent = {"query_string": "&".join(pairs)}
            case "json":
                sent = {"json": dict.fromkeys(pairs, "")}
            case _:
                sent = {"query_string": pairs[0], "form": "&".join(pairs[1:])}
        return api.call("PUT", PATH, **sent).status_code

    limits = {"max_parameters": 10}
    with api_with(empty_site, server=limits, api={"unknown_parameters": "ignore"}) as api:
        api.add_admin()
        api.login()
        api.add_domain()

        assert (200, 413) == (statuses(10), statuses(11))


def test_a_multipart_form_has_the_same_limit(admin: Api) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    result = admin.call(
        "PUT",
        PATH,
        body=(part * 201 + "--x--\r\n").encode(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert 413 == result.status_code
