"""TLS: the certificate and the name are verified, or nothing is said.

The embedded server has no TLS; a proxy in front of it does.
"""

import ssl
from pathlib import Path

import pytest

from agent_where.errors import BadSetting, DatabaseUnavailable
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.store.certificates import Authority
from tests.store.proxies import Proxy, offers_tls, refuses_tls


@pytest.fixture
def trusted(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path, "trusted")


def demanding(postgres: Postgres, proxy: Proxy, ca_file: Path | None) -> Database:
    """On loopback TLS has to be demanded; elsewhere it always is."""
    url = postgres.dsn().replace(f":{postgres.port}/", f":{proxy.port}/") + "?sslmode=verify-full"
    return Database(DatabaseSettings.from_url(url, ca_file=ca_file, connect_timeout_seconds=1))


def test_the_right_certificate_and_name_are_accepted(
    postgres: Postgres, trusted: Authority
) -> None:
    with Proxy(postgres.port, offers_tls(trusted.server("127.0.0.1"))) as proxy:
        database = demanding(postgres, proxy, trusted.file)

        rows = database.run("SELECT CAST(:text AS text) AS text", text="x" * 100_000)

        assert rows == [{"text": "x" * 100_000}]
        assert database._wire is not None
        assert isinstance(database._wire._usock, ssl.SSLSocket)
        database.close()


def test_tls_costs_one_round_trip_a_statement_too(postgres: Postgres, trusted: Authority) -> None:
    with Proxy(postgres.port, offers_tls(trusted.server("127.0.0.1"))) as proxy:
        database = demanding(postgres, proxy, trusted.file)
        database.run("SELECT 1 AS warm")
        proxy.talk.clear()

        database.run("SELECT CAST(:n AS int) AS n", n=1)

        assert proxy.turns == 1
        database.close()


def test_a_certificate_of_somebody_elses_authority_is_refused(
    postgres: Postgres, trusted: Authority, tmp_path: Path
) -> None:
    stranger = Authority.make(tmp_path, "stranger")
    with Proxy(postgres.port, offers_tls(stranger.server("127.0.0.1"))) as proxy:
        with pytest.raises(DatabaseUnavailable, match="certificate verify failed"):
            demanding(postgres, proxy, trusted.file).run("SELECT 1 AS n")

        assert proxy.talk == []


def test_a_certificate_that_only_the_test_knows_is_refused_by_the_systems_trust(
    postgres: Postgres, trusted: Authority
) -> None:
    with Proxy(postgres.port, offers_tls(trusted.server("127.0.0.1"))) as proxy:
        with pytest.raises(DatabaseUnavailable, match="certificate verify failed"):
            demanding(postgres, proxy, None).run("SELECT 1 AS n")

        assert proxy.talk == []


@pytest.mark.parametrize("name", ["db.example.com", "127.0.0.2"])
def test_a_certificate_for_another_name_is_refused(
    postgres: Postgres, trusted: Authority, name: str
) -> None:
    with Proxy(postgres.port, offers_tls(trusted.server(name))) as proxy:
        with pytest.raises(DatabaseUnavailable, match="certificate verify failed"):
            demanding(postgres, proxy, trusted.file).run("SELECT 1 AS n")

        assert proxy.talk == []


def test_a_server_without_tls_is_told_nothing(postgres: Postgres, trusted: Authority) -> None:
    heard: list[bytes] = []
    with (
        Proxy(postgres.port, refuses_tls(heard)) as proxy,
        pytest.raises(DatabaseUnavailable, match="does not offer TLS"),
    ):
        demanding(postgres, proxy, trusted.file).run("SELECT 1 AS n")

    assert heard == [b""]


def test_the_real_server_without_tls_is_told_nothing(
    postgres: Postgres, trusted: Authority
) -> None:
    with Proxy(postgres.port) as proxy:
        with pytest.raises(DatabaseUnavailable, match="does not offer TLS"):
            demanding(postgres, proxy, trusted.file).run("SELECT 1 AS n")

        said = [what for who, what in proxy.talk if who == "client"]
        assert said == [b"\x00\x00\x00\x08\x04\xd2\x16\x2f"]


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_file_of_trusted_certificates_that_cannot_be_read_is_a_bad_setting(
    postgres: Postgres, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with Proxy(postgres.port) as proxy:
        with pytest.raises(BadSetting, match=r"DB_CA_FILE: cannot read .*ca\.pem"):
            demanding(postgres, proxy, file).run("SELECT 1 AS n")

        assert proxy.talk == []
