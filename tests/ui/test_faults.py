"""Every fault of the simulator as a person meets it: the whole program in 80 by 24, and the words on its screen."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.apps import Running, fast, isolate, running
from tests.support.drawing import lines
from tests.support.faults import ELSEWHERE, NAMES, NOTED, SILENT, UNNAMED, cause_of
from tests.support.virtual_device import VirtualInput
from tests.unit.simulator.support import speech
from tui.conversation import AgentState, Link, TurnState
from tui.session.plan import Timeouts
from tui.simulator.faults import FAULTS
from tui.simulator.faults.kinds import ALWAYS
from tui.wire import Direction

SMALL = (80, 24)

AGAIN = "ctrl+r reconnects."
CHECKS = "F6 shows all checks."


@dataclass(frozen=True)
class Seen:
    """What stands on the screen, in full. ``{at}`` is the server's address."""

    says: str
    """In the conversation, from the first word to the last of what is said about it."""
    strip: str = ""
    """In the second line of the status strip."""
    offer: str = ""
    """In the frame of the prompt; what comes before the keys."""


def over(short: str, says: str, *more: str) -> Seen:
    """There is no connection, and it is not tried again by itself."""
    return Seen(" ".join((says, *more, AGAIN)), short)


def waits(short: str, *says: str) -> Seen:
    """There is no connection, and it is tried again after a while."""
    return Seen(" ".join(says), short, "Connects again in")


_GA = (
    "Set AZURE_OPENAI_ENDPOINT to https://NAME.openai.azure.com and AZURE_OPENAI_DEPLOYMENT to the deployment's name; "
    "azrt-tui makes the GA URL from them."
)
_SORRY = "The server had an error while processing your request. Sorry about that!"
_CUT = "cut off: the connection ended azrt-tui 0:00"

