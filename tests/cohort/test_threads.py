import threading
import time

import pytest

from busline.cohort.threads import AHEAD, map_in_order


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_come_in_order(workers):
    def slow_at_first(number):
        time.sleep(0.01 if number < 3 else 0.0)
        return number * number

    assert list(map_in_order(slow_at_first, range(40), workers)) == [number * number for number in range(40)]
    assert list(map_in_order(slow_at_first, [], workers)) == []


def test_items_are_worked_on_side_by_side():
    both = threading.Barrier(2, timeout=20)
    assert sorted(map_in_order(lambda number: both.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("workers", [1, 3])
def test_few_items_are_taken_ahead(workers):
    taken = []

    def items():
        for number in range(200):
            taken.append(number)
            yield number

    for number in map_in_order(lambda number: number, items(), workers):
        assert len(taken) <= number + 1 + AHEAD * workers
    assert len(taken) == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_error_is_raised_and_the_threads_end(workers):
    before = threading.active_count()

    def fail_at_three(number):
        if number >= 3:
            raise OSError(number)
        return number

    found = []
    with pytest.raises(OSError, match="3"):
        found.extend(map_in_order(fail_at_three, range(1000), workers))
    assert threading.active_count() == before
