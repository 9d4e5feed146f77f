"""What an operator may choose, and what keeps the start from happening."""

from pathlib import Path

import pytest

from dubito.backend.errors import SettingsError
from dubito.backend.listening import check_exposure
from dubito.backend.settings import LOOPBACK, Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens
SECRETS = {
    "LABEL_STUDIO_API_KEY": "key-of-label-studio",
    "REDIS_URL": "redis://:redis-password@store:6379/0",
    "BASIC_AUTH_PASS": "password-of-dubito",
    "WEBHOOK_SECRET": "secret-of-webhooks",
}


def settings(**environ: str) -> Settings:
    return Settings.from_environment(environ)


def refused(**environ: str) -> str:
    with pytest.raises(SettingsError) as error:
        settings(**environ)
    return str(error.value)


def test_nothing_need_be_set() -> None:
    values = settings()

    assert values == Settings(data_dir=Path.cwd() / ".dubito")
    assert (values.host, values.port) == ("127.0.0.1", 9090)
    assert not values.guarded


def test_everything_can_be_set() -> None:
    values = settings(
        LABEL_STUDIO_URL="https://label.example/sub/",
        LABEL_STUDIO_PUBLIC_URL="https://people.example/",
        LABEL_STUDIO_API_KEY=" key ",
        REDIS_URL="rediss://store:6380/1",
        HOST=EVERYWHERE,
        PORT="80",
        MODEL_DIR="/data",
        BASIC_AUTH_USER="me",
        BASIC_AUTH_PASS="secret",  # noqa: S106
        WEBHOOK_SECRET="shared",  # noqa: S106
        LOG_LEVEL="debug",
        WORKERS="4",
        THREADS="16",
        FILE_HOSTS="Files.example, other.example:8443,,",
    )

    assert values == Settings(
        label_studio_url="https://label.example/sub",
        label_studio_public_url="https://people.example",
        label_studio_key="key",
        redis_url="rediss://store:6380/1",
        host=EVERYWHERE,
        port=80,
        data_dir=Path("/data"),
        basic_auth_user="me",
        basic_auth_pass="secret",  # noqa: S106
        webhook_secret="shared",  # noqa: S106
        log_level="DEBUG",
        workers=4,
        threads=16,
        file_hosts=("files.example", "other.example:8443"),
    )


def test_the_names_of_the_ecosystem_are_understood_after_ours() -> None:
    aliases = {"LABEL_STUDIO_HOST": "http://b", "LABEL_STUDIO_ACCESS_TOKEN": "other"}
    ours = {"LABEL_STUDIO_URL": "http://a", "LABEL_STUDIO_API_KEY": "mine"}

    theirs, both = settings(**aliases), settings(**aliases, **ours)

    assert (theirs.label_studio_url, theirs.label_studio_key) == ("http://b", "other")
    assert (both.label_studio_url, both.label_studio_key) == ("http://a", "mine")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("REDIS_URL", "redis://store:1"),
        ("HOST", "127.0.0.2"),
        ("PORT", "81"),
        ("MODEL_DIR", "/data"),
        ("WEBHOOK_SECRET", "shared"),
        ("LOG_LEVEL", "ERROR"),
        ("WORKERS", "3"),
        ("THREADS", "3"),
        ("FILE_HOSTS", "a.example"),
    ],
)
def test_a_name_that_no_other_program_reads_counts_first(
    setting: str, value: str
) -> None:
    """conda, shells and platforms set HOST, PORT, WORKERS … for their own ends."""
    others = {"REDIS_URL": "redis://other", "MODEL_DIR": "/other"}
    short = others.get(setting, "7" if setting in {"PORT", "WORKERS"} else "DEBUG")

    alone = settings(**{setting: value})
    before = settings(**{f"DUBITO_{setting}": value, setting: short})
    emptied = settings(**{f"DUBITO_{setting}": " ", setting: value})

    assert alone == before == emptied != settings()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORT", "x"),
        ("WORKERS", "auto"),
        ("THREADS", "0"),
        ("LOG_LEVEL", "trace"),
        ("REDIS_URL", "tcp://10.0.0.1:6379"),
        ("MODEL_DIR", "~nobody-of-this-name"),
        ("BASIC_AUTH_PASS", "half"),
    ],
)
def test_the_variable_that_was_read_is_named(setting: str, value: str) -> None:
    own, short = refused(**{f"DUBITO_{setting}": value}), refused(**{setting: value})

    assert f"DUBITO_{setting} is" in own or own.startswith(f"DUBITO_{setting} ")
    assert f"DUBITO_{setting} is" not in short
    assert f"{setting} is" in short or short.startswith(f"{setting} ")


@pytest.mark.parametrize("setting", ["PORT", "WORKERS", "THREADS", "LOG_LEVEL"])
def test_who_shares_a_name_with_others_is_told_the_other_name(setting: str) -> None:
    assert f"set DUBITO_{setting})" in refused(**{setting: "x"})
    assert "meant for another program" not in refused(**{f"DUBITO_{setting}": "x"})


def test_what_kubernetes_sets_for_a_service_named_dubito_is_passed_over() -> None:
    link = {"DUBITO_PORT": "tcp://10.0.0.1:9090", "DUBITO_SERVICE_PORT": "9090"}

    assert settings(**link).port == 9090
    assert settings(**link, PORT="81").port == 81


