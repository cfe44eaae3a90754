"""Any pasted endpoint gives the GA URL, or says why it cannot."""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.endpoint import (
    EndpointError,
    Target,
    azure_target,
    escape_controls,
    explicit_target,
    is_loopback,
    openai_target,
    shown,
)

DEPLOYMENT = "gpt-realtime-mini"
ACME = f"wss://acme.openai.azure.com/openai/v1/realtime?model={DEPLOYMENT}"
KEY = "0123456789abcdef0123456789ABCDEF"
LONG_KEY = "9fXk2" * 16 + "AZ3m"
GA = re.compile(r"(wss|ws)://[a-z0-9._\[\]:-]+(/[A-Za-z0-9._~%!$&'()*+,;=:-]+)*/openai/v1/realtime\?model=[\w.~%-]+")


def ga(host: str, scheme: str = "wss") -> str:
    return f"{scheme}://{host}/openai/v1/realtime?model={DEPLOYMENT}"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://acme.openai.azure.com",
        "https://acme.openai.azure.com/",
        "https://acme.openai.azure.com//",
        "https://acme.openai.azure.com/openai",
        "https://acme.openai.azure.com/openai/",
        "https://acme.openai.azure.com/openai/v1",
        "https://acme.openai.azure.com/openai/v1/",
        "https://acme.openai.azure.com/openai/v1/realtime",
        "https://acme.openai.azure.com/OpenAI/V1/Realtime/",
        f"wss://acme.openai.azure.com/openai/v1/realtime?model={DEPLOYMENT}",
        "wss://acme.openai.azure.com",
        "acme.openai.azure.com",
        "acme.openai.azure.com/openai/v1",
        "acme",
        "ACME",
        "acme/openai/v1",
        "HTTPS://ACME.OpenAI.Azure.COM",
        "https://acme.openai.azure.com.",
        "https://acme.openai.azure.com:",
        "  https://acme.openai.azure.com\t\r\n",
        '"https://acme.openai.azure.com",',
        "'https://acme.openai.azure.com/'",
        "<https://acme.openai.azure.com/>",
        "“https://acme.openai.azure.com”",
        "\ufeffhttps://acme.openai.azure.com\u200b",
    ],
)
def test_every_spelling_of_a_resource_gives_the_same_url_without_a_note(endpoint: str) -> None:
    expected = Target(ACME, "acme.openai.azure.com", DEPLOYMENT, "azure", "api-key", ())
    assert azure_target(endpoint, DEPLOYMENT) == expected


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://acme.cognitiveservices.azure.com/", ga("acme.cognitiveservices.azure.com")),
        ("https://acme.services.ai.azure.com", ga("acme.services.ai.azure.com")),
        ("https://acme.services.ai.azure.com/openai/v1", ga("acme.services.ai.azure.com")),
        ("https://acme.openai.azure.us", ga("acme.openai.azure.us")),
        ("https://acme.openai.azure.cn/openai", ga("acme.openai.azure.cn")),
        ("https://acme.openai.azure.com:8443/", ga("acme.openai.azure.com:8443")),
        ("https://acme.privatelink.openai.azure.com", ga("acme.privatelink.openai.azure.com")),
        ("https://gw.contoso.com", ga("gw.contoso.com")),
        ("https://gw.contoso.com/my-aoai", ga("gw.contoso.com/my-aoai")),
        ("https://gw.contoso.com/my-aoai/openai", ga("gw.contoso.com/my-aoai")),
        ("https://gw.contoso.com/team%20a/ü/openai/v1/realtime", ga("gw.contoso.com/team%20a/%C3%BC")),
        ("https://gw.contoso.com/openai/openai/v1", ga("gw.contoso.com/openai")),
        ("https://acme.azure-api.net/rt/openai/v1/", ga("acme.azure-api.net/rt")),
        ("https://10.1.2.3:8443", ga("10.1.2.3:8443")),
        ("https://[fd00::1]:8443", ga("[fd00::1]:8443")),
        ("https://gateway", ga("gateway")),
        ("gateway:4000", ga("gateway:4000")),
        ("https://münchen.example/openai", ga("xn--mnchen-3ya.example")),
        ("http://localhost:8080", ga("localhost:8080", "ws")),
        ("ws://127.0.0.1:8080/openai", ga("127.0.0.1:8080", "ws")),
        ("http://[::1]:8080", ga("[::1]:8080", "ws")),
        ("localhost:8080", ga("localhost:8080", "ws")),
        ("https://localhost:8443", ga("localhost:8443")),
    ],
)
def test_hosts_that_are_kept(endpoint: str, url: str) -> None:
    target = azure_target(endpoint, DEPLOYMENT)
    assert target.url == url
    assert target.host == urlsplit(url).netloc
    assert target.notes == ()
    assert (target.provider, target.auth_header) == ("azure", "api-key")


