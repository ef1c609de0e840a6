"""Ctrl-C and SIGTERM are noted while a step is under way, and only there."""

import signal
import threading

import pytest

from remi_tf.training.interrupts import Interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_breaks_nothing(number):
    with Interrupts() as interrupts:
        assert not interrupts.came
        signal.raise_signal(number)
        assert interrupts.came


def test_a_second_ctrl_c_breaks():
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert interrupts.came


def test_after_the_block_signals_do_what_they_did_before_also_after_an_error():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ZeroDivisionError), Interrupts():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
        _ = 1 / 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nothing_is_noted_and_nothing_fails():
    came = []

    def work():
        with Interrupts() as interrupts:
            came.append(interrupts.came)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert came == [False] and signal.getsignal(signal.SIGINT) == before