def test_where_another_service_listens_is_no_port() -> None:
    message = refused(PORT="tcp://10.0.0.1:9090")

    assert message.startswith("PORT is 'tcp://10.0.0.1:9090', where another service")


def test_a_directory_may_begin_and_end_with_a_blank() -> None:
    assert settings(MODEL_DIR="/a/ b ").data_dir == Path("/a/ b ")


@pytest.mark.parametrize("written", ["::1", "[::1]"])
def test_an_address_of_ipv6_may_have_the_brackets_of_a_url(written: str) -> None:
    assert settings(HOST=written).host == "::1"
    assert Settings().having(host=written).host == "::1"


def test_what_is_set_to_nothing_is_not_set() -> None:
    assert settings(PORT="", REDIS_URL=" ", LABEL_STUDIO_URL="") == settings()


@pytest.mark.parametrize("name", ["PORT", "WORKERS", "THREADS"])
@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "x", "1e3", "٣", "9" * 30, "9" * 5_000, "1_0"]
)
def test_a_number_must_be_one_and_in_range(name: str, value: str) -> None:
    assert refused(**{name: value}).startswith(f"{name} is {value!r}: use a whole")


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8080",
        "ftp://label.example",
        "http://",
        "http://[::1",
        "http://label.example:port",
        "http://label.example:99999",
        "http://label example",
        "//label.example",
    ],
)
def test_the_address_of_label_studio_must_be_one(address: str) -> None:
    assert refused(LABEL_STUDIO_URL=address).startswith(
        f"LABEL_STUDIO_URL is {address!r}"
    )


def test_an_address_without_http_is_completed() -> None:
    assert refused(LABEL_STUDIO_URL="localhost:8081").endswith("http://localhost:8081")
    assert refused(LABEL_STUDIO_URL="ftp://there").endswith("http://localhost:8080")


@pytest.mark.parametrize(
    "address",
    ["http://anna:secret@label.example", "http://secret@label.example:port"],
)
def test_the_address_of_label_studio_holds_no_password(address: str) -> None:
    """It would be shown in errors, and is not what Label Studio asks for."""
    message = refused(LABEL_STUDIO_URL=address)

    assert "LABEL_STUDIO_API_KEY" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "address", ["store:6379", "http://x", "redis://[::1", "redis://:pw@x:port/0"]
)
def test_the_address_of_redis_must_be_one_and_is_not_repeated(address: str) -> None:
    """It may hold a password."""
    message = refused(REDIS_URL=address)

    assert message.startswith("REDIS_URL is not a valid address")
    assert address not in message


@pytest.mark.parametrize("level", ["verbose", "10", "TRACE"])
def test_a_log_level_must_be_known(level: str) -> None:
    assert "use DEBUG, INFO, WARNING, ERROR" in refused(LOG_LEVEL=level)


@pytest.mark.parametrize("name", ["BASIC_AUTH_USER", "BASIC_AUTH_PASS"])
def test_a_user_without_password_is_half_a_lock(name: str) -> None:
    assert refused(**{name: "x"}).startswith("set both BASIC_AUTH_USER and")


def test_the_home_of_nobody_is_no_directory() -> None:
    assert refused(MODEL_DIR="~nobody-of-this-name/x").startswith("MODEL_DIR is")


def test_options_win_over_the_environment_and_are_checked() -> None:
    values = settings(PORT="80", HOST="10.0.0.1").having(port=90, host=None, other=1)

    assert (values.port, values.host) == (90, "10.0.0.1")
    with pytest.raises(SettingsError):
        values.having(log_level="loud")


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {
            **SECRETS,
            "BASIC_AUTH_USER": "me",
            "FILE_HOSTS": "a, b:1",
            "MODEL_DIR": "/data",
            "LOG_LEVEL": "warning",
        },
    ],
)
def test_a_child_process_reads_the_same_settings(chosen: dict[str, str]) -> None:
    values = settings(**chosen)

    assert settings(**values.environment()) == values


def test_no_secret_is_written_where_settings_are() -> None:
    values = settings(BASIC_AUTH_USER="me", **SECRETS)

    assert not [secret for secret in SECRETS.values() if secret in repr(values)]


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "10.0.0.1", "dubito.example", ""])
def test_a_network_is_not_served_without_credentials(host: str) -> None:
    with pytest.raises(SettingsError, match="BASIC_AUTH_USER"):
        check_exposure(Settings(host=host), is_open=False)


def test_no_inherited_variable_counts_in_a_child() -> None:
    """A supervisor passes its own environment on, with the settings over it."""
    inherited = {"DUBITO_WORKERS": "5", "WORKERS": "6", "HOST": "x", "PORT": "x"}
    chosen = settings().having(workers=2)

    assert settings(**inherited | chosen.environment()) == chosen


@pytest.mark.parametrize("host", [*LOOPBACK, "127.0.0.2", "0:0:0:0:0:0:0:1"])
def test_this_machine_is_served_without_credentials(host: str) -> None:
    check_exposure(Settings(host=host), is_open=False)


def test_a_network_is_served_with_credentials_or_when_told_to() -> None:
    guarded = Settings(host=EVERYWHERE, basic_auth_user="me", basic_auth_pass="x")  # noqa: S106

    check_exposure(guarded, is_open=False)
    check_exposure(Settings(host=EVERYWHERE), is_open=True)