@pytest.mark.parametrize(
    ("endpoint", "causes"),
    [
        ("http://acme.openai.azure.com", ["http:// became wss://"]),
        ("http://acme.openai.azure.com:80", ["http:// became wss://"]),
        ("ws://acme.openai.azure.com", ["ws:// became wss://"]),
        ("https://acme.openai.azure.com/openai/realtime", ["Beta"]),
        ("https://acme.openai.azure.com?api-version=2024-10-21", ["api-version"]),
        (
            f"wss://acme.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment={DEPLOYMENT}",
            ["Beta", "api-version"],
        ),
        (
            "wss://acme.openai.azure.com//openai/realtime?api-version=2024-10-01-preview&deployment=other",
            ["Beta", "api-version", '"other" of the URL is not used'],
        ),
        ("https://acme.openai.azure.com/openai/v1/realtime?model=other", ['"other" of the URL is not used']),
        ("https://acme.openai.azure.com/openai/v1/chat/completions", ["/openai/v1/chat/completions became"]),
        ("https://acme.openai.azure.com/realtime", ["/realtime became"]),
        ("https://acme.openai.azure.com/api/projects/one", ["/api/projects/one was dropped"]),
        ("https://acme.openai.azure.com/api/projects/one/openai/v1", ["/api/projects/one was dropped"]),
        ("https://me:pw@acme.openai.azure.com", ["user name and password were dropped"]),
        ("https://acme.openai.azure.com/#here", ["fragment"]),
        ("https://acme.openai.azure.com/?foo=bar&x", ["the rest of the query"]),
        ("https://acme.openai.azure.com/?api-key=hunter2&Token=hunter2", ["a key in the query was dropped"]),
    ],
)
def test_a_change_that_matters_gives_one_note_for_each_cause(endpoint: str, causes: list[str]) -> None:
    target = azure_target(endpoint, DEPLOYMENT)
    assert target.url == ACME
    assert len(target.notes) == len(causes)
    assert all(sum(cause in note for note in target.notes) == 1 for cause in causes)
    assert not any("\n" in note or "hunter2" in note or "pw" in note for note in target.notes)


def test_a_regional_host_gives_a_url_and_a_note_that_names_the_better_form() -> None:
    target = azure_target("https://eastus.api.cognitive.microsoft.com/", DEPLOYMENT)
    assert target.url == ga("eastus.api.cognitive.microsoft.com")
    (note,) = target.notes
    assert "regional" in note
    assert "https://NAME.openai.azure.com" in note


def test_a_gateways_own_v1_becomes_azures_path_and_the_note_names_the_flag_that_keeps_it() -> None:
    target = azure_target("https://gw.contoso.com/rt/v1/realtime", DEPLOYMENT)
    assert target.url == ga("gw.contoso.com/rt")
    (note,) = target.notes
    assert "--url" in note


@pytest.mark.parametrize(
    ("endpoint", "model", "noted"),
    [
        ("https://acme.openai.azure.com/openai/realtime?api-version=1&deployment=rt-1", "rt-1", True),
        ("https://acme.openai.azure.com/openai/deployments/rt-1/realtime?api-version=1", "rt-1", True),
        ("https://acme.openai.azure.com/openai/deployments/r%C3%BC/realtime", "rü", True),
        ("https://acme.openai.azure.com/openai/v1/realtime?model=rt-1", "rt-1", False),
    ],
)
def test_a_deployment_in_the_url_is_used_when_none_is_set(endpoint: str, model: str, noted: bool) -> None:
    target = azure_target(endpoint, "")
    assert target.model == model
    assert parse_qs(urlsplit(target.url).query) == {"model": [model]}
    assert any("was taken from the URL" in note for note in target.notes) == noted
    assert azure_target(endpoint, DEPLOYMENT).model == DEPLOYMENT


