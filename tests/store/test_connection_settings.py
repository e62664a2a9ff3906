"""Reading DATABASE_URL: what it may say, and errors that never hold the password."""

from pathlib import Path

import pytest

from agent_where.errors import BadSetting
from agent_where.store.database_settings import DatabaseSettings


def test_a_whole_url_is_read_with_its_encoded_characters() -> None:
    read = DatabaseSettings.from_url(
        "postgresql://agent%40where:p%2Fw%3A%23@db.example.com:6432/agent_where"
        "?sslmode=verify-full&sslrootcert=/opt/ca.pem",
        statement_timeout_ms=100,
    )

    assert (read.host, read.port, read.name) == ("db.example.com", 6432, "agent_where")
    assert read.user == "agent@where"
    assert read.password is not None
    assert read.password.get_secret_value() == "p/w:#"
    assert read.ca_file == Path("/opt/ca.pem")
    assert read.encrypted
    assert read.statement_timeout_ms == 100


@pytest.mark.parametrize(
    ("url", "encrypted"),
    [
        ("postgresql://u@127.0.0.1/db", False),
        ("postgresql://u@127.8.8.8/db", False),
        ("postgresql://u@[::1]:5432/db", False),
        ("postgres://u@localhost/db", False),
        ("postgresql://u@127.0.0.1/db?sslmode=disable", False),
        ("postgresql://u@127.0.0.1/db?sslmode=verify-full", True),
        ("postgresql://u@127.0.0.1/db?sslmode=require", True),
        ("postgresql://u@10.0.0.1/db", True),
        ("postgresql://u@localhost.example.com/db", True),
        ("postgresql://u@db/db?sslmode=verify-ca", True),
    ],
)
def test_plain_text_is_for_loopback_only(url: str, encrypted: bool) -> None:
    assert DatabaseSettings.from_url(url).encrypted is encrypted


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u:hunter2@h/db", "must begin with postgresql://"),
        ("", "must begin with postgresql://"),
        ("postgresql://u:hunter2@/db", "must hold a host"),
        ("postgresql://:hunter2@h/db", "must hold a user"),
        ("postgresql://u:hunter2@h", "must hold a name"),
        ("postgresql://u:hunter2@h:99999/db", "encode"),
        ("postgresql://u:hunter2@h:0/db", "port"),
        ("postgresql://u:hunter2/x@h:5432/db", "encode"),
        ("postgresql://u:x#hunter2@h/db", "encode"),
        ("postgresql://u:hunter2@h/db#x", "%23"),
        ("postgresql://u:hunter2@h/db?sslmode=prefer", "sslmode must be"),
        ("postgresql://u:hunter2@h/db?sslmode=disable", "loopback only"),
        ("postgresql://u:hunter2@h/db?password=hunter2", "only the options"),
        ("postgresql://u:hunter2@[::1/db", "encode"),
    ],
)
def test_a_bad_url_names_the_setting_and_keeps_the_password(url: str, told: str) -> None:
    with pytest.raises(BadSetting) as error:
        DatabaseSettings.from_url(url, setting="DATABASE_URL")

    assert str(error.value).startswith("DATABASE_URL")
    assert told in str(error.value)
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


def test_the_password_is_not_shown() -> None:
    read = DatabaseSettings.from_url("postgresql://u:hunter2@127.0.0.1/db")

    assert "hunter2" not in repr(read)
    assert "hunter2" not in read.model_dump_json()
