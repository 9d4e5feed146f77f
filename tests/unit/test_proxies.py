"""Which calls go through a proxy, and what is said when one is in the way."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

import httpx
import pytest

from dubito.backend.errors import FileUnavailableError, LabelStudioAwayError
from dubito.backend.http_client.client import Network, open_client
from dubito.backend.http_client.proxies import Proxies
from dubito.backend.labelstudio.auth import Credentials
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from tests.fake_label_studio import FakeServer
from tests.proxy import Proxy, proxy_to

ELSEWHERE = "http://label.example:8080"
WHO = "/api/current-user/whoami"
PROXY = "http://proxy.example:3128"
Opener = Callable[..., LabelStudioClient]


def proxy_of(address: str, **environ: str) -> str:
    """Return which proxy an address is called by; nothing if by none."""
    chosen_proxy = Proxies.from_environment(environ).of(httpx.URL(address))
    return "" if chosen_proxy is None else str(chosen_proxy)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "label.localhost", "127.0.0.1"),
        *("127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "[::]"),
    ],
)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_leads_to_this_machine(host: str, name: str) -> None:
    assert proxy_of(f"http://{host}:8080", **{name: PROXY}) == ""


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_proxy_of_a_scheme_is_used_before_that_of_all(
    case: Callable[[str], str],
) -> None:
    environ = {case("https_proxy"): PROXY, case("all_proxy"): "socks5://other:1"}

    assert case("https_proxy") in proxy_of("https://label.example", **environ)
    assert case("all_proxy") in proxy_of("http://label.example", **environ)


def test_a_name_in_lower_case_counts_first_even_if_empty() -> None:
    assert proxy_of(ELSEWHERE, HTTP_PROXY=PROXY, http_proxy="") == ""
    assert "http_proxy" in proxy_of(ELSEWHERE, HTTP_PROXY="x:1", http_proxy=PROXY)


@pytest.mark.parametrize(
    ("entries", "is_excepted"),
    [
        ("*", True),
        ("label.example", True),
        ("LABEL.EXAMPLE", True),
        (".example", True),
        ("*.example", True),
        ("example", True),
        ("label.example:8080", True),
        ("label.example:81", False),
        ("a.example, label.example", True),
        ("a.example label.example", True),
        ("http://label.example", True),
        ("bel.example", False),
        ("10.0.0.0/8", False),
        ("", False),
        (",,", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(entries: str, *, is_excepted: bool) -> None:
    chosen_proxy = proxy_of(ELSEWHERE, HTTP_PROXY=PROXY, NO_PROXY=entries)

    assert (chosen_proxy == "") == is_excepted


@pytest.mark.parametrize("entry", ["10.1.2.3", "10.0.0.0/8", "10.1.2.3:80"])
def test_no_proxy_may_hold_addresses_and_ranges(entry: str) -> None:
    assert proxy_of("http://10.1.2.3", HTTP_PROXY=PROXY, NO_PROXY=entry) == ""
    assert proxy_of("http://11.1.2.3", HTTP_PROXY=PROXY, NO_PROXY=entry) != ""


def test_a_password_of_a_proxy_is_not_shown() -> None:
    shown = proxy_of(ELSEWHERE, HTTP_PROXY="http://anna:secret@proxy.example:3128/")

    assert shown == f"{PROXY} (HTTP_PROXY)"


@pytest.fixture
def proxy(fake_server: FakeServer) -> Iterator[Proxy]:
    """Run a proxy to a fake Label Studio."""
    place = urlsplit(fake_server.url)
    with proxy_to(str(place.hostname), place.port or 0) as running:
        yield running


@pytest.fixture
def client_by(fake_server: FakeServer) -> Iterator[Opener]:
    """Open Label Studio under an address, with an environment."""
    opened = []

    def client(url: str, **environ: str) -> LabelStudioClient:
        network = Network.from_environment(environ)
        http = open_client(url, seconds=5, network=network)
        opened.append(http)
        return LabelStudioClient(url, Credentials(http, fake_server.tokens[0]), http)

    yield client
    for http in opened:
        http.close()


def test_label_studio_elsewhere_is_called_by_the_proxy(
    proxy: Proxy, client_by: Opener
) -> None:
    client_by(ELSEWHERE, HTTP_PROXY=proxy.url).ask("GET", WHO)

    assert f"GET {ELSEWHERE}{WHO} HTTP/1.1" in proxy.asked


@pytest.mark.parametrize("name", ["HTTP_PROXY", "all_proxy"])
def test_label_studio_on_this_machine_is_called_without(
    fake_server: FakeServer, proxy: Proxy, client_by: Opener, name: str
) -> None:
    client_by(fake_server.url, **{name: proxy.url}).ask("GET", WHO)

    assert not proxy.asked


UNUSABLE = [
    *("socks://127.0.0.1:1080", "socks4://127.0.0.1:1080", "ftp://proxy.example"),
    *("http://", "http://[::1", "http://proxy.example:port", "http://:3128", "://"),
    *("proxy example", "http://proxy.example:99999"),
]


@pytest.mark.parametrize("address", UNUSABLE)
@pytest.mark.parametrize("url", [ELSEWHERE, "https://label.example"])
def test_a_proxy_that_is_none_is_named_with_its_variable(
    client_by: Opener, url: str, address: str
) -> None:
    message = refusal(lambda: client_by(url, ALL_PROXY=address).ask("GET", WHO))

    assert message.startswith(f"Label Studio at {url} cannot be reached: ")
    assert "ALL_PROXY is not a proxy address" in message
    assert "add label.example to NO_PROXY" in message


def test_a_proxy_that_is_none_harms_no_call_on_this_machine(
    fake_server: FakeServer, client_by: Opener
) -> None:
    for address in UNUSABLE:
        client_by(fake_server.url, ALL_PROXY=address, HTTP_PROXY=address).ask(
            "GET", WHO
        )


@pytest.mark.skipif(find_spec("socksio") is not None, reason="it is installed here")
def test_socks_needs_a_package_and_says_which(client_by: Opener) -> None:
    message = refusal(
        lambda: client_by(ELSEWHERE, ALL_PROXY="socks5://127.0.0.1:9").ask("GET", WHO)
    )

    assert "socks5://127.0.0.1:9 (ALL_PROXY)" in message
    assert "socksio" in message
    assert "NO_PROXY" in message


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(LabelStudioAwayError) as refused:
        call()
    return str(refused.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named(client_by: Opener, scheme: str) -> None:
    name, nobody = f"{scheme}_proxy", "http://127.0.0.1:9"
    client = client_by(f"{scheme}://label.example", **{name: nobody})

    message = refusal(lambda: client.ask("GET", WHO))

    assert f"the proxy {nobody} ({name}) cannot be reached" in message
    assert "add label.example to NO_PROXY" in message


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [401, 403, 404, 407, 429, 502, 503, 504])
def test_a_proxy_that_refuses_is_named(
    proxy: Proxy, client_by: Opener, scheme: str, status: int
) -> None:
    """Its refusal is no word of Label Studio's, of the key or of a project."""
    proxy.status = status
    client = client_by(f"{scheme}://label.example", ALL_PROXY=proxy.url)

    message = refusal(lambda: client.project(1))

    assert f"{proxy.url} (ALL_PROXY)" in message
    assert str(status) in message
    assert "add label.example to NO_PROXY" in message
    assert ("user:password@" in message) == (status == 407)
    assert "LABEL_STUDIO_API_KEY" not in message


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_hangs_up_is_named(
    proxy: Proxy, client_by: Opener, scheme: str
) -> None:
    proxy.hangs_up = True
    client = client_by(f"{scheme}://label.example", ALL_PROXY=proxy.url)

    message = refusal(lambda: client.ask("GET", WHO))

    assert f"{proxy.url} (ALL_PROXY)" in message
    assert "NO_PROXY" in message