@pytest.mark.parametrize("deployment", ["rt 1", "a/b", "a&b=c?d#e", "ünï", "100%", "a+b", "@cf/rt", f"rt-{KEY}"])
def test_a_deployment_is_encoded_and_comes_out_the_same(deployment: str) -> None:
    for target in (azure_target("acme", deployment), openai_target(deployment)):
        parts = urlsplit(target.url)
        assert parse_qs(parts.query) == {"model": [deployment]}
        assert parts.fragment == ""
        assert target.url.isascii()
        assert target.model == deployment


@pytest.mark.parametrize("deployment", [None, "", "  "])
def test_a_missing_deployment_says_what_to_set(deployment: str | None) -> None:
    with pytest.raises(EndpointError, match="AZURE_OPENAI_DEPLOYMENT") as caught:
        azure_target("acme", deployment)
    assert caught.value.subject == "deployment"


@pytest.mark.parametrize("deployment", [KEY, LONG_KEY, "sk-proj-0123456789abcdefghij"])
def test_a_key_as_a_deployment_is_refused_and_not_repeated(deployment: str) -> None:
    with pytest.raises(EndpointError, match="looks like an API key") as caught:
        azure_target("acme", deployment)
    assert deployment not in str(caught.value)


@pytest.mark.parametrize(
    "deployment", ["a\nb", "\x1b[31m", "a\ud800", "<your-deployment>", "your-deployment", "${NAME}"]
)
def test_what_is_no_deployment_name(deployment: str) -> None:
    with pytest.raises(EndpointError, match="is not a name") as caught:
        azure_target("acme", deployment)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("https://", "no usable host"),
        ("https:///openai", "no usable host"),
        ("my resource", "space"),
        ("https://acme.openai.azure.com /openai", "space"),
        ("https://acme.openai.azure.com/\x1b[31m", "control character"),
        ("https://acme\nopenai.azure.com", "control character"),
        ("https://acme\u202e.openai.azure.com", "control character"),
        ("https://\ud800.openai.azure.com", "control character"),
        ("C:\\Users\\me", "backslash"),
        ("/etc/hosts", "no usable host"),
        ("./acme", "no usable host"),
        ("~/acme", "no usable host"),
        ("some/file", "neither a host nor the name of a resource"),
        ("ftp://acme.openai.azure.com", "not an address of an Azure OpenAI resource"),
        ("file:///etc/hosts", "not an address of an Azure OpenAI resource"),
        ("https://portal.azure.com/#@contoso/resource", "web page"),
        ("https://acme.openai.azure.com/#@contoso", "@ after the host"),
        ("https://portal.azure.com/#home", "web page"),
        ("https://ai.azure.com/resource/overview", "web page"),
        ("https://openai.azure.com", "lacks the name"),
        ("https://services.ai.azure.com/", "lacks the name"),
        ("https://.openai.azure.com", "no usable host"),
        ("https://-acme.openai.azure.com", "no usable host"),
        ("https://acme..openai.azure.com", "no usable host"),
        ("https://" + "a" * 64 + ".openai.azure.com", "no usable host"),
        ("https://" + "a." * 127 + "com", "no usable host"),
        ("https://a℀b.com", "no usable host"),
        ("https://acme%2eopenai.azure.com", "no usable host"),
        ("https://[::1", "no usable host"),
        ("https://[::1]x", "no usable host"),
        ("https://[fe80::1%25eth0]", "no usable host"),
        ("https://[acme]", "no usable host"),
        ("::1", "no usable (host|port)"),
        ("https://acme.openai.azure.com:0", "port"),
        ("https://acme.openai.azure.com:65536", "port"),
        ("https://acme.openai.azure.com:https", "port"),
        ("https://acme.openai.azure.com:٣", "port"),
        ("https://acme.openai.azure.com:1:2", "port"),
        ("https://gw.contoso.com/../openai", r"\.\. in its path"),
        ("https://me:p/w@acme.openai.azure.com", "port|@ after the host"),
        ("https://your-resource.openai.azure.com", "placeholder"),
        ("https://YOUR_RESOURCE_NAME.openai.azure.com/", "placeholder"),
        ("<your-resource>", "placeholder"),
        ("https://{resource}.openai.azure.com", "placeholder"),
        ("https://<resource>.openai.azure.com", "placeholder"),
        ("https://${RESOURCE}.openai.azure.com", "placeholder"),
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        (KEY, "looks like an API key"),
        (LONG_KEY, "looks like an API key"),
        ("sk-proj-0123456789abcdefghij", "looks like an API key"),
        ("https://acme.openai.azure.com/openai/realtime?deployment=a%26b", "no usable deployment"),
    ],
)
def test_what_cannot_be_an_endpoint_gives_one_line_with_a_reason(endpoint: str, reason: str) -> None:
    deployment = None if "no usable deployment" in reason else DEPLOYMENT
    with pytest.raises(EndpointError, match=reason) as caught:
        azure_target(endpoint, deployment)
    text = str(caught.value)
    assert text.isprintable()
    assert KEY not in text
    assert LONG_KEY not in text
    assert caught.value.subject == "endpoint"


