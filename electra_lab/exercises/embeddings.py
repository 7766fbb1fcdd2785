"""Checks for notebook 02: three tables, what a narrow one saves, neighbours, one table for two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .expectations import expect_close, expect_returned, expect_tensor, expect_whole_number
from .framework import Hint, exercise
from .recording import describe


@exercise(
    "02.1",
    title="add word, position and type vectors",
    hints=(
        "Each token gets three vectors: for what it is, for where it stands, for the text it "
        "belongs to. They are added entry by entry.",
        "Indexing a table with a tensor of ids gives a row for each id: word[input_ids] has the "
        "shape (batch, seq, embedding).",
        "Positions are 0, 1, 2 and so on, as many as a row is long, and the same for every row. "
        "Take those rows of the position table; broadcasting adds them to all texts.",
    ),
)
def check_embed(embed: Callable[..., Any]) -> None:
    """Three rows added for each token; positions are counted from 0 in every row of the batch."""
    word, position, token_type = torch.randn(11, 6), torch.randn(12, 6), torch.randn(2, 6)
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
            words + position[ids] + kinds,
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


@exercise(
    "02.2",
    title="count the numbers from id to encoder",
    hints=(
        "Two things hold numbers here, the table and the projection. How many rows and columns "
        "has the table?",
        "A linear layer from n to m numbers has a weight of n times m and a bias. Is the bias as "
        "long as what goes in, or as what comes out?",
        "Table, plus weight, plus a bias of hidden_size numbers. Before that, ask whether both "
        "sizes are equal: then only the table is left.",
    ),
)
def check_count_inputs(count_inputs: Callable[..., Any]) -> None:
    """Word table and projection; none where the widths are equal."""
    for vocab, narrow, wide in ((30522, 128, 256), (1000, 7, 20), (500, 30, 10)):
        expected = vocab * narrow + narrow * wide + wide
        made = expect_whole_number(count_inputs(vocab, narrow, wide))
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
    made = expect_whole_number(count_inputs(30522, 768, 768))
    if made != 30522 * 768:
        raise Hint(
            "Where embedding_size equals hidden_size, as in base and large, there is no projection, "
            f"only the table: {30522 * 768:,} numbers. Yours is {made:,}."
        )


@exercise(
    "02.3",
    title="find the nearest rows of a table",
    hints=(
        "The cosine of two vectors is their dot product divided by both lengths. You need it "
        "between one row and all rows.",
        "F.cosine_similarity compares a table with one row at once. argsort gives row numbers in "
        "order; say that you want the largest first.",
        "The row itself is at the top of that order. Take its number out by its value, not by its "
        "place, and then cut after k; tolist turns a tensor into a list.",
    ),
)
def check_nearest(nearest: Callable[..., Any]) -> None:
    """By cosine, nearest first, without the row itself."""
    angles = torch.deg2rad(torch.tensor([0.0, 170.0, 20.0, 50.0, 80.0, 185.0]))
    lengths = torch.tensor([1.0, 1.0, 1.0, 2.0, 9.0, 4.0])
    table = torch.stack([angles.cos(), angles.sin()], dim=1) * lengths[:, None]
    made = nearest(table, 0, 3)
    expect_returned(made)
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
    # equal rows: whichever of them comes first, a row is not its own neighbour
    twins = torch.cat([table, table[3:4]])
    for index, twin in ((3, 6), (6, 3)):
        made = list(nearest(twins, index, 1))
        if made != [twin]:
            raise Hint(
                f"Rows 3 and 6 are equal in another table, so each is the nearest of the other; for "
                f"row {index} yours is {[int(row) for row in made]}. Take the row itself out by its "
                "number: what comes first in the order may be its twin."
            )


@exercise(
    "02.4",
    title="find out why two tables part, and make them one",
    hints=(
        "Two things may be equal without being the same thing. What does a step of training "
        "change: both, or the one that it was given?",
        "An nn.Embedding keeps its table in the attribute weight, an nn.Parameter. An optimiser "
        "knows parameters, not numbers: list the parameters of both modules, and count them by "
        "id.",
        "No number has to be copied. One assignment will do: the generator's attribute weight "
        "becomes the very parameter that the discriminator has.",
    ),
)
def check_tie(tie: Callable[..., Any]) -> None:
    """One parameter in both modules, the discriminator's own, with its numbers, and able to learn."""
    generator, discriminator = nn.Embedding(5, 3), nn.Embedding(5, 3)
    kept = discriminator.weight
    numbers, generators_own = kept.detach().clone(), generator.weight.detach().clone()
    tie(generator, discriminator)
    one, other = generator.weight, discriminator.weight
    if one is not other:
        if torch.equal(one, generators_own) and torch.equal(other, numbers):
            raise Hint(
                "Both tables are as they were. Change the generator that was handed over: nobody keeps "
                "what the function returns."
            )
        if one.data_ptr() == other.data_ptr():
            raise Hint(
                "Their numbers now lie in one place, but two parameters stand over it. Each has a "
                "gradient of its own, and an optimiser that knows both takes two steps in place of "
                "one. There should be one parameter."
            )
        if torch.equal(one, other):
            raise Hint(
                "The numbers were copied: equal today, and apart after the first step, which changes "
                "one of the copies. Look at what the optimiser holds, and how many of them."
            )
        raise Hint("The two tables hold different numbers. Both should be the discriminator's.")
    if torch.equal(one, generators_own):
        raise Hint("It is one table now, but the generator's. Keep the discriminator's.")
    if other is not kept:
        raise Hint(
            "The discriminator has a new parameter. An optimiser that was made for it before would go "
            "on changing the old one. Leave the discriminator as it is."
        )
    if not torch.equal(one, numbers):
        raise Hint("It is one table, but its numbers are no longer the discriminator's.")
    if not one.requires_grad:
        raise Hint("The table can no longer learn: its requires_grad was switched off.")
