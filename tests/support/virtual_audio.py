"""A sound server of a test's own, with a virtual loudspeaker and a virtual microphone: real PortAudio, no sound card.

A private PulseAudio in a folder of its own. Both devices run at 24 kHz mono, so nothing is resampled on the way, and a
ramp of samples comes out as it went in. What needs it is skipped where the packages are missing, with the line that
installs them; with ``AZRT_REQUIRE_AUDIO=1`` in the environment, as in ``.ci/run``, that is a failure instead.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE_S = 30.0
"""How long anything may take on a loaded machine before a test gives up: a bound on hanging, not a measure."""

PACKAGES = "libportaudio2 pulseaudio pulseaudio-utils libasound2-plugins jackd2"

_FORMAT = ("--raw", "--format=s16le", "--rate=24000", "--channels=1")

_CARDS = Path("/dev/snd")

_PLUGIN = "alsa-lib/libasound_module_pcm_pulse.so"

_MODULES = """
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=spk rate=24000 channels=1
load-module module-null-sink sink_name=micfeed rate=24000 channels=1
load-module module-remap-source source_name=mic master=micfeed.monitor
set-default-sink spk
set-default-source mic
load-module module-cli-protocol-unix socket={cli}
"""


def missing() -> str:
    """What is missing of it on this machine, "" when nothing is."""
    lacks = [program for program in ("pulseaudio", "pacat", "parec", "pactl") if shutil.which(program) is None]
    try:
        import sounddevice  # noqa: F401 - whether the library is there
    except (OSError, ImportError):
        lacks.append("PortAudio")
    plugins = (path for folder in ("/usr/lib", "/usr/lib64") for path in Path(folder).glob(f"*/{_PLUGIN}"))
    if not any(path.exists() for path in (*plugins, Path("/usr/lib") / _PLUGIN, Path("/usr/lib64") / _PLUGIN)):
        lacks.append("ALSA's PulseAudio plugin")
    return ", ".join(lacks)


def need_virtual_audio() -> None:
    """Skip the test, or fail it where that was asked for, when the machine cannot run it."""
    _need(missing())


def need_jack() -> None:
    """The same for a test with a JACK server."""
    _need(", ".join(filter(None, (missing(), "" if shutil.which("jackd") else "jackd"))))


def _need(lacks: str, fix: str = f"To have it: sudo apt-get install {PACKAGES}") -> None:
    if not lacks:
        return
    reason = f"left out for want of {lacks}. {fix}"
    if os.environ.get("AZRT_REQUIRE_AUDIO"):
        pytest.fail(reason)
    pytest.skip(reason)


def without_sound_card() -> list[str]:
    """What a command has to be started through, so that it finds no sound card: nothing on a machine that has none.

    Elsewhere a mount namespace of its own, in which an empty folder lies over the cards. Skips the test, or fails it
    where that was asked for, on a machine that has cards and no such namespaces.
    """
    if not any(_CARDS.glob("controlC*")):
        return []
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    hidden = [
        "/usr/bin/env",
        "unshare",
        *user,
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs none {_CARDS} && exec "$@"',
        "sh",
    ]
    if subprocess.run([*hidden, "true"], capture_output=True, timeout=PATIENCE_S).returncode:
        _need("a mount namespace to hide the sound card in", "It takes root, or namespaces of a user's own.")
    return hidden


class Recorder:
    """Everything that reaches a virtual device, from the moment this exists."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._data = bytearray()
        self.arrivals: list[tuple[float, int]] = []
        """When something came, in monotonic seconds, and how many samples there were then."""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        self.wait_for_ms(20)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read1(65536):  # type: ignore[attr-defined]
            self._data += data
            self.arrivals.append((time.monotonic(), len(self._data) // 2))

    @property
    def data(self) -> bytes:
        """PCM16 mono 24 kHz so far."""
        return bytes(self._data[: len(self._data) // 2 * 2])

    def wait_for_ms(self, ms: int) -> None:
        """Wait until so many more milliseconds of sound, or silence, are recorded."""
        until, deadline = len(self._data) + ms * 48, time.monotonic() + PATIENCE_S
        while len(self._data) < until:
            assert time.monotonic() < deadline, "nothing is recorded"
            time.sleep(0.005)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._thread.join()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class VirtualAudio:
    """The server; ``environment`` is what a program needs to find it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        runtime, state, home = (folder / name for name in ("run/pulse", "state", "home"))
        self._socket = runtime / "native"
        self._environment = {
            "XDG_RUNTIME_DIR": str(runtime.parent),
            "PULSE_RUNTIME_PATH": str(runtime),
            "PULSE_STATE_PATH": str(state),
        }
        for each in (runtime, state, home):
            each.mkdir(parents=True, mode=0o700)
        for each in (runtime.parent, runtime):
            each.chmod(0o700)
        self._home = home
        self.environment = {**self._environment, "PULSE_SERVER": f"unix:{self._socket}"}
        self._server: subprocess.Popen[bytes] | None = None
        self._helpers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        script = self._folder / "virtual.pa"
        script.write_text(_MODULES.format(socket=self._socket, cli=self._folder / "cli"))
        with (self._folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [
                    *("pulseaudio", "-n", "-F", str(script), "--daemonize=no", "--exit-idle-time=-1"),
                    *("--use-pid-file=no", "--realtime=no", "--high-priority=no"),
                ],
                env={**os.environ, **self._environment, "HOME": str(self._home)},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE_S
        while self._run("pactl", "info").returncode:
            assert self._server.poll() is None and time.monotonic() < deadline, "the sound server does not start"
            time.sleep(0.01)
        for sink in ("spk", "micfeed"):
            self.warm(sink)

    def stop(self) -> None:
        """The server goes away, as when a device is pulled out."""
        for helper in self._helpers:
            helper.kill()
            helper.wait()
        self._helpers.clear()
        if self._server is not None:
            self._server.terminate()
            self._server.send_signal(signal.SIGCONT)  # one that hangs would not end
            self._server.wait()
            self._server = None

    def plug_in(self, module: str, *arguments: str) -> None:
        """Add a device: ``module-null-sink`` or ``module-remap-source``, with its arguments."""
        assert self._run("pactl", "load-module", module, *arguments).returncode == 0

    def disconnect(self, stream: str) -> None:
        """End the program's ``sink-input`` or ``source-output``: one direction loses its device, the other does not."""
        for block in self._command(f"list-{stream}s").split("index: ")[1:]:
            if 'application.name = "ALSA plug-in' in block:  # and not one of pacat and parec
                self._command(f"kill-{stream} {block.split()[0]}")

    def warm(self, sink: str) -> None:
        """Let a sink work in blocks of a few milliseconds, as those do that the server starts with.

        Without a client that asks for low latency, a null sink works in blocks of two seconds. It is also suspended for
        a moment, because it has begun the first of those, and the first stream would wait for its end.
        """
        before = self._streams()
        self._help("pacat", "-d", sink, "--latency-msec=20", "/dev/zero")
        self._help("parec", "-d", f"{sink}.monitor", "--latency-msec=10", "/dev/null")
        deadline = time.monotonic() + PATIENCE_S
        while self._streams() < before + 2:
            assert time.monotonic() < deadline, "the helpers do not reach the sound server"
            time.sleep(0.005)
        for suspended in (1, 0):
            self._command(f"suspend-sink {sink} {suspended}")

    def hang(self) -> None:
        """The server does not answer any more, as one that a fault has got."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def record(self, sink: str = "spk") -> Recorder:
        """Record the loudspeaker, or with ``micfeed`` what the microphone hears. Close what this returns."""
        command = ("parec", "-d", f"{sink}.monitor", "--latency-msec=5", "--process-time-msec=5", *_FORMAT)
        return Recorder(subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=subprocess.PIPE))

    def speak(self, pcm: bytes) -> None:
        """Say PCM16 mono 24 kHz into the microphone, and wait until it is said."""
        command = ("pacat", "-d", "micfeed", "--latency-msec=40", *_FORMAT)
        subprocess.run(
            command, env={**os.environ, **self.environment}, input=pcm, check=True, timeout=PATIENCE_S + len(pcm) / 48e3
        )

    def _streams(self) -> int:
        """Streams of all clients."""
        return sum(self._command(f"list-{kind}s").count("index: ") for kind in ("sink-input", "source-output"))

    def _command(self, line: str) -> str:
        """What the server answers to a line of its own command language."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect(str(self._folder / "cli"))
            client.sendall(f"{line}\n".encode())
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while data := client.recv(65536):
                answer += data
        return answer.decode()

    def _run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, timeout=PATIENCE_S)

    def _help(self, program: str, *arguments: str) -> None:
        command = (program, *_FORMAT, *arguments)
        environment = {**os.environ, **self.environment}
        self._helpers.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )


@contextmanager
def virtual_audio(folder: Path) -> Iterator[VirtualAudio]:
    """Run the server, in a folder that does not exist yet. Call :func:`need_virtual_audio` first."""
    audio = VirtualAudio(folder)
    try:
        audio.start()
        yield audio
    finally:
        audio.stop()


@contextmanager
def heard_by_portaudio(audio: VirtualAudio, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let PortAudio in this process find the server's devices."""
    from tui.audio import devices

    for name, value in audio.environment.items():
        monkeypatch.setenv(name, value)
    assert devices.refresh()
    try:
        yield
    finally:
        for name in audio.environment:
            monkeypatch.delenv(name, raising=False)
        assert devices.refresh(), "a stream was left open"


@contextmanager
def jack(rate: int) -> Iterator[dict[str, str]]:
    """Run a JACK server without a sound card, and give the environment for it. Its devices take one rate only.

    PortAudio ends its process when the server is gone before it is: use it in a process of its own.
    """
    environment = {"JACK_DEFAULT_SERVER": f"azrt-{os.getpid()}", "JACK_NO_START_SERVER": "1"}
    command = ("jackd", "--no-realtime", "-d", "dummy", "-r", str(rate), "-p", str(rate // 100))
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            waiting = ("jack_wait", "-w", "-t", str(round(PATIENCE_S)))
            subprocess.run(
                waiting, env={**os.environ, **environment}, check=True, capture_output=True, timeout=PATIENCE_S
            )
            yield environment
        finally:
            server.terminate()