def test_an_error_names_the_value_without_its_secrets_and_the_form_that_works() -> None:
    with pytest.raises(EndpointError) as caught:
        azure_target(f"ftp://me:hunter2@acme.com/x?api-version=1&key=hunter2&{KEY}#hunter2", DEPLOYMENT)
    assert str(caught.value) == (
        '"ftp://acme.com/x?api-version=1&***&***" is not an address of an Azure OpenAI resource; '
        "use https://NAME.openai.azure.com"
    )


def test_openai() -> None:
    assert openai_target(None) == Target(
        "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1",
        "api.openai.com",
        "gpt-realtime-2.1",
        "openai",
        "Authorization",
        (),
    )
    assert openai_target("gpt-realtime-mini").url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-mini"


@pytest.mark.parametrize(
    ("url", "provider", "header"),
    [
        ("wss://acme.openai.azure.com/openai/v1/realtime?model=m", "azure", "api-key"),
        ("wss://acme.cognitiveservices.azure.com/openai/v1/realtime?model=m", "azure", "api-key"),
        ("wss://acme.azure-api.net/rt?model=m", "azure", "api-key"),
        ("wss://gw.contoso.com/rt/openai/v1/realtime?model=m", "azure", "api-key"),
        ("wss://api.openai.com/v1/realtime?model=m", "openai", "Authorization"),
        ("wss://eu.api.openai.com/v1/realtime?model=m", "openai", "Authorization"),
        ("wss://gw.contoso.com/v1/realtime?model=m", "compatible", "Authorization"),
        ("wss://openai.azure.com.evil.example/v1/realtime?model=m", "compatible", "Authorization"),
        ("wss://notopenai.azure.com/v1/realtime?model=m", "compatible", "Authorization"),
        ("wss://evilapi.openai.com.example/v1/realtime?model=m", "compatible", "Authorization"),
        ("ws://127.0.0.1:9/v1/realtime?model=m", "compatible", "Authorization"),
        ("ws://[::1]:9/openai/v1/realtime?model=m", "azure", "api-key"),
    ],
)
def test_an_explicit_url_is_kept_and_its_host_decides_the_header(url: str, provider: str, header: str) -> None:
    target = explicit_target(url, None)
    assert (target.url, target.provider, target.auth_header, target.notes) == (url, provider, header, ())
    assert target.model == "m"
    assert target.host == urlsplit(url).netloc


@pytest.mark.parametrize(
    ("url", "deployment", "expected", "notes"),
    [
        ("wss://gw.example/v1/realtime", "my model", "wss://gw.example/v1/realtime?model=my%20model", []),
        ("wss://gw.example/v1/realtime?x=1", "m", "wss://gw.example/v1/realtime?x=1&model=m", []),
        ("wss://gw.example", "m", "wss://gw.example?model=m", []),
        ("wss://gw.example/", None, "wss://gw.example/", []),
        ("wss://gw.example/?model=m", "m", "wss://gw.example/?model=m", []),
        ("wss://gw.example/?model=a%2Fb", "m", "wss://gw.example/?model=a%2Fb", ['"m" is not used']),
        ("wss://me:pw@gw.example/?model=m", None, "wss://gw.example/?model=m", ["user name and password"]),
        ("wss://gw.example/?model=m&api_key=s3cret", None, "wss://gw.example/?model=m", ["a key in the query"]),
        (f"wss://gw.example/?model=m&x={KEY}", None, "wss://gw.example/?model=m", ["a key in the query"]),
        ("wss://gw.example/?model=m#top", None, "wss://gw.example/?model=m", ["fragment"]),
    ],
)
def test_what_is_added_to_and_taken_from_an_explicit_url(
    url: str, deployment: str | None, expected: str, notes: list[str]
) -> None:
    target = explicit_target(url, deployment)
    assert target.url == expected
    assert len(target.notes) == len(notes)
    assert all(start in note for start, note in zip(notes, target.notes, strict=True))


