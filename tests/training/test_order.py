"""An order that is never written down is still a shuffle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from electra_lab.training.order import shuffled


@given(st.integers(1, 3000), st.integers(0, 2**32), st.integers(0, 9))
def test_everything_comes_once(count, seed, epoch):
    assert sorted(shuffled(range(count), count, (seed, epoch))) == list(range(count))


@given(st.integers(2, 10**12), st.data())
def test_a_place_has_the_same_thing_whatever_else_is_asked(count, data):
    places = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=20))
    together = shuffled(places, count, (1, 2))
    assert together == [shuffled([place], count, (1, 2))[0] for place in places]
    assert all(0 <= number < count for number in together)


def test_seed_and_epoch_give_other_orders():
    orders = [tuple(shuffled(range(50), 50, seed)) for seed in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert len(set(orders)) == 4


@pytest.mark.parametrize("count", [7, 100, 1000])
def test_every_thing_is_as_likely_at_every_place(count):
    """Chi-squared over many orders, for a few places."""
    orders = np.array(
        [shuffled(range(0, count, count // 7), count, (seed,)) for seed in range(4000)]
    )
    bins = min(count, 10)
    for column in orders.T:
        seen = np.bincount(column * bins // count, minlength=bins)
        sizes = np.bincount(np.arange(count) * bins // count, minlength=bins)
        expected = 4000 * sizes / count
        assert ((seen - expected) ** 2 / expected).sum() < bins + 5 * (2 * bins) ** 0.5


def test_neighbours_have_nothing_to_do_with_each_other():
    order = np.array(shuffled(range(20_000), 20_000, (3,)))
    for lag in (1, 2, 32):
        assert abs(np.corrcoef(order[:-lag], order[lag:])[0, 1]) < 0.03