SEEN: dict[str, Seen] = {
    "dns": waits(
        "No address is known for this host.",
        "No address is known for {at}.",
        "Check the resource's name in AZURE_OPENAI_ENDPOINT, and the network.",
    ),
    "refused": waits(
        "Nothing listens at this host and port.",
        "Nothing listens at {at}.",
        "Check the host and the port, and that the server runs.",
    ),
    "tls-missing": over(
        "The server does not speak TLS on this port.",
        "{at} does not speak TLS on this port (WRONG_VERSION_NUMBER).",
        "Check the host and the port, and whether the URL should begin with ws:// (loopback only).",
    ),
    "tls-silent": waits(
        "The server did not answer in time.", "{at} did not answer in time.", "Check the network and the firewall."
    ),
    "tls-hang-up": waits(
        "The connection was ended in the TLS handshake.",
        "{at} ended the connection during the TLS handshake.",
        "Check the host, the port, and that it speaks TLS there; a firewall or a proxy may be in the way.",
    ),
    "tls-expired": over(
        "The certificate has expired, or the clock is wrong.",
        "The certificate of {at} has expired, or this machine's clock is wrong.",
        "Check the clock; else tell whoever runs the server.",
    ),
    "tls-not-yet": over(
        "The certificate is not valid yet; is the clock slow?",
        "The certificate of {at} is not valid yet: this machine's clock is probably slow.",
        "Set the clock.",
    ),
    "tls-name": over(
        "The certificate is for another name.",
        "The certificate that {at} shows is for another name: IP address mismatch, certificate is not valid for "
        "'127.0.0.1'.",
        "Check the host's name; a private link or a gateway needs the name in its certificate.",
    ),
    "tls-untrusted": over(
        "The certificate is signed by nobody who is trusted.",
        "The certificate of {at} is signed by nobody whom this machine trusts: unable to get local issuer certificate.",
        "Behind a company proxy, set AZRT_CA_FILE to the file of the company's CA.",
    ),
    "tls-self-signed": over(
        "The certificate is signed by nobody who is trusted.",
        "The certificate of {at} is signed by nobody whom this machine trusts: self-signed certificate.",
        "Behind a company proxy, set AZRT_CA_FILE to the file of the company's CA.",
    ),
    "http-400": over(
        "The request was refused (HTTP 400).",
        "{at} refused the request (HTTP 400, OperationNotSupported). It said: The realtime operation does not work "
        "with the specified model, gpt-4o. Please choose different model and try again.",
        "Check that the deployment is a realtime model, not a transcription or chat model.",
    ),
    "http-400-tls": over(
        "The server speaks TLS, and the URL begins with ws://.",
        "{at} speaks TLS on this port, and the URL begins with ws://.",
        "Use wss://.",
    ),
    "http-401": over(
        "The key was refused (HTTP 401).",
        "{at} refused the key (HTTP 401). It said: Access denied due to invalid subscription key or wrong API endpoint."
        " Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource.",
        "Check AZURE_OPENAI_API_KEY: copy KEY 1 of this resource from the Azure portal (Keys and Endpoint).",
    ),
    "http-401-role": over(
        "The sign-in has no role that allows this (HTTP 401).",
        "{at} knows the sign-in, but it has no role that allows this (HTTP 401, PermissionDenied). It said: The "
        "principal `00000000-0000-0000-0000-000000000000` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/realtime/action` to perform `GET /openai/v1/realtime` operation.",
        "Give it the role Cognitive Services OpenAI User on the resource; a new one needs a few minutes.",
    ),
    "http-403": over(
        "Access is forbidden (HTTP 403).",
        "{at} forbids access (HTTP 403). It said: Access denied due to Virtual Network/Firewall rules.",
        "The key is known, but not allowed here: check the resource's network rules, firewall and role assignments.",
    ),
    "http-404": over(
        "The deployment is not known (HTTP 404).",
        "{at} does not know this deployment or path (HTTP 404, DeploymentNotFound). It said: The API deployment for "
        "this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment "
        "and try again.",
        "Check AZURE_OPENAI_DEPLOYMENT: the deployment's name, not the model's. A new one needs a few minutes.",
    ),
    "http-404-path": over(
        "There is nothing at this path (HTTP 404).",
        "{at} is there, but has nothing at this path (HTTP 404). It said: Resource not found.",
        "Check AZURE_OPENAI_ENDPOINT: it should be the resource's own, https://NAME.openai.azure.com.",
    ),
    "http-429": waits(
        "Too many requests (HTTP 429).",
        "{at} has no room for this session now: too many requests (HTTP 429). It said: Requests to the Realtime "
        "Operation have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 2 seconds.",
        "Wait 2 s.",
    ),
    "http-429-date": waits(
        "Too many requests (HTTP 429).",
        "{at} has no room for this session now: too many requests (HTTP 429). It said: Rate limit is exceeded. Try "
        "again at",
    ),
    "http-429-quota": over(
        "The quota is used up (HTTP 429).",
        "The quota of {at} is used up (HTTP 429, insufficient_quota). It said: You exceeded your current quota, please "
        "check your plan and billing details.",
        "Check the plan, the budget and the billing.",
    ),
    "http-500": waits("The server failed (HTTP 500).", f"{{at}} failed (HTTP 500, server_error). It said: {_SORRY}"),
    "http-502": waits("The server failed (HTTP 502).", "{at} failed (HTTP 502)."),
    "http-503": waits(
        "The server failed (HTTP 503).",
        "{at} failed (HTTP 503, ServiceUnavailable). It said: The service is temporarily unable to process your "
        "request. Please try again later. Wait 2 s.",
    ),
    "not-websocket": over(
        "A web page came, not a WebSocket (HTTP 200).",
        "{at} answered with a web page, not with a WebSocket (HTTP 200). It said: Sign in to continue.",
        "Check the host: it may be a portal or a proxy.",
    ),
    "no-http": waits(
        "The server did not answer in time.", "{at} did not answer in time.", "Check the network and the firewall."
    ),
    "hang-up": waits(
        "The connection was ended without an answer.",
        "{at} took the connection and ended it without an answer.",
        "Check the host and the port: it may be no WebSocket server, or speak HTTP/2 or TLS only.",
    ),
    "not-http": over(
        "The answer is not that of a WebSocket server.",
        "{at} answered, but not as a WebSocket server: did not receive a valid HTTP response (invalid HTTP status "
        "line: SSH-2.0-OpenSSH_9.6).",
        "Check the URL.",
    ),
    "bad-accept": over(
        "The answer is not that of a WebSocket server.",
        "{at} answered, but not as a WebSocket server: invalid Sec-WebSocket-Accept header: "
        "AAAAAAAAAAAAAAAAAAAAAAAAAAA=.",
        "Check the URL.",
    ),
    "redirect": over(
        "The server redirects to another server.",
        "{at} redirects to another server (ws://localhost:{port}); azrt-tui does not send the key there.",
        "If that server is right, give it as the endpoint, or in the URL, yourself.",
    ),
    "redirect-loop": over(
        "The answer is not that of a WebSocket server.",
        "{at} answered, but not as a WebSocket server: more than 10 redirects.",
        "Check the URL.",
    ),
    "beta-session": over(
        "The server speaks the Beta protocol, not GA.",
        "The server speaks the Realtime Beta protocol, which the openai-agents SDK cannot read (it ends in a "
        "ValidationError on session.created); the URL was ws://{at}/openai/v1/realtime?model=gpt-realtime-2.1",
        _GA,
    ),
    "no-session-created": Seen("", offer="No session.created for 1 s, reconnects in 1 s"),
    "beta-disabled": over(
        "The server no longer speaks the Realtime Beta protocol.",
        "The server no longer speaks the Realtime Beta protocol.",
        _GA,
    ),
    "update-refused": Seen(
        "The server refused a setting: unknown_parameter · Unknown parameter: 'session.audio.input.transcription'. "
        "Nothing that was sent with it holds. Set AZRT_TRANSCRIPTION_MODEL (or --transcription-model) to a "
        f"transcription model that this server has (on Azure: to the name of its deployment), or to none. {CHECKS}"
    ),
    "no-answer": Seen("hello", offer="No answer for 1 s"),
    "unnamed-error": Seen(f"The server reports an error: server_error · {_SORRY}"),
    "no-response-done": Seen("Hello, I am", offer="Answer stands still for 1 s"),
    "response-failed": Seen(f"Hello, I am The answer failed: {_SORRY} Send it again.", "last answer: response failed"),
    "rate-limit": Seen(
        "The answer failed: too many requests or tokens in a minute. Wait 8 s. Then send it again.",
        "last answer: rate limit",
    ),
    "quota": Seen(
        "The answer failed: the quota is used up. It said: You exceeded your current quota, please check your plan and "
        "billing details. Check the plan, the budget and the billing.",
        "last answer: response quota",
    ),
    "prompt-filtered": Seen(
        "The answer failed: the content filter refused what was asked. Say it in other words.",
        "last answer: prompt filtered",
    ),
    "content-filter": Seen(
        "Hello, I am The answer was cut short: the content filter stopped it. Ask in other words.",
        "last answer: content filter",
    ),
    "incomplete": Seen(
        "Hello, I am The answer was cut short: it reached the limit of output tokens. Ask for less, or for the rest.",
        "last answer: max output tokens",
    ),
    "cancelled": Seen("cut off: the server heard you speak"),
    "error": Seen(f"The server reports an error: server_error · {_SORRY}"),
    "lost": waits(
        "The connection was lost without a goodbye.",
        f"{_CUT} The connection was lost without a goodbye. Check the network.",
    ),
    "dead": Seen("The server stopped answering, so the connection was closed. Check the network."),
    "close-1000": over("The server ended the session.", f"{_CUT} The server ended the session."),
    "close-1001": waits(
        "The server is going away, or the time is up.",
        f"{_CUT} The server ended the session: it is going away, or the session reached its time limit. It said: The "
        "server is being updated.",
    ),
    "close-1007": over(
        "The server cannot read what it was sent.",
        f"{_CUT} The server ended the session: it was sent what it cannot read. It said: Invalid UTF-8 in a text "
        "frame.",
    ),
    "close-1008": over(
        "The server ended the session: a rule was broken.",
        f"{_CUT} The server ended the session for breaking a rule of its own. It said: The session broke a policy of "
        "the service.",
    ),
    "close-1009": over(
        "A message was larger than the server takes.",
        f"{_CUT} A message was larger than the server takes. It said: A message of the client was too big. Send less "
        "at once.",
    ),
    "close-1011": waits(
        "The server ended the session after an error of its own.",
        f"{_CUT} The server ended the session after an error of its own. It said: The server had an error while "
        "processing your request.",
    ),
    "close-1012": waits(
        "The server ended the session: it restarts.",
        f"{_CUT} The server ended the session: it restarts. It said: The service restarts.",
    ),
    "close-1013": waits(
        "The server ended the session: it has too much to do.",
        f"{_CUT} The server ended the session: it has too much to do. It said: The service is overloaded.",
    ),
    "close-3000": over(
        "The key or the token is no longer accepted.",
        f"{_CUT} The server ended the session: it no longer accepts the key or token. It said: The token has expired. "
        "Check the key.",
    ),
    "close-4000": over(
        "The server objects to something it was sent.",
        f"{_CUT} The server ended the session because of something it was sent. It said: "
        "invalid_request_error.invalid_event.",
    ),
    "expired": Seen(f"{_CUT} The session reached its time limit."),
    "protocol-error": waits(
        "The server broke the WebSocket protocol.",
        f"{_CUT} The server broke the WebSocket protocol. A proxy may be in the way.",
    ),
    "too-big": waits(
        "The server sent a message over the limit of 32 MiB.", "The server sent a message over the limit of 32 MiB."
    ),
    "transcription-failed": Seen("Not transcribed: The audio could not be transcribed."),
    "transcription-missing": Seen(
        "Set AZRT_TRANSCRIPTION_MODEL (or --transcription-model) to a transcription model that this server has (on "
        "Azure: to the name of its deployment), or to none."
    ),
    "no-transcriber": Seen("Not transcribed: The API deployment for this resource does not exist."),
}
"""What the person sees of each fault of which he is told."""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits_s = dict.fromkeys(
        ("AZRT_ANSWER_WAIT_S", "AZRT_RESPONSE_WAIT_S", "AZRT_SESSION_WAIT_S", "AZRT_PONG_WAIT_S"), "1"
    )
    key = {"AZURE_OPENAI_API_KEY": "a-key-that-the-simulator-does-not-ask-for"}
    isolate(tmp_path, monkeypatch, {**waits_s, **key, "AZRT_TRANSCRIPTION_MODEL": "whisper-1"})
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")  # a machine without a name server knows it in a second


