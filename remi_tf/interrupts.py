"""Ctrl-C and SIGTERM during training: the step and the save that are under way are finished first."""

import signal
from types import FrameType


class Interrupts:
    """Within the block, Ctrl-C and SIGTERM are noted instead of breaking a step in two; a second Ctrl-C breaks."""

    def __enter__(self) -> "Interrupts":
        self.came = False
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
