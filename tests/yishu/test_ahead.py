"""Work in threads beside its caller: in order, one at a time, and no error lost."""

import threading
import time

import pytest

from yishu.ahead import Behind, made_ahead, used_behind


def test_what_is_made_ahead_comes_in_order_and_is_bounded():
    made = []

    def make(number):
        made.append(number)
        time.sleep(0.02 if number % 2 else 0)
        return number

    found = made_ahead(make, range(20), threads=2)
    assert next(found) == 0
    assert len(made) <= 4
    assert list(found) == list(range(1, 20))


def test_what_is_handed_over_is_used_in_order_and_one_at_a_time_beside_the_caller():
    used, at_once = [], []

    def use(number):
        at_once.append(number)
        time.sleep(0.005)
        assert at_once.pop() == number
        used.append((number, threading.get_ident()))

    used_behind(use, range(10))
    assert [number for number, _ in used] == list(range(10))
    (thread,) = {thread for _, thread in used}
    assert thread != threading.get_ident()


@pytest.mark.parametrize("later", ["hand", "wait"])
def test_an_error_comes_with_the_next_item_or_at_the_end(later):
    def use(number):
        raise ValueError(number)

    with Behind() as behind:
        behind.hand(use, 1)
        with pytest.raises(ValueError, match="1"):
            behind.hand(use, 2) if later == "hand" else behind.wait()


def test_an_error_in_making_items_waits_for_the_one_in_use():
    ended = []

    def items():
        yield 1
        raise OSError

    def use(number):
        time.sleep(0.05)
        ended.append(number)

    with pytest.raises(OSError):  # noqa: PT011  a bare one, as a disk raises it
        used_behind(use, items())
    assert ended == [1]
