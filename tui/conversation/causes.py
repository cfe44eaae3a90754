"""Everything that can go wrong with a session, named once: what happened, what to do about it, whether to try again.

:data:`KINDS` is the one table. :mod:`tui.session.causes` finds the row for what the network and the SDK raise,
:mod:`tui.conversation.failures` for events that say themselves that something failed. How each looks on the wire was
measured against openai-agents 0.24 and websockets 16.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final


class Retry(enum.StrEnum):
    """What the program does by itself about a connection that ended so."""

    NEVER = "never"
    """It would only end in the same way, or there is nothing to connect again for."""
    BACK_OFF = "back-off"
    """It may pass: try again after a while, each time a longer one."""
    AT_ONCE = "at once"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something failed or ended, in words for a person, with the facts of the wire beside them.

    No text of it names a key: what is bound to which key is known to the screen only.
    """

    name: str
    """A short stable name: ``beta-session``, ``http-401``, ``closed-1006``."""
    sentence: str
    """What happened, in one plain sentence."""
    fix: str
    """What to do about it, preferably a line to type; "" when there is nothing to do but to connect again."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Status codes, request ids, close codes: what a support person asks for. Never a secret."""
    retry: Retry = Retry.NEVER
    passes: bool = False
    """Whether it may pass without anybody changing anything."""
    wait_s: float | None = None
    """Seconds after which the service said to try again."""
    line: str = ""
    """A line to type in a terminal, towards the fix; "" when there is none."""

    def mapped(self, change: Callable[[str], str]) -> Cause:
        """The same cause with every text changed."""
        facts = {name: change(value) for name, value in self.facts.items()}
        return Cause(
            self.name,
            change(self.sentence),
            change(self.fix),
            facts,
            self.retry,
            self.passes,
            self.wait_s,
            change(self.line),
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. Texts are formats: ``{host}`` is the server, ``{said}`` its own words, and so on."""

    sentence: str
    fix: str = ""
    retry: Retry = Retry.NEVER
    passes: bool = False
    """Whether it may pass; true for whatever is tried again."""
    line: str = ""
    """A line to type; what is in capitals is for the person to fill in."""


_BACK_OFF: Final = Retry.BACK_OFF

_BETA_FIX: Final = (
    "Set AZURE_OPENAI_ENDPOINT to https://NAME.openai.azure.com and AZURE_OPENAI_DEPLOYMENT to the deployment's name; "
    "azrt-tui makes the GA URL from them."
)
_GIVE_ENDPOINT: Final = "azrt-tui doctor --endpoint https://NAME.openai.azure.com --deployment NAME"
_CHECK_DEPLOYMENT: Final = (
    "Check AZURE_OPENAI_DEPLOYMENT: the deployment's name, not the model's. A new one needs a few minutes."
)

KINDS: Final[Mapping[str, Kind]] = {
    # Settings
    "not-configured": Kind(
        "Nothing to connect to: no endpoint, no URL and no OPENAI_API_KEY is set.",
        "Set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT and AZURE_OPENAI_API_KEY, or start azrt-tui, which asks.",
        line=_GIVE_ENDPOINT,
    ),
    "settings-unusable": Kind("{why}.", "Correct that setting.", line="azrt-tui --help"),
    "endpoint-unusable": Kind(
        "{why}.",
        "Correct the endpoint or the deployment.",
        line=_GIVE_ENDPOINT,
    ),
    "beta-url": Kind("This is a Beta URL: only the GA protocol is understood here.", _BETA_FIX, line=_GIVE_ENDPOINT),
    "readable-by-others": Kind("{why}.", "Make the file yours alone.", line="{line}"),
    "settings-problem": Kind("{why}.", "Mend that line; the other ones count."),
    "not-encrypted": Kind(
        "The key, and all that is said, travel unencrypted: the URL begins with ws://.", "Use wss://.", line="{line}"
    ),
    # Signing in
    "key-command": Kind("The api_key_command {program} {why}.", "Run it in a terminal to see why.", line="{command}"),
    "sign-in-timeout": Kind(
        "Signing in was not done within {seconds}.",
        "Sign in outside azrt-tui first: az login, or unlock the password manager.",
        _BACK_OFF,
        line="az login",
    ),
    "entra-missing": Kind(
        "Signing in with Entra ID needs the package azure-identity, which is not installed.",
        "Install azrt-tui with its extra.",
        line="pip install 'azrt-tui[entra]'",
    ),
    "entra-refused": Kind("Entra ID gives no token: {why} (AADSTS{code}).", "{fix}", line="{line}"),
    "entra-signed-out": Kind("Nobody is signed in to Azure on this machine.", "Sign in.", line="az login"),
    "entra-no-sign-in": Kind(
        "No sign-in to Azure was found on this machine: no variables, no managed identity, no Azure CLI.",
        "Sign in.",
        line="az login",
    ),
    "entra-network": Kind(
        "Entra ID gives no token: it cannot be reached.", "Check the network.", _BACK_OFF, line="az login"
    ),
    "entra": Kind("Entra ID gives no token: {why}.", "Sign in again.", _BACK_OFF, line="az login"),
    # Before there is a connection
    "url": Kind("{url} is not a WebSocket URL.", "Run: azrt-tui url", line="azrt-tui url"),
    "dns": Kind(
        "No address is known for {host}.",
        "Check the resource's name in AZURE_OPENAI_ENDPOINT, and the network.",
        _BACK_OFF,
        line="azrt-tui doctor --endpoint https://NAME.openai.azure.com",
    ),
    "refused": Kind(
        "Nothing listens at {host}.",
        "Check the host and the port, and that the server runs.",
        _BACK_OFF,
        line="azrt-tui url",
    ),
    "network": Kind(
        "{host} cannot be reached: {why}.", "Check the network.", _BACK_OFF, line="export HTTPS_PROXY=http://PROXY:PORT"
    ),
    "timeout": Kind(
        "{host} did not answer in time.",
        "Check the network and the firewall.",
        _BACK_OFF,
        line="export HTTPS_PROXY=http://PROXY:PORT",
    ),
    "proxy": Kind(
        "The proxy {proxy}, through which {host} is to be reached, does not answer.",
        "Check HTTPS_PROXY, or add {host} to NO_PROXY.",
        _BACK_OFF,
        line="export NO_PROXY={host}",
    ),
    "proxy-unusable": Kind(
        "The proxy for {host} cannot be used: {why}.", "Check HTTPS_PROXY.", line="export HTTPS_PROXY=http://PROXY:PORT"
    ),
    "proxy-refused": Kind(
        "The proxy refused the connection to {host}: {why}.", "Check HTTPS_PROXY.", line="export NO_PROXY={host}"
    ),
    "proxy-socks": Kind(
        "The proxy for {host} is a SOCKS proxy.", "pip install python-socks", line="pip install python-socks"
    ),
    "tls-certificate": Kind(
        "The certificate of {host} cannot be trusted: {why}.",
        "Behind a company proxy, set AZRT_CA_FILE to the company's CA file; else check the host's name.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
    ),
    "tls": Kind(
        "{host} does not speak TLS on this port ({why}).",
        "Check the host and the port, and whether the URL should begin with ws:// (loopback only).",
        line="azrt-tui url",
    ),
    "tls-expired": Kind(
        "The certificate of {host} has expired, or this machine's clock is wrong.",
        "Check the clock; else tell whoever runs the server.",
        line="date",
    ),
    "tls-not-yet": Kind(
        "The certificate of {host} is not valid yet: this machine's clock is probably slow.",
        "Set the clock.",
        line="date",
    ),
    "tls-name": Kind(
        "The certificate that {host} shows is for another name: {why}.",
        "Check the host's name; a private link or a gateway needs the name in its certificate.",
        line="azrt-tui doctor --endpoint https://NAME.openai.azure.com",
    ),
    "tls-untrusted": Kind(
        "The certificate of {host} is signed by nobody whom this machine trusts: {why}.",
        "Behind a company proxy, set AZRT_CA_FILE to the file of the company's CA.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
    ),
    "ca-file": Kind(
        "The certificates of AZRT_CA_FILE cannot be used: {why}.",
        "Check AZRT_CA_FILE.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
    ),
    "redirect": Kind(
        "{host} redirects to another server ({said}); azrt-tui does not send the key there.",
        "If that server is right, set it as AZURE_OPENAI_ENDPOINT yourself.",
        line="azrt-tui doctor --endpoint https://THE-OTHER-SERVER",
    ),
    "handshake": Kind("{host} answered, but not as a WebSocket server: {why}.", "Check the URL.", line="azrt-tui url"),
    "handshake-cut": Kind(
        "{host} took the connection and ended it without an answer.",
        "Check the host and the port.",
        _BACK_OFF,
        line="azrt-tui url",
    ),
    "http-200": Kind(
        "{host} answered with a web page, not with a WebSocket ({status}).{said}",
        "Check the host: it may be a portal or a proxy.",
        line="azrt-tui url",
    ),
    "http-400": Kind(
        "{host} refused the request ({status}).{said}",
        "Check that the deployment is a realtime model, not a transcription or chat model.",
        line="az cognitiveservices account deployment list -g GROUP -n RESOURCE -o table",
    ),
    "http-401": Kind(
        "{host} refused the key ({status}).{said}",
        "Check AZURE_OPENAI_API_KEY: copy KEY 1 of this resource from the Azure portal (Keys and Endpoint).",
        line="az cognitiveservices account keys list -g GROUP -n RESOURCE",
    ),
    "http-401-role": Kind(
        "{host} knows the sign-in, but it has no role that allows this ({status}).{said}",
        "Give it the role Cognitive Services OpenAI User on the resource; a new one needs a few minutes.",
        line='az role assignment create --role "Cognitive Services OpenAI User" --assignee YOU --scope RESOURCE-ID',
    ),
    "http-401-token": Kind(
        "{host} refused the token of Entra ID ({status}).{said}",
        "Check AZRT_ENTRA_SCOPE, and that the sign-in belongs to the tenant of the resource.",
        line="az login --tenant TENANT",
    ),
    "http-403": Kind(
        "{host} forbids access ({status}).{said}",
        "The key is known, but not allowed here: check the resource's network rules, firewall and role assignments.",
        line="az cognitiveservices account network-rule add -g GROUP -n RESOURCE --ip-address YOURS",
    ),
    "http-404": Kind(
        "{host} does not know this deployment or path ({status}).{said}",
        _CHECK_DEPLOYMENT,
        line="az cognitiveservices account deployment list -g GROUP -n RESOURCE -o table",
    ),
    "http-429": Kind("{host} has no room for this session now: too many requests ({status}).{said}", "", _BACK_OFF),
    "quota": Kind("The quota of {host} is used up ({status}).{said}", "Check the plan, the budget and the billing."),
    "http-4xx": Kind("{host} refused ({status}).{said}", "Check the URL: azrt-tui url", line="azrt-tui url"),
    "http-5xx": Kind("{host} failed ({status}).{said}", "", _BACK_OFF),
    "unexpected": Kind("Connecting to {host} failed: {why}.", "The log file has the details."),
    "crash": Kind("The session worker failed: a fault of azrt-tui.", "The log file has the details."),
    # A connection without a session
    "beta-session": Kind(
        "The server speaks the Realtime Beta protocol, which the openai-agents SDK cannot read (it ends in a "
        "ValidationError on session.created); the URL was {url}",
        _BETA_FIX,
        line=_GIVE_ENDPOINT,
    ),
    "beta-api": Kind(
        "The server no longer speaks the Realtime Beta protocol.",
        _BETA_FIX,
        line=_GIVE_ENDPOINT,
    ),
    "no-session-created": Kind(
        "The server accepted the connection, but sent no session.created within {seconds}.",
        "Check that the URL is a Realtime endpoint.",
        _BACK_OFF,
        line="azrt-tui url",
    ),
    # How a session ends
    "closed-1000": Kind("The server ended the session."),
    "closed-1001": Kind(
        "The server ended the session: it is going away, or the session reached its time limit.", "", _BACK_OFF
    ),
    "closed-1006": Kind("The connection was lost without a goodbye.", "Check the network.", _BACK_OFF),
    "closed-1007": Kind("The server ended the session: it was sent what it cannot read.", "The reason says what."),
    "closed-1008": Kind(
        "The server ended the session for breaking a rule of its own.", "The reason it gave says which."
    ),
    "closed-1009": Kind("A message was larger than the server takes.", "Send less at once."),
    "closed-1011": Kind("The server ended the session after an error of its own.", "", _BACK_OFF),
    "closed-1012": Kind("The server ended the session: it restarts.", "", _BACK_OFF),
    "closed-1013": Kind("The server ended the session: it has too much to do.", "", _BACK_OFF),
    "closed-1014": Kind("A gateway ended the session: the server behind it failed.", "", _BACK_OFF),
    "closed-3000": Kind("The server ended the session: it no longer accepts the key or token.", "Check the key."),
    "closed-4000": Kind(
        "The server ended the session because of something it was sent.", "The reason it gave says what."
    ),
    "closed": Kind("The server closed the connection with code {code}."),
    "expiring": Kind("The session was close to its time limit: a new one takes over.", "", Retry.AT_ONCE),
    "expired": Kind("The session reached its time limit.", "", Retry.AT_ONCE),
    "silent": Kind("The server stopped answering, so the connection was closed.", "Check the network.", Retry.AT_ONCE),
    "too-big": Kind("The server sent a message over the limit of 32 MiB.", "", _BACK_OFF),
    "not-utf8": Kind("The server sent text that is not UTF-8, which ends a connection.", "", _BACK_OFF),
    "not-websocket": Kind("The server broke the WebSocket protocol.", "A proxy may be in the way.", _BACK_OFF),
    "sdk": Kind(
        "The openai-agents SDK gave the session up, although the connection was fine.",
        "The log file has the details.",
        _BACK_OFF,
    ),
    # What fails while the session goes on
    "response-failed": Kind("The answer failed: {said}.", passes=True),
    "rate-limit": Kind(
        "The answer failed: too many requests or tokens in a minute.{wait}", "Then send it again.", passes=True
    ),
    "response-quota": Kind(
        "The answer failed: the quota is used up. It said: {said}", "Check the plan, the budget and the billing."
    ),
    "prompt-filtered": Kind("The answer failed: the content filter refused what was asked.", "Say it in other words."),
    "content-filter": Kind("The answer was cut short: the content filter stopped it.", "Ask in other words."),
    "max-output-tokens": Kind(
        "The answer was cut short: it reached the limit of output tokens.", "Ask for less, or for the rest."
    ),
    "response-incomplete": Kind("The answer was cut short: {said}."),
    "transcription-failed": Kind("Not transcribed: {said}", passes=True),
    "transcription-missing": Kind(
        "Not transcribed: {said}",
        "Set AZRT_TRANSCRIPTION_MODEL to a transcription model that is deployed on this resource, or to none.",
        line="export AZRT_TRANSCRIPTION_MODEL=none",
    ),
    "error": Kind("The server reports an error: {said}"),
    "update-refused": Kind("The server refused a setting: {said}", "The other settings hold."),
    "active-response": Kind("The server still answers, and takes no second request for an answer: {said}", passes=True),
    "audio-too-short": Kind("The server takes no turn of less than 100 ms of audio.", "Speak longer."),
    # What nothing announces
    "no-answer": Kind("No answer for {seconds}.", passes=True),
    "no-response-done": Kind("The answer stands still for {seconds}.", passes=True),
    "no-pong": Kind("No sign of the server for {seconds}.", passes=True),
    # What only the doctor looks for
    "not-updated": Kind("The server does not answer a session.update within {seconds}.", "Ask whoever runs it."),
    "update-fields-refused": Kind(
        "The server refuses {fields}. It said: {said}",
        "Change that setting; without it, the rest is accepted.",
        line="{line}",
    ),
    "no-transcription": Kind(
        "No transcript of a moment of silence came within {seconds}: speech may stay without one.",
        "Check that AZRT_TRANSCRIPTION_MODEL names a transcription model that is deployed, or set it to none.",
        line="export AZRT_TRANSCRIPTION_MODEL=none",
    ),
    "clock": Kind(
        "The session ends {when}, which no session does: this machine's clock is probably wrong.",
        "Set the clock.",
        line="date",
    ),
    "sdk-missing": Kind(
        "The openai-agents SDK cannot be imported: {why}.",
        "Install azrt-tui anew.",
        line="pip install --upgrade azrt-tui",
    ),
    "sdk-unreadable": Kind(
        "The openai-agents SDK cannot read {count} of this server's events: {said}.",
        "They are shown as they came; the conversation goes on.",
        passes=True,
    ),
    "unreadable-frames": Kind(
        "The answer came, and with it a frame that is no event: {said}.",
        "Nothing is lost: such frames are shown, and kept from the SDK. A proxy may be in the way.",
        passes=True,
    ),
    "doctor": Kind("The check {name} failed ({why}): a fault of azrt-tui.", "The log file has the details."),
    "no-devices": Kind("{why}", "{fix}", line="azrt-tui devices"),
    # What is only noted on the event
    "unknown-event": Kind("not known to the SDK: {said}", passes=True),
    "unreadable-frame": Kind("{said}; kept from the SDK", passes=True),
}
"""Every cause by its name. Where a status or close code has a row of its own class only (``http-5xx``, ``closed``), the
cause is called after the code: ``http-503``, ``closed-4321``."""


def cause(kind: str, facts: Mapping[str, str] | None = None, *, name: str = "", **fields: object) -> Cause:
    """The cause that a row of the table comes to; ``name`` when it is not the row's own.

    ``fields`` are for the row's texts; ``wait_s`` among them is kept too. What comes from the network must have been
    made one short line before.
    """
    row = KINDS[kind]
    wait_s = fields.get("wait_s")
    return Cause(
        name or kind,
        row.sentence.format(**fields),
        row.fix.format(**fields),
        facts or {},
        row.retry,
        row.passes or row.retry is not Retry.NEVER,
        wait_s if isinstance(wait_s, float) else None,
        row.line.format(**fields),
    )
