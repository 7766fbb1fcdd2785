"""Checks for notebook 09: attention between words, the best fixed distance, rollout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .expectations import expect_close, expect_returned, expect_tensor
from .framework import Hint, exercise
from .recording import describe


@exercise(
    "09.1",
    title="turn attention between pieces into attention between words",
    hints=(
        "There is one step for each axis. Columns are looked at: a word receives what all of its "
        "pieces receive. Rows look: a word looks as its pieces do on average.",
        "Make a table with a row for each word and a column for each token, 1 where the token is "
        "a piece of the word. It does both steps as matrix products. Special tokens have zeros "
        "everywhere.",
        "Multiply the weights from the right by that table's transpose, which adds up columns. "
        "Multiply from the left by the table with each row divided by its sum, which takes means "
        "of rows.",
    ),
)
def check_between_words(between_words: Callable[..., Any]) -> None:
    """To a word the sum over its pieces, from a word their mean; special tokens are no words."""
    words = [None, 0, 1, 1, 1, 2, 3, 3, None]
    attention = (torch.randn(2, 9, 9) * 2).softmax(dim=-1)
    given = attention.clone()
    made = between_words(attention, list(words))
    if not torch.equal(attention, given):
        raise Hint("The weights that were handed over have changed. Make a new tensor.")
    if isinstance(made, Tensor) and made.shape == (2, 5, 5):
        raise Hint(
            "There are 4 words here, and you return 5. [CLS] and [SEP] belong to no word: where words "
            "has None, leave the token out."
        )
    made = expect_tensor(made, (2, 4, 4), "The weights between words")
    member = _membership(words)
    mean = member / member.sum(1, keepdim=True)
    in_word_0 = _membership([word or 0 for word in words])  # special tokens in it, too
    first = [words.index(word) for word in range(4)]
    for wrong, hint in (
        (
            mean @ attention @ mean.T,
            "You take the mean over both. A word of three pieces is looked at with the weight of all "
            "three together: over the keys, the columns, add up.",
        ),
        (
            member @ attention @ member.T,
            "You add up over both. A row of a word of three pieces now sums to three times as much as "
            "the others: over the queries, the rows, take the mean.",
        ),
        (
            member @ attention @ mean.T,
            "Sum and mean have changed places: over the keys, the columns, add up; over the queries, "
            "the rows, take the mean.",
        ),
        (
            in_word_0 / in_word_0.sum(1, keepdim=True) @ attention @ in_word_0.T,
            "[CLS] and [SEP] are counted as pieces of word 0. They belong to no word: where words has "
            "None, leave the token out. (None or 0 is 0.)",
        ),
        (
            attention[:, first][:, :, first],
            "You keep each word's first piece only. What is given to the other pieces is given to the "
            "word as well.",
        ),
        (
            (attention @ member.T)[:, first],
            "To a word you add up, which is right; from a word you take its first piece only. Take the "
            "mean over all of them.",
        ),
        (
            (mean @ attention @ member.T).mT,
            "Rows and columns are swapped. Entry (i, j) is how much word i looks at word j.",
        ),
    ):
        if torch.allclose(made, wrong, atol=1e-6):
            raise Hint(hint)
    right = mean @ attention @ member.T
    if torch.allclose(made, right / right.sum(-1, keepdim=True), atol=1e-6):
        raise Hint(
            "You scale the rows to sum to 1. What is missing to 1 was given to [CLS] and [SEP]; leave "
            "it missing."
        )
    expect_close(
        made,
        right,
        "Entry (i, j): add up the weights to all pieces of word j, and take the mean of that over all "
        "pieces of word i.",
    )


@exercise(
    "09.2",
    title="find the best fixed distance",
    hints=(
        "A distance is the target minus the source, with its sign. Which of the distances comes "
        "up most often?",
        "collections.Counter counts the values of a list, and its most_common gives the commonest "
        "with its count. The share is that count over the number of pairs.",
    ),
)
def check_best_offset(best_offset: Callable[..., Any]) -> None:
    """The commonest target - source, and in how many of the pairs it is right."""
    for pairs, offset, share in (
        ([(4, 2), (7, 5), (9, 3), (5, 4), (6, 4)], -2, 3 / 5),
        ([(0, 1), (3, 9), (2, 3), (8, 2)], 1, 2 / 4),
        ([(1, 4), (9, 6), (2, 5), (3, 6), (8, 5)], 3, 3 / 5),
    ):
        made = best_offset(list(pairs))
        expect_returned(made)
        if not isinstance(made, tuple) or len(made) != 2:
            raise Hint(f"Return two things, distance and share; you returned {describe(made)}.")
        _expect_offset(made[0], pairs, offset)
        _expect_share(made[1], pairs, share)


def _expect_offset(found: Any, pairs: Sequence[tuple[int, int]], offset: int) -> None:
    distances = [target - source for source, target in pairs]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Hint(f"The distance should be a number; yours is {describe(found)}.")
    if found == offset:
        return
    if found == -offset:
        raise Hint(
            f"From {pairs[0][0]} to {pairs[0][1]} it is {distances[0]:+d}: the distance is where one "
            "has to look, minus where one is. Keep its sign: before and behind are not the same."
        )
    mean = sum(distances) / len(distances)
    if found in (mean, round(mean), sorted(distances)[len(distances) // 2]):
        raise Hint(
            "A mean of distances, or their middle, may be right for no pair at all. Which single "
            "distance is right most often?"
        )
    raise Hint(f"Of {distances} the commonest is {offset:+d}; you return {found}.")


def _expect_share(found: Any, pairs: Sequence[tuple[int, int]], share: float) -> None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Hint(f"The share should be a number; yours is {describe(found)}.")
    if abs(found - share) < 1e-9:
        return
    if found == round(share * len(pairs)):
        raise Hint("You return how many it is right for. Divide by the number of all pairs.")
    if abs(found - 100 * share) < 1e-6:
        raise Hint("You return percent. A share lies between 0 and 1.")
    raise Hint(
        f"The distance is right for {round(share * len(pairs))} of {len(pairs)} pairs, a share of "
        f"{share:.2f}; yours is {found:.2f}. Divide by the number of all pairs."
    )


@exercise(
    "09.3",
    title="roll attention out through all layers",
    hints=(
        "For each layer make one matrix: the mean over its heads, mixed half and half with the "
        "identity, which stands for the residual connection.",
        "torch.eye makes the identity. A layer mixes what the layer below has mixed already: that "
        "is a matrix product, not a product entry by entry.",
        "Begin with the first layer's matrix and go up. Each later matrix is multiplied from the "
        "left onto what you have so far.",
    ),
)
def check_rollout(rollout: Callable[..., Any]) -> None:
    """Half of the mean over heads, half of the identity; later layers are multiplied from the left."""
    layers = [(torch.randn(2, 4, 4) * 2).softmax(dim=-1) for _ in range(3)]
    given = [layer.clone() for layer in layers]
    made = expect_tensor(rollout(list(layers)), (4, 4), "The rollout")
    if not all(map(torch.equal, layers, given)):
        raise Hint("The weights that were handed over have changed. Make new tensors.")
    one = torch.eye(4)
    means = [layer.mean(0) for layer in layers]
    mixed = [(mean + one) / 2 for mean in means]
    largest = [layer.amax(0) + one for layer in layers]
    for wrong, hint in (
        (
            _product(means),
            "The residual connection is missing: a layer adds what attention brings to the state that "
            "was there. Mix half of each mean with half of the identity.",
        ),
        (
            _product([mean + one for mean in means]),
            "Your rows sum to 8, as attention and residual connection count one each. Give each of "
            "them a half.",
        ),
        (
            _product(mixed[::-1]),
            "The layers are multiplied in the wrong order. A row of the last layer says which states "
            "below it to mix, so the last layer stands on the left.",
        ),
        (mixed[-1], "That is the last layer by itself. It mixes states that are mixtures already."),
        (
            torch.stack(mixed).mean(0),
            "You take the mean over layers. What the first layer mixed, the second mixes again: "
            "multiply the matrices.",
        ),
        (
            torch.stack(mixed).prod(0),
            "You multiply entry by entry. Mixing a mixture is a product of matrices: @.",
        ),
        (
            _product([one_ / one_.sum(-1, keepdim=True) for one_ in largest]),
            "You take the maximum over the heads; rollout takes their mean.",
        ),
    ):
        if torch.allclose(made, wrong, atol=1e-6):
            raise Hint(hint)
    expect_close(
        made,
        _product(mixed),
        "For each layer (mean over heads + identity) / 2; then the product of all, the last layer on "
        "the left.",
    )
    single = [layers[1]]
    expect_close(
        rollout(single),
        mixed[1],
        "Right for three layers, wrong for one. The product should go over all layers that are given.",
    )


def _membership(words: Sequence[int | None]) -> Tensor:
    member = torch.zeros(4, len(words))
    for place, word in enumerate(words):
        if word is not None:
            member[word, place] = 1
    return member


def _product(matrices: Sequence[Tensor]) -> Tensor:
    rolled = matrices[0]
    for matrix in matrices[1:]:
        rolled = matrix @ rolled
    return rolled