def test_a_beta_url_given_explicitly_is_kept_and_the_note_says_what_to_set() -> None:
    url = "wss://acme.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=rt-1"
    target = explicit_target(url, None)
    assert (target.url, target.model) == (url, "rt-1")
    (note,) = target.notes
    assert "Beta" in note
    assert "AZURE_OPENAI_ENDPOINT=https://acme.openai.azure.com" in note
    assert "AZURE_OPENAI_DEPLOYMENT=rt-1" in note


def test_a_beta_url_without_a_deployment_gets_it_under_its_beta_name() -> None:
    target = explicit_target("wss://acme.openai.azure.com/openai/realtime?api-version=1", "rt-1")
    assert target.url == "wss://acme.openai.azure.com/openai/realtime?api-version=1&deployment=rt-1"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://gw.example/v1/realtime?x=1", r"use wss://gw\.example/v1/realtime\?x=1 "),
        ("http://gw.example/v1", "use wss://gw.example/v1 "),
        ("gw.example/v1", "no scheme; use wss://gw.example/v1 "),
        ("http://localhost:8080/v1", "use ws://localhost:8080/v1 "),
        ("localhost:8080/v1", "no scheme; use ws://localhost:8080/v1 "),
        ("https://localhost:8080/v1", "use wss://localhost:8080/v1 "),
        ("ws://gw.example/v1?token=hunter2&x=1", r"use wss://gw\.example/v1\?x=1, or add --insecure"),
        ("ws://127.0.0.1.example/v1", "--insecure"),
        ("", "empty; use wss://HOST"),
        ("wss://", "no usable host"),
        ("wss://gw.example/a b", "space"),
    ],
)
def test_an_explicit_url_that_cannot_be_used(url: str, reason: str) -> None:
    with pytest.raises(EndpointError, match=reason) as caught:
        explicit_target(url, DEPLOYMENT)
    assert "hunter2" not in str(caught.value)
    assert caught.value.subject == "url"


def test_unencrypted_needs_a_loopback_host_or_the_flag() -> None:
    assert explicit_target("ws://localhost:9/x", None).url == "ws://localhost:9/x"
    assert explicit_target("ws://gw.example/x", None, insecure=True).url == "ws://gw.example/x"


