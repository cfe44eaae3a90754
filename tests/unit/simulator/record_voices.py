"""Makes the recordings in `tui/simulator/voices` anew: `python -m tests.unit.simulator.record_voices`.

Needs flite (the voices that ship were made with its voice slt). Each answer's opening sentence is recorded, and the
whole of the generic one; 12 kHz mu-law keeps them all under a megabyte.
"""

from tests.unit.simulator.support import opening
from tui.simulator.audio import encode_au
from tui.simulator.script import ANSWERS, GENERIC
from tui.simulator.speech import VOICES, synthesize

RATE = 12_000


def main() -> None:
    """Write one `.au` file for each answer, and delete those of answers that are gone."""
    for old in VOICES.glob("*.au"):
        old.unlink()
    texts = {answer.name: opening(answer) for answer in ANSWERS} | {GENERIC.name: GENERIC.spoken}
    for name, text in texts.items():
        path = VOICES / f"{name}.au"
        path.write_bytes(encode_au(synthesize("flite", text), RATE))
        print(f"{path.stat().st_size:7} {name}: {text}")
    print(f"{sum(path.stat().st_size for path in VOICES.glob('*.au')):7} together")


if __name__ == "__main__":
    main()
