"""Padding is left out of what works on tokens alone, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from electra_lab import (
    ElectraConfig,
    ElectraForMultipleChoice,
    ElectraForQuestionAnswering,
    ElectraForSequenceClassification,
    ElectraModel,
)
from electra_lab.model.padding import Padding

SMALL = dict(
    vocab_size=50,
    embedding_size=12,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=24,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)


def make(kind: type = ElectraModel, **changes: Any) -> Any:
    torch.manual_seed(0)
    return kind(ElectraConfig(**{**SMALL, **changes}))  # type: ignore[arg-type]


def ragged(lengths: list[int], left: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    columns = torch.arange(max(lengths))
    mask = (columns < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(1, 50, mask.shape) * mask
    return (ids.flip(1), mask.flip(1)) if left else (ids, mask)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.booleans())
@settings(max_examples=30, deadline=None)
def test_states_and_gradients_of_tokens_are_those_of_the_padded_batch(
    lengths: list[int], left: bool
) -> None:
    model = make()
    ids, mask = ragged(lengths, left)
    attended = mask.bool()
    results = []
    for keep_padding in (False, True):
        model.zero_grad()
        states = model(ids, mask, keep_padding=keep_padding, output_hidden_states=True)
        (states.last_hidden_state[attended] ** 2).sum().backward()
        results.append(
            (
                [layer[attended].detach() for layer in states.hidden_states],
                [p.grad.clone() for p in model.parameters()],
            )
        )
    torch.testing.assert_close(results[0], results[1], atol=1e-5, rtol=1e-4)


def test_padding_is_not_computed() -> None:
    model = make()
    ids, mask = ragged([9, 2, 3])
    seen: list[torch.Size] = []
    for layer in model.encoder.layers:
        layer.feed_forward.register_forward_hook(
            lambda module, inputs, output: seen.append(output.shape)
        )
    states = model(ids, mask).last_hidden_state
    assert seen == [torch.Size([1, 14, 16])] * 2
    assert states.shape == (3, 9, 16)
    assert not states[~mask.bool()].any()


@pytest.mark.parametrize("relative", ["relative_key", "relative_key_query"])
def test_relative_positions_count_places_in_the_row(relative: str) -> None:
    model = make(position_embedding_type=relative)
    ids, mask = ragged([9, 2, 3])
    attended = mask.bool()
    torch.testing.assert_close(
        model(ids, mask).last_hidden_state[attended],
        model(ids, mask, keep_padding=True).last_hidden_state[attended],
    )


def test_a_row_of_padding_alone_is_zero() -> None:
    model = make()
    ids, mask = ragged([5, 4])
    mask[1] = 0
    states = model(ids, mask).last_hidden_state
    assert states[0].any()
    assert not states[1].any()


def test_too_little_padding_is_computed() -> None:
    assert Padding.of(torch.ones(2, 10)) is None
    mask = torch.ones(2, 10)
    mask[1, 9] = 0
    assert Padding.of(mask) is None


def test_a_first_position_that_is_padding_is_read_as_it_is_computed() -> None:
    """Padding on the left puts padding where the classifier looks."""
    ids, mask = ragged([9, 2, 3, 4], left=True)
    model = make(ElectraForSequenceClassification)
    fused = model(ids, mask).logits
    model.set_attn_implementation("eager")
    torch.testing.assert_close(fused, model(ids, mask).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("summary", ["first", "last", "mean", "cls_index"])
def test_heads_that_read_padding_get_it(summary: str) -> None:
    """Question answering normalises over all positions; a summary may take the last one."""
    ids, mask = ragged([9, 2, 3, 4])
    answering = make(ElectraForQuestionAnswering)
    choosing = make(ElectraForMultipleChoice, summary_type=summary)
    first = torch.ones(4, dtype=torch.long)
    found = []
    for implementation in ("eager", "sdpa"):
        answering.set_attn_implementation(implementation)
        choosing.set_attn_implementation(implementation)
        found.append(
            (
                answering(ids, mask, start_positions=first, end_positions=first).start_logits,
                choosing.eval()(ids.view(2, 2, -1), mask.view(2, 2, -1)).logits,
            )
        )
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)


def test_a_mask_that_hides_nothing_adds_nothing_to_the_scores() -> None:
    model = make()
    ids, mask = ragged([6, 6])
    given_to_layers: list[object] = []
    model.encoder.layers[0].register_forward_pre_hook(
        lambda module, inputs: given_to_layers.append(inputs[1])
    )
    states = model(ids, mask).last_hidden_state
    assert given_to_layers == [None]
    torch.testing.assert_close(states, model(ids).last_hidden_state, rtol=0, atol=0)
