"""A property that is made once, and outlives a fork whatever other threads are doing."""

from __future__ import annotations

import os
import threading

import pytest

from gpudrift_kernels.lazily import lazily


class Slow:
    asked = 0
    begun, go_on = threading.Event(), threading.Event()

    @lazily
    def value(self) -> int:
        """What is asked for."""
        type(self).asked += 1
        if threading.current_thread() is not threading.main_thread():
            self.begun.set()
            self.go_on.wait(10)
        return self.asked


def test_a_value_is_made_once_and_kept_by_its_instance() -> None:
    one, other = Slow(), Slow()
    assert one.value == one.value
    assert other.value == one.value + 1
    assert Slow.value.__doc__ == "What is asked for."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_while_another_thread_makes_a_value_makes_its_own() -> None:
    busy = threading.Thread(target=lambda: Slow().value)
    busy.start()
    assert Slow.begun.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(0 if Slow().value else 1)
    Slow.go_on.set()
    busy.join()
    assert os.waitpid(child, 0)[1] == 0