def hurry(monkeypatch: pytest.MonkeyPatch, **limits: float) -> None:
    """Other time limits than the settings have: quick ones, and a long wait before it is tried again."""
    quick = functools.partial(Timeouts, **{"ping_s": 0.3, "close_s": 0.3, "back_off_s": 100.0, **limits})
    monkeypatch.setattr("tui.session.plan.Timeouts", quick)


def test_every_fault_is_looked_at() -> None:
    assert SEEN.keys() | SILENT | ELSEWHERE == FAULTS.keys()
    assert not SEEN.keys() & (SILENT | ELSEWHERE)
    assert FAULTS.keys() >= NAMES.keys() | UNNAMED


def said(shown: Running) -> str:
    """What stands in the conversation's pane, without the breaks between its lines, and every time being 0:00."""
    return re.sub(r" \d+:\d\d(?= |$)", " 0:00", " ".join(" ".join(lines(shown.transcript)).split()))


async def provoke(shown: Running, fault: str, device: VirtualInput) -> None:
    """Let the fault strike from now on, and do what it needs for that."""
    assert shown.simulator is not None
    faults = shown.simulator.simulator.faults
    if not shown.app.connected or shown.main.status.agent is not AgentState.IDLE:
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: shown.app.connected, "connected again")
    await shown.caught_up()
    shown.transcript.clear()
    faults.add(fault)
    if FAULTS[fault].counted not in ("answer", "transcription"):
        await shown.pilot.press("ctrl+r")
        return
    if FAULTS[fault].counted == "answer":
        await shown.say("hello")
        return
    await shown.pilot.press("f2")
    await shown.shows("mic on")
    device.say(speech(400))
    await shown.pilot.press("f2")


