"""The table of faults: every name, what it does in one line, and the function that does it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from tui.simulator.faults import answers, frames, handshakes, network, openings
from tui.simulator.faults.kinds import (
    AnswerFault,
    Fault,
    HandshakeFault,
    Moment,
    NoAnswerFault,
    OpeningFault,
    TranscriptionFault,
)

_GATEWAY_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<h1>{0}</h1>\r\n</body>\r\n</html>\r\n"
_QUOTA = "You exceeded your current quota, please check your plan and billing details."

_HANDSHAKES = (
    HandshakeFault(
        "http-400",
        "HTTP 400 OperationNotSupported: the deployment is not a realtime model.",
        handshakes.azure(
            HTTPStatus.BAD_REQUEST,
            "OperationNotSupported",
            "The realtime operation does not work with the specified model, gpt-4o. Please choose different model and "
            "try again.",
        ),
    ),
    HandshakeFault(
        "http-400-tls",
        "HTTP 400 of a web server that speaks TLS here, to a client that does not.",
        handshakes.page(
            HTTPStatus.BAD_REQUEST, _GATEWAY_PAGE.format("400 The plain HTTP request was sent to HTTPS port")
        ),
    ),
    HandshakeFault(
        "http-401",
        "HTTP 401: the key is wrong.",
        handshakes.azure(
            HTTPStatus.UNAUTHORIZED,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
            "for an active subscription and use a correct regional API endpoint for your resource.",
        ),
    ),
    HandshakeFault(
        "http-401-role",
        "HTTP 401 PermissionDenied: the Entra ID sign-in has no role on the resource.",
        handshakes.azure(
            HTTPStatus.UNAUTHORIZED,
            "PermissionDenied",
            "The principal `00000000-0000-0000-0000-000000000000` lacks the required data action "
            "`Microsoft.CognitiveServices/accounts/OpenAI/realtime/action` to perform `GET /openai/v1/realtime` "
            "operation.",
        ),
    ),
    HandshakeFault(
        "http-403",
        "HTTP 403: the resource's network rules do not let this machine in.",
        handshakes.azure(HTTPStatus.FORBIDDEN, "403", "Access denied due to Virtual Network/Firewall rules."),
    ),
    HandshakeFault(
        "http-404",
        "HTTP 404 DeploymentNotFound: there is no deployment of this name.",
        handshakes.azure(
            HTTPStatus.NOT_FOUND,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment within the last 5 "
            "minutes, please wait a moment and try again.",
        ),
    ),
    HandshakeFault(
        "http-404-path",
        "HTTP 404 Resource not found: the path or the host is wrong.",
        handshakes.azure(HTTPStatus.NOT_FOUND, "404", "Resource not found"),
    ),
    HandshakeFault(
        "http-429",
        f"HTTP 429: too many requests, with Retry-After: {handshakes.RETRY_AFTER_S}.",
        handshakes.azure(
            HTTPStatus.TOO_MANY_REQUESTS,
            "429",
            "Requests to the Realtime Operation have exceeded call rate limit of your current OpenAI S0 pricing tier. "
            f"Please retry after {handshakes.RETRY_AFTER_S} seconds.",
            retry_after=str(handshakes.RETRY_AFTER_S),
        ),
    ),
    HandshakeFault("http-429-date", "HTTP 429 with a date as Retry-After.", handshakes.later_by_date),
    HandshakeFault(
        "http-429-quota",
        "HTTP 429 insufficient_quota, without Retry-After: waiting does not help.",
        handshakes.openai(HTTPStatus.TOO_MANY_REQUESTS, "insufficient_quota", "insufficient_quota", _QUOTA),
    ),
    HandshakeFault(
        "http-500",
        "HTTP 500: an error of the service.",
        handshakes.openai(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "server_error",
            None,
            "The server had an error while processing your request. Sorry about that!",
        ),
    ),
    HandshakeFault(
        "http-502",
        "HTTP 502 with a web page of a gateway.",
        handshakes.page(HTTPStatus.BAD_GATEWAY, _GATEWAY_PAGE.format("502 Bad Gateway")),
    ),
    HandshakeFault(
        "http-503",
        f"HTTP 503: the service is busy, with Retry-After: {handshakes.RETRY_AFTER_S}.",
        handshakes.azure(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "The service is temporarily unable to process your request. Please try again later.",
            retry_after=str(handshakes.RETRY_AFTER_S),
        ),
    ),
    HandshakeFault(
        "not-websocket",
        "HTTP 200 with a web page, as from a portal or a proxy's login.",
        handshakes.page(HTTPStatus.OK, _GATEWAY_PAGE.format("Sign in to continue")),
    ),
    HandshakeFault("no-http", "The connection is taken, and the request is never answered.", handshakes.silence),
    HandshakeFault("hang-up", "The connection is ended in place of an answer.", handshakes.hang_up),
    HandshakeFault(
        "not-http", "The answer is not HTTP but the greeting of another protocol.", handshakes.other_protocol
    ),
    HandshakeFault("bad-accept", "HTTP 101 with a wrong Sec-WebSocket-Accept.", handshakes.wrong_accept),
    HandshakeFault(
        "redirect",
        "HTTP 307 to another origin; it is told here whether the client brings its key there.",
        handshakes.elsewhere,
    ),
    HandshakeFault("redirect-loop", "HTTP 307 to the same address, without end.", handshakes.in_circles),
)

_OPENINGS = (
    OpeningFault("beta-session", "The session speaks the Beta protocol, whatever the URL says.", openings.beta),
    OpeningFault("no-session-created", "The WebSocket opens, and no session.created comes.", openings.silent),
    OpeningFault(
        "beta-disabled",
        "An error beta_api_shape_disabled in place of session.created, then close code 4000.",
        openings.dismissing(
            "invalid_request_error",
            "beta_api_shape_disabled",
            "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
            4000,
            "invalid_request_error.beta_api_shape_disabled",
        ),
    ),
    OpeningFault("update-refused", "One field of each session.update is refused as unknown.", openings.picky),
    OpeningFault(
        "transcriber-refused",
        f"A session.update with another transcription model than {openings.DEPLOYED} is refused.",
        openings.choosy,
    ),
    OpeningFault("expires-soon", f"The session lasts only {openings.SOON_S:g} s.", openings.short),
)

_ANSWERS = (
    NoAnswerFault("no-answer", "response.create gets no answer at all.", answers.nothing),
    NoAnswerFault(
        "unnamed-error",
        "An error in place of the answer that does not say which event it is about.",
        answers.unnamed_error,
    ),
    AnswerFault("no-response-done", "The answer stops, and no response.done comes.", Moment.MIDWAY, answers.unfinished),
    AnswerFault(
        "response-failed",
        "The answer ends as failed, with a server_error.",
        Moment.MIDWAY,
        answers.failing(
            "server_error", None, "The server had an error while processing your request. Sorry about that!"
        ),
    ),
    AnswerFault(
        "rate-limit",
        f"The answer fails at once with rate_limit_exceeded: try again in {answers.WAIT_S:g} s.",
        Moment.AT_ONCE,
        answers.rate_limited,
    ),
    AnswerFault(
        "quota",
        "The answer fails at once with insufficient_quota.",
        Moment.AT_ONCE,
        answers.failing("insufficient_quota", "insufficient_quota", _QUOTA),
    ),
    AnswerFault(
        "prompt-filtered",
        "The answer fails at once: the content filter refuses what was asked.",
        Moment.AT_ONCE,
        answers.failing(
            "invalid_request_error",
            "content_filter",
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please "
            "modify your prompt and retry.",
        ),
    ),
    AnswerFault(
        "content-filter",
        "The content filter cuts the answer off: incomplete, content_filter.",
        Moment.MIDWAY,
        answers.incomplete("content_filter"),
    ),
    AnswerFault(
        "incomplete",
        "The answer is cut off at its length: incomplete, max_output_tokens.",
        Moment.MIDWAY,
        answers.incomplete("max_output_tokens"),
    ),
    AnswerFault("cancelled", "The server cancels the answer by itself.", Moment.MIDWAY, answers.cancelled),
    AnswerFault("error", "An error in the middle of the answer, which goes on.", Moment.MIDWAY, answers.unnamed_error),
)

_ENDINGS = (
    AnswerFault("lost", "The connection is lost without a close frame (1006).", Moment.MIDWAY, answers.lost),
    AnswerFault(
        "dead", "The server falls silent: no events, no pongs, the connection up.", Moment.MIDWAY, answers.dead
    ),
    AnswerFault("close-1000", "The server closes with 1000, normal closure.", Moment.MIDWAY, answers.closing(1000)),
    AnswerFault(
        "close-1001",
        "The server closes with 1001, going away.",
        Moment.MIDWAY,
        answers.closing(1001, "The server is being updated."),
    ),
    AnswerFault(
        "close-1007",
        "The server closes with 1007, invalid data.",
        Moment.MIDWAY,
        answers.closing(1007, "Invalid UTF-8 in a text frame."),
    ),
    AnswerFault(
        "close-1008",
        "The server closes with 1008, policy violation.",
        Moment.MIDWAY,
        answers.closing(1008, "The session broke a policy of the service."),
    ),
    AnswerFault(
        "close-1009",
        "The server closes with 1009, message too big.",
        Moment.MIDWAY,
        answers.closing(1009, "A message of the client was too big."),
    ),
    AnswerFault(
        "close-1011",
        "The server closes with 1011, internal error.",
        Moment.MIDWAY,
        answers.closing(1011, "The server had an error while processing your request."),
    ),
    AnswerFault(
        "close-1012",
        "The server closes with 1012, service restart.",
        Moment.MIDWAY,
        answers.closing(1012, "The service restarts."),
    ),
    AnswerFault(
        "close-1013",
        "The server closes with 1013, try again later.",
        Moment.MIDWAY,
        answers.closing(1013, "The service is overloaded."),
    ),
    AnswerFault(
        "close-3000",
        "The server closes with 3000, no longer authorized.",
        Moment.MIDWAY,
        answers.closing(3000, "The token has expired."),
    ),
    AnswerFault(
        "close-4000",
        "The server closes with 4000 and OpenAI's kind of reason.",
        Moment.MIDWAY,
        answers.closing(4000, "invalid_request_error.invalid_event"),
    ),
    AnswerFault(
        "expired",
        "The session reaches its time limit: an error session_expired, then 1001.",
        Moment.MIDWAY,
        answers.expiring(60),
    ),
    AnswerFault(
        "protocol-error",
        "A frame breaks the WebSocket protocol; clients close with 1002.",
        Moment.MIDWAY,
        answers.protocol_error,
    ),
    AnswerFault(
        "slow-reader",
        "From then on the server takes one message a second from the client.",
        Moment.MIDWAY,
        answers.slow_reader,
    ),
)

_FRAMES = (
    AnswerFault("not-json", "A message that is not JSON.", Moment.MIDWAY, frames.sends_bytes(b"<html>502</html>")),
    AnswerFault("cut-json", "An event that was cut off.", Moment.MIDWAY, frames.sends(frames.cut_short)),
    AnswerFault("json-null", "A message that is the JSON value null.", Moment.MIDWAY, frames.sends_bytes(b"null")),
    AnswerFault(
        "json-array", "A message that is a JSON array.", Moment.MIDWAY, frames.sends_bytes(b'[{"type":"error"}]')
    ),
    AnswerFault("empty", "An empty message.", Moment.MIDWAY, frames.sends_bytes(b"")),
    AnswerFault("binary", "A binary message.", Moment.MIDWAY, frames.sends_bytes(bytes(range(256)), text=False)),
    AnswerFault(
        "binary-json", "An event in a binary message.", Moment.MIDWAY, frames.sends(frames.unknown_event, text=False)
    ),
    AnswerFault(
        "not-utf8",
        "A text message that is not UTF-8; clients close with 1007.",
        Moment.MIDWAY,
        frames.sends_bytes(b'{"type":"\xff\xfe"}'),
    ),
    AnswerFault("fragments", "An event in many fragments, which is allowed.", Moment.MIDWAY, frames.fragments),
    AnswerFault(
        "unknown-event", "An event of a type that does not exist.", Moment.MIDWAY, frames.sends(frames.unknown_event)
    ),
    AnswerFault("no-type", "An event without a type.", Moment.MIDWAY, frames.sends(frames.untyped)),
    AnswerFault("missing-fields", "A delta without its fields.", Moment.MIDWAY, frames.sends(frames.missing_fields)),
    AnswerFault(
        "wrong-types", "A delta whose fields have the wrong types.", Moment.MIDWAY, frames.sends(frames.wrong_types)
    ),
    AnswerFault("bad-base64", "Audio that is not base64.", Moment.MIDWAY, frames.sends(frames.bad_base64)),
    AnswerFault("odd-audio", "Audio that ends in half a sample.", Moment.MIDWAY, frames.sends(frames.odd_base64)),
    AnswerFault(
        "deep-nesting", f"An event nested {frames.DEPTH:,} levels deep.", Moment.MIDWAY, frames.sends(frames.deep)
    ),
    AnswerFault(
        "huge-numbers",
        f"An event with 1e999 and an integer of {frames.DIGITS:,} digits.",
        Moment.MIDWAY,
        frames.sends(frames.huge_numbers),
    ),
    AnswerFault(
        "surrogate-halves", "Text with halves of surrogate pairs.", Moment.MIDWAY, frames.sends(frames.surrogate_halves)
    ),
    AnswerFault("long-string", "A delta of 8 MiB.", Moment.MIDWAY, frames.sends(frames.long_string)),
    AnswerFault(
        "too-big", "A delta of 40 MiB; most clients close with 1009.", Moment.MIDWAY, frames.sends(frames.too_big)
    ),
    AnswerFault(
        "escapes",
        "Words with terminal escape sequences, control characters and markup.",
        Moment.MIDWAY,
        frames.sends(frames.escapes),
    ),
    AnswerFault(
        "escapes-in-type",
        "An event whose type has escape sequences.",
        Moment.MIDWAY,
        frames.sends(frames.escapes_in_type),
    ),
)

_NOT_DEPLOYED = answers.transcription_error(
    "invalid_request_error", "DeploymentNotFound", "The API deployment for this resource does not exist."
)

_TRANSCRIPTIONS = (
    TranscriptionFault(
        "transcription-failed",
        "What the user said cannot be transcribed: audio_unintelligible.",
        answers.transcription_error(
            "transcription_error", "audio_unintelligible", "The audio could not be transcribed."
        ),
    ),
    TranscriptionFault(
        "transcription-missing",
        "No deployment for transcription: Azure's server_error without a code.",
        answers.transcription_error("server_error", None, "Input transcription failed for item '{item}'."),
    ),
    TranscriptionFault(
        "whisper-only",
        f"Azure with {openings.DEPLOYED} deployed only: DeploymentNotFound for any other model.",
        _NOT_DEPLOYED,
        frozenset({openings.DEPLOYED}),
    ),
    TranscriptionFault(
        "no-transcriber",
        "Azure without a deployment for transcription: DeploymentNotFound for every model.",
        _NOT_DEPLOYED,
    ),
)

FAULTS: Final[Mapping[str, Fault]] = {
    fault.name: fault
    for fault in (*network.FAULTS, *_HANDSHAKES, *_OPENINGS, *_ANSWERS, *_ENDINGS, *_FRAMES, *_TRANSCRIPTIONS)
}
"""Every fault by its name, in the order in which a session meets them."""
