"""Ctrl-C and SIGTERM during training: the current step and save are finished first."""

import signal
import threading
from types import FrameType


class Interrupts:
    """Within the block, Ctrl-C and SIGTERM are only noted, so that no step is cut short. A second signal interrupts.

    Only the main thread of Python can handle signals; in another thread nothing is noted.
    """

    def __enter__(self) -> "Interrupts":
        self.came = False
        in_main = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM) if in_main else ()
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