def test_a_tunnel_that_leads_to_no_tls_is_named(
    proxy: Proxy, client_by: Opener
) -> None:
    client = client_by("https://label.example", HTTPS_PROXY=proxy.url)

    message = refusal(lambda: client.ask("GET", WHO))

    assert "TLS" in message
    assert f"through the proxy {proxy.url} (HTTPS_PROXY)" in message
    assert "NO_PROXY" in message


@pytest.mark.parametrize("status", [407, 503])
def test_a_file_that_a_proxy_withholds_is_asked_for_again(
    proxy: Proxy, client_by: Opener, status: int
) -> None:
    proxy.status = status
    client = client_by(ELSEWHERE, HTTP_PROXY=proxy.url)
    files = Files(client.access, client.url, frozenset({"files.example"}), client.http)

    with pytest.raises(FileUnavailableError) as refused:
        files.fetch("http://files.example/a.csv")

    assert f"{proxy.url} (HTTP_PROXY)" in str(refused.value)
    assert "add files.example to NO_PROXY" in str(refused.value)


def test_an_answer_of_label_studio_by_a_proxy_stays_its_own(
    proxy: Proxy, client_by: Opener
) -> None:
    client = client_by(ELSEWHERE, HTTP_PROXY=proxy.url)
    client.access.key = "wrong"

    with pytest.raises(Exception, match="rejects the API key"):
        client.ask("GET", WHO)
