"""The pool of connections to a directory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailwright.storage.ldap.connections import Directory, DirectoryTarget
from tests.servers.slapd import Slapd

pytestmark = pytest.mark.openldap

SIZE = 3


def test_those_who_need_a_second_connection_do_not_wait_for_one_another(
    openldap_server: Slapd,
) -> None:
    """Lists read on a second one: where all had a first one, nobody got on before all gave up."""
    target = DirectoryTarget(
        openldap_server.uri, openldap_server.bind_dn, openldap_server.bind_password
    )
    directory = Directory(target, size=SIZE, idle_seconds=60)
    all_there = threading.Barrier(SIZE, timeout=5)

    def take_two() -> bool:
        first = directory.lend()
        try:
            all_there.wait()
            with directory.connection() as second:
                return second is not first
        finally:
            directory.take_back(first)

    try:
        with ThreadPoolExecutor(SIZE) as pool:
            futures = [pool.submit(take_two) for _ in range(SIZE)]

            assert [future.result() for future in futures] == [True] * SIZE
    finally:
        directory.close()