async def see(shown: Running, fault: str) -> None:
    """Wait until the screen says all that it should of this fault."""
    assert shown.simulator is not None
    seen, server = SEEN[fault], shown.simulator.simulator
    words = seen.says.format(at=server.url().split("/")[2], port=server.port)
    await shown.until(lambda: words in said(shown), f"{fault}: the conversation says {words!r}")
    await shown.until(lambda: seen.strip in shown.status_text, f"{fault}: the status strip says {seen.strip!r}")
    await shown.until(lambda: shown.subtitle("prompt").startswith(seen.offer), f"{fault}: {seen.offer!r} is offered")
    assert shown.subtitle("prompt") in shown.text, "nothing of it is cut off"
    assert not any(word in shown.text for word in ("Traceback", "Error(", "{"))
    told = {turn.cause for turn in shown.transcript.turns} | {getattr(shown.main.status.offer, "name", "")}
    assert cause_of(fault) in told or fault in UNNAMED
    server.faults.clear()
    shown.app.clear_notifications()  # they lie over the conversation for a while
    await shown.until(
        lambda: all(line in shown.text for line in (*lines(shown.transcript), *lines(shown.strip))),
        "nothing lies over it",
    )


LIMITED = {"no-http", "tls-silent"}
"""Faults that only the limit of a handshake finds."""

