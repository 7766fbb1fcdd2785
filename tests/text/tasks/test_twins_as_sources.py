"""The micro-world's twins of the bundled sets: as many rows as asked for, in the same schema."""

import pytest

from electra_lab.text.microworld.tasks import TWINS
from electra_lab.text.tasks import load_task_data
from electra_lab.text.tasks.bundled import BUNDLED

pytest.importorskip("datasets")


@pytest.mark.parametrize("name", sorted(TWINS))
def test_a_twin_has_the_size_asked_for_and_its_set_s_task(name):
    sizes = {"train_size": 60, "test_size": 20}
    data = load_task_data(f"microworld/{name}", **sizes)
    assert (data.name, len(data.train), len(data.test)) == (f"microworld/{name}", 60, 20)
    assert (data.task, data.problem_type) == (BUNDLED[name].task, BUNDLED[name].problem_type)
    assert not data.skipped
    again, other = (load_task_data(f"microworld/{name}", **sizes, seed=seed) for seed in (0, 1))
    assert list(again.train) == list(data.train)
    assert list(other.train) != list(data.train)
    assert other.labels == data.labels


def test_every_twin_is_of_a_bundled_set():
    assert set(TWINS) <= set(BUNDLED)


def test_a_twin_has_no_other_options():
    with pytest.raises(ValueError, match="size: the micro-world, but for train_size and test_size"):
        load_task_data("microworld/named_entities", size=3)
