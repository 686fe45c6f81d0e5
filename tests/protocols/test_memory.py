"""What a run remembers: bounded, and the run's own."""

from __future__ import annotations

from amtdecode.engine.loop import Engine
from amtdecode.protocols.memory import Memo, Memory


def test_a_memo_asks_once_and_stays_bounded():
    asked = []

    def double(number):
        asked.append(number)
        return 2 * number

    memo = Memo(double, 3)
    assert [memo[(number,)] for number in (1, 2, 1, 2, 3)] == [2, 4, 2, 4, 6]
    assert asked == [1, 2, 3]
    assert [memo[(number,)] for number in range(10)] == [2 * number for number in range(10)]
    assert len(memo) <= 3


class Room:
    pass


class Other:
    pass


def test_a_run_has_one_object_of_a_class_and_shares_it_with_no_other_run():
    first, second = Memory(), Memory()
    assert isinstance(first.of(Room), Room)
    assert first.of(Room) is first.of(Room)
    assert first.of(Room) is not second.of(Room)
    assert isinstance(first.of(Other), Other)
    assert Engine()._stack.memory is not Engine()._stack.memory
