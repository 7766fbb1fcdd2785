"""What a learner reads after check(...): the three outcomes, and mistakes of every kind explained."""

import importlib.util
import sys

import pytest
import torch
from torch.nn import functional as F

from electra_lab.exercises import Hint, check, exercise, expect_close, framework

CHECK = """
import torch
from electra_lab.exercises import Hint, exercise, expect_close

@exercise("03.91", title="halve the scores")
def check_halve(halve):
    scores = torch.rand(2, 3)
    expect_close(halve(scores, by=2), scores / 2, "Half of 4 is 2; what is half of 1?")

@exercise("03.92", title="count the heads")
def check_count(count):
    if count([1, 2]).bit_length() > 2:
        raise Hint("Too many heads.")

@exercise("03.93", title="a layer of one's own")
def check_layer(layer):
    if layer(3)(torch.ones(3)).shape != (3,):
        raise Hint("The shape changed.")
"""


@pytest.fixture(autouse=True)
def checks(tmp_path, monkeypatch):
    """A module of checks in place of notebook 03's, as small as they come."""
    monkeypatch.setattr(framework, "_EXERCISES", {})
    monkeypatch.setattr(framework, "NOTEBOOKS", {"03": "attention_for_this_test"})
    name = "electra_lab.exercises.attention_for_this_test"
    path = tmp_path / "attention_for_this_test.py"
    path.write_text(CHECK)
    spec = importlib.util.spec_from_file_location(name, path)
    monkeypatch.setitem(sys.modules, name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(sys.modules[name])


def halve(scores, by):
    return scores / by


def test_a_right_function_passes():
    result = check("03.91", halve)
    assert repr(result) == "03.91 passed: halve the scores"
    assert result.passed


def test_a_wrong_function_gets_the_hint():
    result = check("03.91", lambda scores, by: scores * by)
    assert repr(result) == "03.91 not yet: Half of 4 is 2; what is half of 1?"
    assert not result.passed


def test_a_stub_is_not_attempted():
    def stub(scores, by):
        raise NotImplementedError("write me")

    assert repr(check("03.91", stub)) == "03.91 not attempted yet: halve the scores"


def test_a_missing_operation_is_no_stub():
    def to_meta_and_back(scores, by):
        return scores.to("meta").to("cpu")

    assert repr(check("03.91", to_meta_and_back)).startswith(
        "03.91 not yet: to_meta_and_back(float32 tensor of shape [2, 3], by=2) raised "
        "NotImplementedError: Cannot copy out of meta tensor"
    )


def test_an_exception_is_explained_with_call_and_line():
    def wrong(scores, by):
        return scores @ torch.ones(7, by)

    said = repr(check("03.91", wrong))
    assert said.startswith(
        "03.91 not yet: wrong(float32 tensor of shape [2, 3], by=2) raised RuntimeError: "
    )
    assert said.endswith("(in the line `return scores @ torch.ones(7, by)`)")
    assert "\n" not in said


def added(scores, by):
    return scores + torch.ones(by)


def multiplied(scores, by):
    return scores @ scores


def multiplied_in_batches(scores, by):
    return scores.expand(4, 2, 3).bmm(torch.ones(4, 5, by))


def with_whole_numbers(scores, by):
    return F.binary_cross_entropy_with_logits(scores, (scores > 0.5).long())


@pytest.mark.parametrize(
    ("wrong", "meaning"),
    [
        (added, "the last axes in line"),
        (multiplied, "have the same size"),
        (multiplied_in_batches, "have the same size"),
        (with_whole_numbers, "Whole numbers stand where it wants floats"),
    ],
)
def test_what_pytorch_says_of_shapes_and_kinds_of_numbers_is_said_in_plain_words_too(
    wrong, meaning
):
    said = repr(check("03.91", wrong))
    assert "raised RuntimeError: " in said
    assert meaning in said
    assert ".." not in said


def test_a_wrong_signature_is_explained():
    assert repr(check("03.91", lambda scores: scores)).startswith(
        "03.91 not yet: <lambda>(float32 tensor of shape [2, 3], by=2) raised TypeError: "
    )


def test_a_forgotten_return_is_named_where_the_check_looks_and_where_it_stumbles():
    def forgot(*args, **kwargs):
        pass

    assert repr(check("03.91", forgot)) == (
        "03.91 not yet: The function returned None. Is a return missing?"
    )
    assert repr(check("03.92", forgot)) == (
        "03.92 not yet: forgot([1, 2]) returned None, which the check could not use. Is a return "
        "missing? (AttributeError: 'NoneType' object has no attribute 'bit_length')"
    )


def test_an_exception_that_the_learner_caught_is_not_blamed():
    def careful(heads):
        try:
            raise ValueError("mine")
        except ValueError:
            return "two"

    assert "careful([1, 2]) returned 'two', which" in repr(check("03.92", careful))


def test_a_called_function_is_told_apart_from_the_function():
    assert repr(check("03.91", halve(torch.ones(2), 2))) == (
        "03.91 not yet: check('03.91', ...) takes the function itself, without brackets after its "
        "name. It was given a value of type Tensor."
    )


def test_a_class_can_be_checked():
    class Layer(torch.nn.Linear):
        def __init__(self, size):
            super().__init__(size, size)

    class Stub(Layer):
        def forward(self, states):
            raise NotImplementedError

    class Broken(Layer):
        def forward(self, states):
            return self.wieght @ states

    class WithoutForward(torch.nn.Module):
        def __init__(self, size):
            super().__init__()

    assert check("03.93", Layer).passed
    assert repr(check("03.93", Stub)) == "03.93 not attempted yet: a layer of one's own"
    assert "(in the line `return self.wieght @ states`)" in repr(check("03.93", Broken))
    assert "not yet" in repr(check("03.93", WithoutForward))


def test_a_check_leaves_the_random_numbers_of_later_cells_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    check("03.91", halve)
    assert torch.equal(torch.rand(3), expected)


def test_a_check_draws_the_same_numbers_each_time():
    seen = []

    def remember(scores, by):
        seen.append(scores)
        return scores / by

    check("03.91", remember)
    torch.manual_seed(5)
    check("03.91", remember)
    assert torch.equal(*seen)


@pytest.mark.parametrize("number", ["03.5", "12.1", "three", 3.91])
def test_an_unknown_number_names_the_known_ones(number):
    with pytest.raises(ValueError, match=r"no exercise .*03\.91, 03\.92, 03\.93"):
        check(number, halve)


def test_two_checks_cannot_share_a_number():
    with pytest.raises(ValueError, match=r"03\.91 is checked by .*check_halve already"):
        exercise("03.91", title="another")(halve)


def test_a_number_of_no_notebook_is_refused():
    with pytest.raises(ValueError, match=r"'33\.1' belongs to no notebook"):
        exercise("33.1", title="nowhere")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (None, "Is a return missing"),
        ([1.0, 2.0], r"should be a tensor; the function returned \[1.0, 2.0\]"),
        (torch.ones(3), r"should have shape \[2\]; they have \[3\]"),
        (torch.tensor([1.0, torch.inf]), "infinite or not a number"),
        (torch.tensor([1.0, 2.001]), "mine"),
    ],
)
def test_a_comparison_says_what_is_wrong(value, hint):
    with pytest.raises(Hint, match=hint):
        expect_close(value, torch.tensor([1.0, 2.0]), "mine")


def test_a_comparison_forgives_rounding_and_integers():
    expect_close(torch.tensor([1.0, 2.0 + 1e-6]), torch.tensor([1.0, 2.0]), "never said")
    expect_close(torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), "never said")
