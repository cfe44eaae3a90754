"""Entra ID: a token from azure-identity's DefaultAzureCredential, and its failures in plain words.

The credential looks for a sign-in in the order that all Azure tools share: environment variables, workload and managed
identity, then Azure CLI and other tools of a developer's machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tui import wire
from tui.conversation import Cause
from tui.failures.table import cause
from tui.secrets import KEY
from tui.session.sign_in import FetchedSecret, SignInError
from tui.session.tls import CaFileError, trust
from tui.settings import Secret
from tui.settings.model import AZURE_SCOPE

_CLI_TIMEOUT_S: Final = 15
"""For ``az account get-access-token``, which takes seconds on a slow machine. azure-identity's own limit is 10 s."""

_LOGIN: Final = "az login"
_LOGIN_TENANT: Final = "az login --tenant TENANT"
_SCOPE: Final = f"export AZRT_ENTRA_SCOPE={AZURE_SCOPE}"
_TENANT: Final = "export AZURE_TENANT_ID=TENANT"

_NO_NETWORK: Final = re.compile(
    r"failed to (?:resolve|establish)|connection (?:refused|aborted|reset)|max retries|timed? ?out", re.IGNORECASE
)

_NO_TENANT: Final = "Unable to get authority configuration"

_IDENTITY_REFUSED: Final = re.compile(
    r"Token request error: \(?(\w+)|The requested identity (?:has not been|isn't) assigned", re.IGNORECASE
)
"""What azure-identity says where there is a managed identity, and its endpoint gives no token."""

_AADSTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "50034": ("this tenant does not know the account", "Sign in to the tenant of the resource.", _LOGIN_TENANT),
    "50058": ("nobody is signed in", "Sign in.", _LOGIN),
    "50076": ("the account needs a second factor", "Sign in again.", _LOGIN),
    "50078": ("the second factor has expired", "Sign in again.", _LOGIN),
    "50173": ("the sign-in has expired", "Sign in again.", _LOGIN),
    "53003": ("a rule of the organisation (conditional access) forbids it", "Ask the tenant's administrator.", ""),
    "65001": ("the application lacks consent", "Ask the tenant's administrator for it.", ""),
    "70008": ("the sign-in has expired", "Sign in again.", _LOGIN),
    "70011": ("the scope is not valid", "Check AZRT_ENTRA_SCOPE.", _SCOPE),
    "70043": ("the sign-in has expired", "Sign in again.", _LOGIN),
    "90002": ("there is no such tenant", "Check AZURE_TENANT_ID.", _TENANT),
    "500011": ("the scope names no resource", "Check AZRT_ENTRA_SCOPE.", _SCOPE),
    "700016": ("this tenant does not know the application", "Check AZURE_CLIENT_ID and AZURE_TENANT_ID.", _TENANT),
    "700082": ("the sign-in has expired", "Sign in again.", _LOGIN),
    "900023": ("AZURE_TENANT_ID is no tenant's id or domain", "Check AZURE_TENANT_ID.", _TENANT),
    "7000215": (
        "the client secret is wrong",
        "Set AZURE_CLIENT_SECRET to the secret's value, not to its id.",
        "az ad app credential reset --id CLIENT-ID",
    ),
    "7000222": (
        "the client secret has expired",
        "Make a new one, and set AZURE_CLIENT_SECRET to its value.",
        "az ad app credential reset --id CLIENT-ID",
    ),
}
"""Entra ID's error codes: why there is no token, what to do, and a line to type towards it."""


def entra_token(scope: str, ca_file: Path | None = None) -> FetchedSecret:
    """The sign-in with a token for ``scope``. azure-identity keeps it, and renews it before it expires.

    ``ca_file`` holds certificates to trust besides the system's, as for every other connection.
    """
    return FetchedSecret("azrt-entra", _fetcher(scope, ca_file), keep=False)


def _fetcher(scope: str, ca_file: Path | None) -> Callable[[], Secret]:
    credential: list[Any] = []  # one for all the connections: it is what keeps the token

    def fetch() -> Secret:
        try:
            from azure.core.exceptions import AzureError
            from azure.identity import DefaultAzureCredential
        except ImportError as error:
            raise SignInError(cause("entra-missing")) from error
        try:
            if not credential:
                credential.append(
                    DefaultAzureCredential(
                        process_timeout=_CLI_TIMEOUT_S,
                        transport=_transport(ca_file),
                        retry_connect=1,  # what may pass is tried again by us, and is said meanwhile
                    )
                )
            return Secret(credential[0].get_token(scope).token)
        except CaFileError as error:
            raise SignInError(cause("ca-file", why=error)) from None
        except (AzureError, ValueError) as error:  # ValueError: a scope or a tenant that cannot be one
            raise SignInError(cause_of(str(error))) from None

    return fetch


def _transport(ca_file: Path | None) -> Any:
    """What azure-identity sends its requests with. By itself it would trust a list of its own, and nobody else."""
    from azure.core.pipeline.transport import RequestsTransport
    from requests import Session
    from requests.adapters import HTTPAdapter

    context = trust(ca_file)

    class Trusting(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options, ssl_context=context)

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            return super().proxy_manager_for(proxy, **options, ssl_context=context)

    session = Session()
    session.mount("https://", Trusting())
    return RequestsTransport(session=session)


def cause_of(message: str) -> Cause:
    """What azure-identity's error comes to. Its own text is a page, with a line for each way that was tried."""
    tried = {
        name: wire.text(KEY.sub("***", why))
        for name, why in re.findall(r"^\s*(\w+Credential): (.+)$", message, re.MULTILINE)
    }
    found = re.search(r"AADSTS(\d+)", message)
    if found:
        why, fix, line = _AADSTS.get(found[1], ("it refuses", "Sign in again.", _LOGIN))
        return cause("entra-refused", tried, why=why, code=found[1], fix=fix, line=line)
    if _NO_TENANT in message:  # azure-identity leaves the code out
        why, fix, line = _AADSTS["90002"]
        return cause("entra-refused", tried, why=why, code="90002", fix=fix, line=line)
    if "CERTIFICATE_VERIFY_FAILED" in message:
        return cause("entra-certificate", tried)
    refused = _IDENTITY_REFUSED.search(tried.get("ManagedIdentityCredential", ""))
    if refused:
        return cause("entra-identity", tried, why=refused[1] or refused[0].lower())
    if _NO_NETWORK.search(message):
        return cause("entra-network", tried)
    if "az login" in message:
        return cause("entra-signed-out", tried)
    if tried:
        return cause("entra-no-sign-in", tried)
    said = wire.text(KEY.sub("***", message.partition("\n")[0])).rstrip(".") or "no reason given"
    return cause("entra", tried, why=said)
