"""What is logged: a line a record, and never a secret."""

import logging
import traceback
from collections.abc import Callable

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.logs import HIDDEN, JsonLines, ReadableLines, about, secrets_of
from dubito.backend.settings import Settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Long enough not to stand in our own words, or in the trace of the test, by chance.
SECRET = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"


def record(message: str, *words: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord(
        "dubito.backend.learning", logging.WARNING, __file__, 1, message, words, None
    )
    made.__dict__.update(fields)
    return made


def settings_with(secret: str) -> Settings:
    return Settings(
        label_studio_key=f"key{secret}",
        basic_auth_user="anna",
        basic_auth_pass=secret,
        webhook_secret=secret[::-1],
    )


def fail(shown: str) -> None:
    """Fail as code does that puts a secret into an error, and again on the way."""
    try:
        int(f"no number {shown}")
    except ValueError as error:
        raise RuntimeError(repr(shown)) from error


@given(secret=SECRET, before=TEXT, after=TEXT)
def test_a_secret_of_the_settings_never_reaches_a_line(
    secret: str, before: str, after: str
) -> None:
    """Not in the message, its words, an error's text, its cause or its trace."""
    settings = settings_with(secret)
    assume(secret not in (before + after) and secret.strip())
    shown = f"{before}{secret}{after}"
    with pytest.raises(RuntimeError) as caught:
        fail(shown)
    failed = (caught.type, caught.value, caught.tb)
    lines = JsonLines(secrets_of(settings))

    report = orjson.loads(
        lines.format(record("%s %r " + shown.replace("%", "%%"), shown, shown))
    )
    trace = orjson.loads(lines.format(record("failed", exc_info=failed)))["exception"]

    assert secret not in report["message"]
    assert repr(secret)[1:-1] not in report["message"]
    assert secret not in trace
    assert repr(secret)[1:-1] not in trace


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token {JWT} refused", JWT),
        ("Error connecting to redis://:s3cret@redis:6379/0", "s3cret"),
        ("GET http://anna:p%C3%A4ss@dubito.example/setup", "p%C3%A4ss"),
        ("{'Authorization': 'Basic YW5uYTpwYXNz'}", "YW5uYTpwYXNz"),
        ("{'Authorization': 'Bearer abc.def'}", "abc.def"),
        ("'authorization: Token 0123456789abcdef0123'", "0123456789abcdef0123"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_though_nobody_set_it(
    text: str, secret: str
) -> None:
    """Such as a token that Label Studio handed over, or another one's password."""
    line = ReadableLines([]).format(record(text))

    assert secret not in line
    assert HIDDEN in line


def test_the_passwords_of_addresses_are_secrets() -> None:
    settings = Settings(
        redis_url="rediss://user:p%40ss-of-redis@redis:6379/0",
        label_studio_url="http://anna:pass-of-proxy@label.example",
    )
    lines = ReadableLines(secrets_of(settings))

    line = lines.format(record("p@ss-of-redis p%40ss-of-redis pass-of-proxy"))

    assert "pass" not in line
    assert "ss-of" not in line


Formatter = Callable[[list[str]], logging.Formatter]


@pytest.mark.parametrize("kind", [JsonLines, ReadableLines])
def test_a_record_is_one_line_whatever_a_caller_sent(kind: Formatter) -> None:
    """Else one could write lines of one's own, or steer the terminal of a reader."""
    line = kind([]).format(record("%s", "a\nb\r\x1b[2J\u2028c\x9b"))

    assert line.splitlines() == [line]
    assert line.isprintable()


def test_a_trace_looks_like_no_line_of_ours_and_steers_no_terminal() -> None:
    """An error's text may hold lines that a caller wrote."""
    bad = RuntimeError("bad\n2026-01-01 INFO all is well\r\x1b[2J")
    with pytest.raises(RuntimeError) as caught:
        raise bad
    failed = (caught.type, caught.value, caught.tb)

    first, *rest = (
        ReadableLines([]).format(record("failed", exc_info=failed)).split("\n")
    )

    assert first.endswith("WARNING failed")
    assert any("all is well" in line for line in rest)
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_a_line_for_machines_names_project_and_round() -> None:
    with about("7.123"):
        line = JsonLines([]).format(record("a round", round=4))

    report = orjson.loads(line)
    assert (report["project"], report["round"]) == ("7.123", 4)
    assert (report["level"], report["message"]) == ("WARNING", "a round")
    assert "project" not in orjson.loads(JsonLines([]).format(record("another")))


def test_a_line_for_people_names_the_project_once() -> None:
    with about("7.123"):
        unnamed = ReadableLines([]).format(record("3 rows stored"))
        named = ReadableLines([]).format(record("project 7.123: gone"))

    assert unnamed.endswith("WARNING project 7.123: 3 rows stored")
    assert named.endswith("WARNING project 7.123: gone")


def test_an_error_of_the_client_shows_no_key(caplog: pytest.LogCaptureFixture) -> None:
    """The key must not be in what httpx logs, says or shows, redacted or not."""
    caplog.set_level(logging.DEBUG)
    client = LabelStudioClient.open("http://127.0.0.1:1", "the-key-of-somebody")

    with pytest.raises(Exception, match="cannot be reached") as failed:
        client.project(1)
    client.close()

    shown = "".join(traceback.format_exception(failed.value))
    assert "the-key-of-somebody" not in f"{shown} {caplog.text} {client!r}"