MET_FROM_THE_BEGINNING = tuple(fault for fault in SEEN if FAULTS[fault].counted == ALWAYS or fault in LIMITED)


@pytest.mark.parametrize("fault", MET_FROM_THE_BEGINNING)
async def test_the_words_on_the_screen_where_no_connection_comes_about(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, open_s=0.5 if fault in LIMITED else 20.0)
    async with running(fast(faults=[fault]), size=SMALL) as shown:
        await see(shown, fault)


@pytest.mark.parametrize("counted", ["TCP connection", "connection", "answer", "transcription"])
async def test_the_words_on_the_screen(counted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    device = VirtualInput()
    monkeypatch.setattr("tui.ui.host.Microphone", device.microphone)
    # Only "dead", one of the answers, is found by a limit: nothing else should meet one on a slow machine.
    hurry(monkeypatch, open_s=20.0, ping_s=0.3 if counted == "answer" else 60.0)
    flags = {"turn_detection": "none"} if counted == "transcription" else {}
    async with running(fast(tls=counted == "TCP connection"), size=SMALL, **flags) as shown:
        await shown.connected()
        for fault in SEEN:
            if FAULTS[fault].counted == counted and fault not in LIMITED:
                await provoke(shown, fault, device)
                await see(shown, fault)


async def test_a_fault_of_one_frame_costs_nothing() -> None:
    faults = [fault for fault in FAULTS if fault in SILENT - {"slow-reader"}]
    planned = [f"{fault}@{number}" for number, fault in enumerate(faults, 1)]
    async with running(fast(faults=[*planned, f"slow-reader@{len(faults) + 1}"]), size=SMALL) as shown:
        await shown.connected()
        for number, fault in enumerate((*faults, "slow-reader"), 1):
            log = shown.main._log
            assert log is not None
            before = len(log)
            await shown.answered("hello", number)
            assert said(shown).endswith("errors or Azure."), fault
            assert shown.main.status.link is Link.CONNECTED
            assert "last answer" not in shown.status_text, fault
            entries = (log.entry(index) for index in range(before, len(log)))
            noted = [entry.note for entry in entries if entry.direction is Direction.RECEIVED and entry.note]
            assert bool(noted) == (fault in NOTED), (fault, noted)
        assert {turn.state for turn in shown.transcript.turns} == {TurnState.DONE}
        assert len(shown.simulator.simulator.sessions) == 1  # type: ignore[union-attr]


async def test_the_end_of_a_session_that_does_not_last_is_in_view() -> None:
    async with running(fast(faults=["expires-soon"]), size=SMALL) as shown:
        await shown.shows("session 0 min, 2 min left")


async def test_the_next_message_after_an_error_in_place_of_an_answer_is_answered() -> None:
    async with running(fast(faults=["unnamed-error@1"]), size=SMALL) as shown:
        await shown.connected()
        await shown.say("hello")
        await shown.says("The server reports an error")
        await shown.answered("hello", 1)
