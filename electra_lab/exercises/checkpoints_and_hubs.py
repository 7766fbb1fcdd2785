"""Checks for notebook 15: a name translated, a model beside a file, a tensor written once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from electra_lab.checkpoints.parameter_names import ENCODER_NAMES, to_hugging_face

from .framework import Hint, exercise
from .recording import describe

_PREFIX = "electra."
_BARE = "ElectraModel"


@exercise(
    "15.1",
    title="a name on disk",
    hints=(
        "The table has a pattern where a name has a number. Turn the name into its pattern, look "
        "it up, and put the number back.",
        "Split off weight or bias at the last dot, with rpartition. Then split the rest at its "
        "dots; the part for which isdecimal is true is the number.",
        "If the pattern is not in the table, return None. Otherwise use format to fill the number "
        "into what you found, and put the dot and the parameter behind it again.",
    ),
)
def check_name_on_disk(name_on_disk: Callable[..., Any]) -> None:
    """Any layer, weight and bias, and None for what the table does not know."""
    table = {
        ours.removeprefix(_PREFIX): theirs.removeprefix(_PREFIX)
        for ours, theirs in ENCODER_NAMES.items()
    }
    modules = {
        "embeddings.word": ".weight",
        "embeddings.norm": ".bias",
        "encoder.layers.0.attention.query": ".weight",
        "encoder.layers.0.attention.output": ".bias",
        "encoder.layers.2.cross_attention.key": ".weight",
        "encoder.layers.3.attention_norm": ".weight",
        "encoder.layers.3.feed_forward.contract": ".weight",
        "encoder.layers.11.feed_forward.expand": ".bias",
    }
    for module, parameter in modules.items():
        name = module + parameter
        _expect_name(name_on_disk(name, dict(table)), name, to_hugging_face(name, _BARE))
    for unknown in ("encoder.layers.0.attention.memory.weight", "pooler.dense.bias"):
        given = name_on_disk(unknown, dict(table))
        if given is not None:
            raise Hint(
                f"The table has no module for {unknown!r}, so the answer is None; the function "
                f"returned {describe(given)}. A name that is made up would be looked for in vain."
            )


def _expect_name(given: Any, name: str, right: str) -> None:
    if given == right:
        return
    asked = f"For {name!r} the function returned {describe(given)}"
    module, _, parameter = right.rpartition(".")
    if given is None:
        where = (
            " Its module has a number where the table has {}: put {} there, look it up, and put the "
            "number back."
            " A number may have more than one digit."
            if any(part.isdecimal() for part in name.split("."))
            else " The last part, weight or bias, is not in the table: take it off before you look. "
            "What is left has no number, so it stands in the table as it is."
        )
        raise Hint(f"{asked}, but the table knows this module.{where}")
    if not isinstance(given, str):
        raise Hint(f"{asked}. A name is a string.")
    if "{}" in given:
        raise Hint(f"{asked}. The number of the layer is still to be put in the place of {{}}.")
    if given == module:
        raise Hint(
            f"{asked}. The last part is gone: weight and bias of a module need two different names."
        )
    if given == name:
        raise Hint(f"{asked}, which is our own name. Look the module up in the table.")
    if _without_numbers(given) == _without_numbers(right):
        raise Hint(
            f"{asked}. The module is right, the layer is not. A number may have more than one digit, "
            "and every layer keeps its own."
        )
    if given.rpartition(".")[0] == module:
        raise Hint(f"{asked}. It should end in {parameter!r}, as the name that was given.")
    raise Hint(
        f"{asked}. Compare the whole module with the table's keys, not only a part of it: several "
        "modules share their first or last words."
    )


def _without_numbers(name: str) -> list[str]:
    return [part for part in name.split(".") if not part.isdecimal()]


@exercise(
    "15.2",
    title="missing, left over, of another shape",
    hints=(
        "There are three questions about names: only in the model, only in the file, in both but "
        "with another shape.",
        "The keys of a dictionary behave like a set: a minus takes away, and the sign & keeps "
        "what is in both.",
        "For the third set go through the names that are in both, and keep those whose shapes "
        "differ. Such a name is neither missing nor left over.",
    ),
)
def check_compare(compare: Callable[..., Any]) -> None:
    """Three sets that have no name in common; what fits is in none of them."""
    wanted = {
        "encoder.query": (4, 4),
        "encoder.expand": (8, 4),
        "encoder.table": (10, 4),
        "encoder.bias": (8,),
        "head.weight": (3, 4),
        "head.bias": (3,),
    }
    found = {
        "encoder.query": (4, 4),
        "encoder.expand": (4, 8),  # transposed: as many numbers, in another shape
        "encoder.table": (11, 4),
        "encoder.bias": (8,),
        "other_head.weight": (1, 4),
    }
    missing, left_over = {"head.weight", "head.bias"}, {"other_head.weight"}
    other_shape = {"encoder.expand", "encoder.table"}
    given = _three_sets(compare(dict(wanted), dict(found)))
    if given != (missing, left_over, other_shape):
        _explain_sets(given, (missing, left_over, other_shape), set(wanted) & set(found))
    for one, other, result in (
        (wanted, wanted, (set(), set(), set())),
        (wanted, {}, (set(wanted), set(), set())),
        ({}, found, (set(), set(found), set())),
    ):
        if _three_sets(compare(dict(one), dict(other))) != result:
            raise Hint(
                f"Given {len(one)} wanted and {len(other)} found names, the answer should have "
                f"{', '.join(str(len(part)) for part in result)} names. Does the function keep "
                "something from one call to the next, or fail where a side is empty?"
            )


def _three_sets(value: Any) -> tuple[set[Any], set[Any], set[Any]]:
    if not isinstance(value, tuple | list) or len(value) != 3:
        raise Hint(
            "The function should return three sets: missing, left over, of another shape. It "
            f"returned {describe(value)}."
        )
    if not all(isinstance(part, set | frozenset | list | tuple | dict) for part in value):
        raise Hint(f"Each of the three should be a set of names; they are {describe(value)}.")
    missing, left_over, other_shape = (set(part) for part in value)
    return missing, left_over, other_shape


def _explain_sets(
    given: tuple[set[str], set[str], set[str]],
    right: tuple[set[str], set[str], set[str]],
    common: set[str],
) -> None:
    missing, left_over, other_shape = right
    if given[:2] == (left_over, missing):
        raise Hint(
            "Missing and left over are the wrong way round. Missing is what the model wants and the "
            "file lacks."
        )
    if given[0] == given[1] == missing | left_over:
        raise Hint(
            "The first two sets are the same: names that are on one side only. Say on which side: "
            "what the model lacks is random, what is left over is only unused."
        )
    for index, kind in enumerate(("missing", "left over")):
        if given[index] & common:
            raise Hint(
                f"{sorted(given[index] & common)} are called {kind}, but both sides know these "
                "names. Where only the shapes differ, a name belongs to the third set."
            )
        if given[index] != right[index]:
            raise Hint(
                f"The names that are {kind} should be {sorted(right[index])}; "
                f"they are {sorted(given[index])}."
            )
    if given[2] == other_shape - {"encoder.expand"}:
        raise Hint(
            "(8, 4) and (4, 8) hold as many numbers, but they are two shapes. A transposed matrix "
            "must be found: compare the shapes, not the number of numbers or of dimensions."
        )
    if not given[2] <= common:
        raise Hint(
            "The third set has names that only one side knows. A shape can differ only where there "
            "are two."
        )
    raise Hint(
        f"The names of another shape should be {sorted(other_shape)}; they are {sorted(given[2])}."
    )


@exercise(
    "15.3",
    title="every tensor once",
    hints=(
        "Go through the tensors once, with a memory: have I seen this very tensor, and under "
        "which name?",
        "Make a key for each tensor, a tuple of the three things that the exercise names. A "
        "dictionary from key to name is the memory.",
        "A new key: remember its name, and keep the tensor. A known key: drop the tensor, and "
        "note which name stands for it. Return both dictionaries.",
    ),
)
def check_without_copies(without_copies: Callable[..., Any]) -> None:
    """The same memory is one tensor; equal numbers, a part, or a transposed view are others."""
    table = torch.randn(4, 4)
    tensors = {
        "word": table,
        "dense": torch.randn(3, 4),
        "output": table.detach(),  # another object, the same memory
        "first_bias": torch.zeros(4),
        "second_bias": torch.zeros(4),  # equal numbers in a memory of their own
        "first_row": table[0],
        "flipped": table.T,
        "third_use": table,
    }
    value = without_copies(dict(tensors))
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Hint(
            "The function should return two dictionaries: name -> tensor for what is written, and "
            f"name -> name for what was dropped. It returned {describe(value)}."
        )
    written, same = value
    if not isinstance(written, Mapping) or not isinstance(same, Mapping):
        raise Hint(f"Both results should be dictionaries; they are {describe(tuple(value))}.")
    _explain_written(set(written), set(tensors))
    for name, tensor in written.items():
        if not isinstance(tensor, Tensor) or tensor is not tensors[name]:
            raise Hint(f"What is written under {name!r} should be the tensor that was given there.")
    if dict(same) != {"output": "word", "third_use": "word"}:
        raise Hint(
            "'output' and 'third_use' are the tensor that is written as 'word', so the second "
            f"dictionary should say so for both, and nothing else; it is {dict(same)}. Without it "
            "nobody can put the names back."
        )


def _explain_written(written: set[Any], given: set[str]) -> None:
    right = given - {"output", "third_use"}
    if written == right:
        return
    if "second_bias" not in written and "first_bias" in written:
        raise Hint(
            "'second_bias' is dropped. It has the same numbers as 'first_bias' today, but in a memory "
            "of its own: after one more step of training they would differ."
        )
    if "word" not in written:
        raise Hint("'word' is dropped. Of the same tensor the first name is the one that is kept.")
    if written == given:
        raise Hint("Everything is written. 'word', 'output' and 'third_use' are one tensor.")
    if "output" in written and "third_use" not in written:
        raise Hint(
            "'output' is written, too. It is another Python object than 'word', so `is` and id() do "
            "not find it, but its numbers lie in the same memory."
        )
    if "first_row" not in written:
        raise Hint(
            "'first_row' is dropped. It begins where 'word' begins, but it is only a part of it: "
            "compare the shapes, too."
        )
    if "flipped" not in written:
        raise Hint(
            "'flipped' is dropped. It has the memory and the shape of 'word', but it walks through "
            "the numbers in another order: compare the strides, too."
        )
    raise Hint(
        f"Written should be {sorted(right)}; the function writes {sorted(map(str, written))}."
    )
