"""Checks for notebook 02: the sum of three tables, what a narrow table saves, nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .expectations import expect_close, expect_tensor
from .framework import Hint, exercise
from .recording import describe


@exercise("02.1", title="add word, position and type vectors")
def check_embed(embed: Callable[..., Any]) -> None:
    """Three rows added for each token; positions are counted from 0 in every row of the batch."""
    word, position, token_type = torch.randn(11, 6), torch.randn(9, 6), torch.randn(2, 6)
    ids = torch.tensor([[2, 7, 7, 3], [2, 10, 4, 3]])
    types = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1]])
    made = embed(ids, types, word, position, token_type)
    if isinstance(made, Tensor) and made.shape == (2, 4, 18):
        raise Hint("You put the three vectors side by side. They are added, entry by entry.")
    sum_of = expect_tensor(made, (2, 4, 6), "The sums")
    words, places, kinds = word[ids], position[:4], token_type[types]
    for wrong, hint in (
        (words + kinds, "The positions are missing: without them word order is lost."),
        (words + places, "The token types are missing: sentence A and B look alike."),
        (places + kinds, "The words are missing."),
        (
            words + position[1:5] + kinds,
            "Positions are counted from 0: the first token takes row 0 of the position table.",
        ),
        (
            words + position[torch.arange(8).view(2, 4)] + kinds,
            "You counted on from one row of the batch to the next. Each row begins at position 0.",
        ),
        (
            words + position[ids.clamp(max=8)] + kinds,
            "A position says where a token stands, not which token it is.",
        ),
        (
            (words + places + kinds) / 3,
            "That is the mean. The vectors are added; LayerNorm scales.",
        ),
        (words * places * kinds, "You multiplied. The three vectors are added."),
    ):
        if torch.allclose(sum_of, wrong, atol=1e-5):
            raise Hint(hint)
    expect_close(
        sum_of,
        words + places + kinds,
        "Take one row of each table for each token (word[input_ids] takes the rows of the words) and "
        "add the three.",
    )
    # another length: positions that are written down were right by chance
    ids, types = torch.tensor([[5], [1], [8]]), torch.tensor([[1], [0], [1]])
    expect_close(
        embed(ids, types, word, position, token_type),
        word[ids] + position[:1] + token_type[types],
        "Right for texts of 4 tokens, wrong for texts of 1. Count the positions of the given ids.",
    )


@exercise("02.2", title="count the numbers from id to encoder")
def check_count_inputs(count_inputs: Callable[..., Any]) -> None:
    """Word table and projection; none where the widths are equal."""
    for vocab, narrow, wide in ((30522, 128, 256), (1000, 7, 20), (500, 30, 10)):
        expected = vocab * narrow + narrow * wide + wide
        made = _number(count_inputs(vocab, narrow, wide))
        for wrong, hint in (
            (vocab * narrow, "That is the word table alone. The projection has numbers too."),
            (
                vocab * narrow + narrow * wide,
                "Nearly: a linear layer has a bias, one number for each output.",
            ),
            (
                vocab * narrow + narrow * wide + narrow,
                "The bias is added after the multiplication: it is as wide as the output.",
            ),
            (
                vocab * wide + narrow * wide + wide,
                "The word table has embedding_size columns; the projection makes them wider.",
            ),
            (vocab * wide, "That is what a table as wide as the encoder would cost."),
        ):
            if made == wrong:
                raise Hint(f"{vocab:,} pieces, {narrow} -> {wide}: yours is {made:,}. {hint}")
        if made != expected:
            raise Hint(
                f"{vocab:,} pieces, {narrow} -> {wide} should give {expected:,}; yours is {made:,}. "
                "Add up the word table, the projection's weight and the projection's bias."
            )
    made = _number(count_inputs(30522, 768, 768))
    if made != 30522 * 768:
        raise Hint(
            "Where embedding_size equals hidden_size, as in base and large, there is no projection, "
            f"only the table: {30522 * 768:,} numbers. Yours is {made:,}."
        )


@exercise("02.3", title="find the nearest rows of a table")
def check_nearest(nearest: Callable[..., Any]) -> None:
    """By cosine, nearest first, without the row itself."""
    angles = torch.deg2rad(torch.tensor([0.0, 170.0, 20.0, 50.0, 80.0, 185.0]))
    lengths = torch.tensor([1.0, 1.0, 1.0, 2.0, 9.0, 4.0])
    table = torch.stack([angles.cos(), angles.sin()], dim=1) * lengths[:, None]
    made = nearest(table, 0, 3)
    if made is None:
        raise Hint("The function returned None. Is a return missing?")
    if isinstance(made, Tensor):
        made = made.tolist()
    if not isinstance(made, list) or not all(isinstance(index, int) for index in made):
        raise Hint(f"Return a list of row numbers; the function returned {describe(made)}.")
    products = (table @ table[0]).argsort(descending=True).tolist()
    distances = (table - table[0]).norm(dim=1).argsort().tolist()
    if 0 in made:
        raise Hint("Row 0 is its own nearest neighbour, which is no news. Leave it out.")
    if len(made) != 3:
        raise Hint(f"3 neighbours were asked for; you returned {len(made)}.")
    if made == [5, 1, 4]:
        raise Hint("These are the farthest rows. A large cosine means near: sort from the largest.")
    if made == [index for index in products if index][:3]:
        raise Hint(
            "This looks like the dot product, which prefers long vectors. Divide by both lengths."
        )
    if made == [index for index in distances if index][:3]:
        raise Hint("That is by distance. The cosine asks for the angle, whatever the lengths.")
    if made != [2, 3, 4]:
        raise Hint(f"The nearest rows of row 0 are 2, 3, 4 in this order; yours are {made}.")
    other = nearest(table, 3, 2)
    other = other.tolist() if isinstance(other, Tensor) else other
    if other not in ([2, 4], [4, 2]):
        raise Hint(f"Row 3 lies between rows 2 and 4, but your neighbours are {other}. Use index.")


def _number(value: Any) -> int:
    if value is None:
        raise Hint("The function returned None. Is a return missing?")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Hint(f"Return a whole number (int); the function returned {describe(value)}.")
    return value
