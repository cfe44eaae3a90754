"""The first part of the table of causes: why there is no connection, from the settings to the handshake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.failures.cause import Kind, Retry

BACK_OFF: Final = Retry.BACK_OFF

BETA_FIX: Final = (
    "Set AZURE_OPENAI_ENDPOINT to https://NAME.openai.azure.com and AZURE_OPENAI_DEPLOYMENT to the deployment's name; "
    "azrt-tui makes the GA URL from them."
)
GIVE_ENDPOINT: Final = "azrt-tui doctor --endpoint https://NAME.openai.azure.com --deployment NAME"
_CHECK_DEPLOYMENT: Final = (
    "Check AZURE_OPENAI_DEPLOYMENT: the deployment's name, not the model's. A new one needs a few minutes."
)


NO_CONNECTION: Final[Mapping[str, Kind]] = {
    # Settings
    "not-configured": Kind(
        "Nothing to connect to: no endpoint, no URL and no OPENAI_API_KEY is set.",
        "Set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT and AZURE_OPENAI_API_KEY, or start azrt-tui, which asks.",
        line=GIVE_ENDPOINT,
    ),
    "settings-unusable": Kind("{why}.", "Correct that setting.", line="azrt-tui --help"),
    "endpoint-unusable": Kind(
        "{why}.",
        "Correct the endpoint or the deployment.",
        line=GIVE_ENDPOINT,
    ),
    "beta-url": Kind("This is a Beta URL: only the GA protocol is understood here.", BETA_FIX, line=GIVE_ENDPOINT),
    "readable-by-others": Kind("{why}.", "Make the file yours alone.", line="{line}"),
    "settings-problem": Kind("{why}.", "Mend that line; the other ones count."),
    "not-encrypted": Kind(
        "The key, and all that is said, travel unencrypted: the URL begins with ws://.", "Use wss://.", line="{line}"
    ),
    # Signing in
    "key-command": Kind(
        "The {what} {program} {why}.",
        "Run it in a terminal to see why.",
        line="{command}",
        short="The {what} gives no key.",
    ),
    "sign-in-timeout": Kind(
        "Signing in was not done within {seconds}.",
        "Sign in outside azrt-tui first: az login, or unlock the password manager.",
        BACK_OFF,
        line="az login",
    ),
    "entra-missing": Kind(
        "Signing in with Entra ID needs the package azure-identity, which is not installed.",
        "Install azrt-tui with its extra.",
        line="pip install 'azrt-tui[entra]'",
        short="The package azure-identity is not installed.",
    ),
    "entra-refused": Kind(
        "Entra ID gives no token: {why} (AADSTS{code}).",
        "{fix}",
        line="{line}",
        short="Entra ID gives no token (AADSTS{code}).",
    ),
    "entra-signed-out": Kind("Nobody is signed in to Azure on this machine.", "Sign in.", line="az login"),
    "entra-no-sign-in": Kind(
        "No sign-in to Azure was found on this machine: no variables, no managed identity, no Azure CLI.",
        "Sign in.",
        line="az login",
        short="No sign-in to Azure was found on this machine.",
    ),
    "entra-identity": Kind(
        "Entra ID gives no token: the managed identity of this machine was refused ({why}).",
        "Check that the identity is assigned to this machine, AZURE_CLIENT_ID if it names one, and AZRT_ENTRA_SCOPE.",
        line="az identity list -o table",
        short="The managed identity of this machine was refused.",
    ),
    "entra-certificate": Kind(
        "Entra ID gives no token: its certificate is signed by nobody whom this machine trusts.",
        "Behind a company proxy, set AZRT_CA_FILE to the file of the company's CA, and REQUESTS_CA_BUNDLE for az.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
        short="Entra ID's certificate is signed by nobody trusted.",
    ),
    "entra-network": Kind(
        "Entra ID gives no token: it cannot be reached.", "Check the network.", BACK_OFF, line="az login"
    ),
    "entra": Kind(
        "Entra ID gives no token: {why}.",
        "Sign in again.",
        BACK_OFF,
        line="az login",
        short="Entra ID gives no token.",
    ),
    # Before there is a connection
    "url": Kind(
        "{url} is not a WebSocket URL.",
        "Run: azrt-tui url",
        line="azrt-tui url",
        short="The URL is not that of a WebSocket.",
    ),
    "dns": Kind(
        "No address is known for {host}.",
        "Check the resource's name in AZURE_OPENAI_ENDPOINT, and the network.",
        BACK_OFF,
        line="azrt-tui doctor --endpoint https://NAME.openai.azure.com",
        short="No address is known for this host.",
    ),
    "refused": Kind(
        "Nothing listens at {host}.",
        "Check the host and the port, and that the server runs.",
        BACK_OFF,
        line="azrt-tui url",
        short="Nothing listens at this host and port.",
    ),
    "network": Kind(
        "{host} cannot be reached: {why}.",
        "Check the network.",
        BACK_OFF,
        line="export HTTPS_PROXY=http://PROXY:PORT",
        short="The server cannot be reached.",
    ),
    "timeout": Kind(
        "{host} did not answer in time.",
        "Check the network and the firewall.",
        BACK_OFF,
        line="export HTTPS_PROXY=http://PROXY:PORT",
        short="The server did not answer in time.",
    ),
    "proxy": Kind(
        "The proxy {proxy}, through which {host} is to be reached, does not answer.",
        "Check {variable}, or add {host} to NO_PROXY.",
        BACK_OFF,
        line="export NO_PROXY={host}",
        short="The proxy does not answer.",
    ),
    "proxy-unusable": Kind(
        "The proxy for {host} cannot be used: {why}.",
        "Check {variable}.",
        line="export {variable}=http://PROXY:PORT",
        short="The proxy cannot be used.",
    ),
    "proxy-refused": Kind(
        "The proxy refused the connection to {host}: {why}.",
        "Check {variable}.",
        line="export NO_PROXY={host}",
        short="The proxy refused the connection.",
    ),
    "proxy-password": Kind(
        "The proxy {proxy} wants a user name and a password (HTTP 407).",
        "Give them in {variable}.",
        line="export {variable}=http://USER:PASSWORD@{proxy}",
        short="The proxy wants a user name and a password.",
    ),
    "proxy-password-refused": Kind(
        "The proxy {proxy} refused the user name and the password (HTTP 407).",
        "Correct them in {variable}.",
        line="export {variable}=http://USER:PASSWORD@{proxy}",
        short="The proxy refused the user name and the password.",
    ),
    "proxy-socks": Kind(
        "The proxy for {host} is a SOCKS proxy.",
        "pip install python-socks",
        line="pip install python-socks",
        short="The proxy is a SOCKS proxy.",
    ),
    "tls-certificate": Kind(
        "The certificate of {host} cannot be trusted: {why}.",
        "Behind a company proxy, set AZRT_CA_FILE to the company's CA file; else check the host's name.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
        short="The certificate cannot be trusted.",
    ),
    "tls": Kind(
        "{host} does not speak TLS on this port ({why}).",
        "Check the host and the port, and whether the URL should begin with ws:// (loopback only).",
        line="azrt-tui url",
        short="The server does not speak TLS on this port.",
    ),
    "tls-cut": Kind(
        "{host} ended the connection during the TLS handshake.",
        "Check the host, the port, and that it speaks TLS there; a firewall or a proxy may be in the way.",
        BACK_OFF,
        line="export HTTPS_PROXY=http://PROXY:PORT",
        short="The connection was ended in the TLS handshake.",
    ),
    "tls-wanted": Kind(
        "{host} speaks TLS on this port, and the URL begins with ws://.",
        "Use wss://.",
        line="{line}",
        short="The server speaks TLS, and the URL begins with ws://.",
    ),
    "tls-expired": Kind(
        "The certificate of {host} has expired, or this machine's clock is wrong.",
        "Check the clock; else tell whoever runs the server.",
        line="date",
        short="The certificate has expired, or the clock is wrong.",
    ),
    "tls-not-yet": Kind(
        "The certificate of {host} is not valid yet: this machine's clock is probably slow.",
        "Set the clock.",
        line="date",
        short="The certificate is not valid yet; is the clock slow?",
    ),
    "tls-name": Kind(
        "The certificate that {host} shows is for another name: {why}.",
        "Check the host's name; a private link or a gateway needs the name in its certificate.",
        line="azrt-tui doctor --endpoint https://NAME.openai.azure.com",
        short="The certificate is for another name.",
    ),
    "tls-untrusted": Kind(
        "The certificate of {host} is signed by nobody whom this machine trusts: {why}.",
        "Behind a company proxy, set AZRT_CA_FILE to the file of the company's CA.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
        short="The certificate is signed by nobody who is trusted.",
    ),
    "ca-file": Kind(
        "The certificates of AZRT_CA_FILE cannot be used: {why}.",
        "Check AZRT_CA_FILE.",
        line="export AZRT_CA_FILE=/PATH/TO/CA.pem",
        short="The certificates of AZRT_CA_FILE cannot be used.",
    ),
    "redirect": Kind(
        "{host} redirects to another server ({said}); azrt-tui does not send the key there.",
        "If that server is right, give it as the endpoint, or in the URL, yourself.",
        line="azrt-tui doctor --endpoint https://THE-OTHER-SERVER",
        short="The server redirects to another server.",
    ),
    "handshake": Kind(
        "{host} answered, but not as a WebSocket server: {why}.",
        "Check the URL.",
        line="azrt-tui url",
        short="The answer is not that of a WebSocket server.",
    ),
    "handshake-cut": Kind(
        "{host} took the connection and ended it without an answer.",
        "Check the host and the port: it may be no WebSocket server, or speak {only} only.",
        BACK_OFF,
        line="azrt-tui url",
        short="The connection was ended without an answer.",
    ),
    "http-200": Kind(
        "{host} answered with a web page, not with a WebSocket ({status}).{said}",
        "Check the host: it may be a portal or a proxy.",
        line="azrt-tui url",
        short="A web page came, not a WebSocket ({http}).",
    ),
    "http-400": Kind(
        "{host} refused the request ({status}).{said}",
        "Check that the deployment is a realtime model, not a transcription or chat model.",
        line="az cognitiveservices account deployment list -g GROUP -n RESOURCE -o table",
        short="The request was refused ({http}).",
    ),
    "http-401": Kind(
        "{host} refused the key ({status}).{said}",
        "Check AZURE_OPENAI_API_KEY: copy KEY 1 of this resource from the Azure portal (Keys and Endpoint).",
        line="az cognitiveservices account keys list -g GROUP -n RESOURCE",
        short="The key was refused ({http}).",
    ),
    "http-401-role": Kind(
        "{host} knows the sign-in, but it has no role that allows this ({status}).{said}",
        "Give it the role Cognitive Services OpenAI User on the resource; a new one needs a few minutes.",
        line='az role assignment create --role "Cognitive Services OpenAI User" --assignee YOU --scope RESOURCE-ID',
        short="The sign-in has no role that allows this ({http}).",
    ),
    "http-401-token": Kind(
        "{host} refused the token of Entra ID ({status}).{said}",
        "Check AZRT_ENTRA_SCOPE, and that the sign-in belongs to the tenant of the resource.",
        line="az login --tenant TENANT",
        short="The token of Entra ID was refused ({http}).",
    ),
    "http-403": Kind(
        "{host} forbids access ({status}).{said}",
        "The key is known, but not allowed here: check the resource's network rules, firewall and role assignments.",
        line="az cognitiveservices account network-rule add -g GROUP -n RESOURCE --ip-address YOURS",
        short="Access is forbidden ({http}).",
    ),
    "http-404": Kind(
        "{host} does not know this deployment or path ({status}).{said}",
        _CHECK_DEPLOYMENT,
        line="az cognitiveservices account deployment list -g GROUP -n RESOURCE -o table",
        short="The deployment is not known ({http}).",
    ),
    "http-404-path": Kind(
        "{host} is there, but has nothing at this path ({status}).{said}",
        "Check AZURE_OPENAI_ENDPOINT: it should be the resource's own, https://NAME.openai.azure.com.",
        line="azrt-tui url",
        short="There is nothing at this path ({http}).",
    ),
    "http-429": Kind(
        "{host} has no room for this session now: too many requests ({status}).{said}",
        "",
        BACK_OFF,
        short="Too many requests ({http}).",
    ),
    "quota": Kind(
        "The quota of {host} is used up ({status}).{said}",
        "Check the plan, the budget and the billing.",
        short="The quota is used up ({http}).",
    ),
    "http-4xx": Kind(
        "{host} refused ({status}).{said}",
        "Check the URL: azrt-tui url",
        line="azrt-tui url",
        short="The request was refused ({http}).",
    ),
    "http-5xx": Kind(
        "{host} failed ({status}).{said}",
        "",
        BACK_OFF,
        short="The server failed ({http}).",
    ),
    "unexpected": Kind(
        "Connecting to {host} failed: {why}.",
        "The log file has the details.",
        short="Connecting failed: {why}.",
    ),
    "crash": Kind("The session worker failed: a fault of azrt-tui.", "The log file has the details."),
}
"""Rows of :data:`tui.failures.table.KINDS`."""