def test_headers() -> None:
    assert azure_target("acme", "m").headers("k") == {"api-key": "k"}
    assert openai_target("m").headers("k") == {"Authorization": "Bearer k"}
    assert openai_target("m").headers(None) == {}
    assert azure_target("acme", "m").headers("") == {}


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("x.localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_shown_is_short_and_harmless() -> None:
    assert shown("a\x1b]0;x\x07b\u202e\ud800") == r"a\x1b]0;x\x07b\u202e\ud800"
    assert len(shown("x " * 500)) == 100
    assert shown(f"say {KEY} and {LONG_KEY}") == "say *** and ***"
    assert escape_controls("naïve 日本 ok") == "naïve 日本 ok"


def test_only_what_a_terminal_obeys_is_escaped() -> None:
    bidirectional = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
    obeyed = {c for c in map(chr, range(0x110000)) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    for character in map(chr, range(0x110000)):
        escaped = escape_controls(character)
        if character in obeyed | bidirectional:
            assert escaped.isascii() and escaped.startswith("\\") and len(escaped) >= 2
        else:
            assert escaped == character
    assert escape_controls("a\tb\nc\r", keep="\n\t") == "a\tb\nc\\r"


HOSTS = st.sampled_from(
    ["acme", "acme.openai.azure.com", "gw.contoso.com", "localhost:80", "[::1]", "", "a b", "your-x"]
)
SCHEMES = st.sampled_from(["", "https://", "http://", "wss://", "ws://", "ftp://", "https:/"])
PATHS = st.lists(
    st.sampled_from(["", "openai", "v1", "realtime", "deployments", "rt", "..", "api", "%", "é"]), max_size=6
)
QUERIES = st.lists(st.sampled_from(["api-version=1", "deployment=d", "model=m", "x", "=", "%zz=1"]), max_size=3)
DEPLOYMENTS = st.none() | st.text(max_size=12)


def check_azure(endpoint: str, deployment: str | None) -> None:
    try:
        target = azure_target(endpoint, deployment)
    except EndpointError as error:
        assert str(error).isprintable()
        return
    assert GA.fullmatch(target.url), target.url
    assert urlsplit(target.url).netloc == target.host
    assert parse_qs(urlsplit(target.url).query, keep_blank_values=True) == {"model": [target.model]}
    assert all(note.isprintable() for note in target.notes)


@PROPERTY
@given(endpoint=st.text(max_size=60), deployment=DEPLOYMENTS)
def test_no_text_makes_anything_but_a_ga_url_or_an_endpoint_error(endpoint: str, deployment: str | None) -> None:
    check_azure(endpoint, deployment)


@PROPERTY
@given(SCHEMES, HOSTS, PATHS, QUERIES, DEPLOYMENTS)
def test_no_url_makes_anything_but_a_ga_url_or_an_endpoint_error(
    scheme: str, host: str, path: list[str], query: list[str], deployment: str | None
) -> None:
    check_azure("/".join([scheme + host, *path]) + "?" + "&".join(query), deployment)


@PROPERTY
@given(st.sampled_from(["wss://", "ws://", "https://", ""]), st.text(max_size=60), DEPLOYMENTS, st.booleans())
def test_no_text_makes_anything_but_a_websocket_url_or_an_endpoint_error(
    scheme: str, rest: str, deployment: str | None, insecure: bool
) -> None:
    try:
        target = explicit_target(scheme + rest, deployment, insecure=insecure)
    except EndpointError as error:
        assert str(error).isprintable()
        return
    parts = urlsplit(target.url)
    assert parts.scheme == "wss" or (parts.scheme == "ws" and (insecure or is_loopback(parts.hostname or "")))
    assert parts.netloc == target.host
    assert target.url.isascii()
    assert target.url.isprintable()
    assert not parts.fragment


# Where a secret can stand in what a person pastes. %s is the secret.
USER_INFO = st.sampled_from(["", "%s@", "u:%s@", "%s:@", "u:%s/@", "u:?%s@", "u:#%s@", "%s@u@"])
NAMED = st.sampled_from(
    ["", "api-key=%s", "API_KEY=%s", "token=%s&", "sig=%s#x", "x#%s", "deployment=d;key=%s", "code=%s"]
)
UNNAMED = st.sampled_from(["%s", "x=%s", "x=1&%s=", "deployment=d?%s", "deployment=d%%26key=%s"])
SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=8, max_size=12).map(lambda text: f"Zq{text}")


@PROPERTY
@given(SECRETS, SCHEMES, USER_INFO, HOSTS, PATHS, QUERIES, NAMED | UNNAMED, st.sampled_from([None, DEPLOYMENT]))
def test_no_secret_in_an_endpoint_reaches_the_target_or_an_error(
    secret: str,
    scheme: str,
    user_info: str,
    host: str,
    path: list[str],
    query: list[str],
    extra: str,
    deployment: str | None,
) -> None:
    def make(endpoint: str) -> Target:
        return azure_target(endpoint, deployment)

    check_secret(make, secret, scheme + user_info, host, path, [*query, extra])


@PROPERTY
@given(SECRETS, SCHEMES, USER_INFO, HOSTS, PATHS, QUERIES, NAMED, st.booleans())
def test_no_secret_with_a_name_in_an_explicit_url_reaches_the_target_or_an_error(
    secret: str,
    scheme: str,
    user_info: str,
    host: str,
    path: list[str],
    query: list[str],
    extra: str,
    insecure: bool,
) -> None:
    def make(url: str) -> Target:
        return explicit_target(url, DEPLOYMENT, insecure=insecure)

    check_secret(make, secret, scheme + user_info, host, path, [*query, extra])


def check_secret(
    make: Callable[[str], Target], secret: str, before: str, host: str, path: list[str], query: list[str]
) -> None:
    pasted = f"{before}{'/'.join([host, *path])}?{'&'.join(query)}".replace("%s", secret)
    try:
        said = repr(make(pasted))
    except EndpointError as error:
        said = str(error)
    assert secret.lower() not in said.lower()
