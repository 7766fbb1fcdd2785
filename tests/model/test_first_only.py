"""A head that reads the first position costs the last layer only that position."""

import pytest
import torch

from electra_lab import (
    ElectraConfig,
    ElectraForMultipleChoice,
    ElectraForSequenceClassification,
    ElectraModel,
)

CONFIG = dict(
    vocab_size=60,
    embedding_size=16,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=3,
    intermediate_size=48,
    max_position_embeddings=32,
)


def a_batch(ragged: bool) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(5, 60, (4, 12))
    mask = torch.ones_like(ids)
    if ragged:
        for row, length in enumerate((12, 3, 5, 1)):
            mask[row, length:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def a_model(**changes: object) -> ElectraModel:
    torch.manual_seed(0)
    return ElectraModel(ElectraConfig(**{**CONFIG, **changes})).eval()


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("keep_padding", [False, True])
def test_the_first_state_and_its_gradients_are_those_of_the_whole_layer(ragged, keep_padding):
    model, batch = a_model(), a_batch(ragged)

    def first_state(**options: bool) -> tuple[torch.Tensor, list[torch.Tensor]]:
        state = model(**batch, keep_padding=keep_padding, **options).last_hidden_state
        wanted = state[:, 0]
        model.zero_grad()
        (wanted * torch.arange(24)).sum().backward()
        return state, [parameter.grad.clone() for parameter in model.parameters()]

    whole, whole_gradients = first_state()
    first, first_gradients = first_state(first_only=True)
    assert first.shape == (4, 1, 24)
    torch.testing.assert_close(first[:, 0], whole[:, 0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(first_gradients, whole_gradients, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, {"output_attentions": True}),
        ({}, {"output_hidden_states": True}),
        ({}, {"head_mask": torch.ones(3, 3)}),
        ({}, {"attention_mask": torch.ones(4, 12, 12)}),
        ({"is_decoder": True}, {}),
        ({"position_embedding_type": "relative_key"}, {}),
    ],
)
def test_where_more_is_asked_for_or_the_place_matters_all_states_come(changes, asked):
    model, batch = a_model(**changes), a_batch(ragged=False)
    inputs = {**batch, **asked}
    whole = model(**inputs).last_hidden_state
    torch.testing.assert_close(model(**inputs, first_only=True).last_hidden_state, whole)


@pytest.mark.parametrize("kind", [ElectraForSequenceClassification, ElectraForMultipleChoice])
def test_heads_of_the_first_position_take_this_way_and_say_the_same(kind):
    torch.manual_seed(0)
    model = kind(ElectraConfig(**CONFIG)).eval()
    batch = a_batch(ragged=True)
    if kind is ElectraForMultipleChoice:
        batch = {name: tensor.view(2, 2, -1) for name, tensor in batch.items()}
    seen = []
    hook = model.electra.encoder.layers[-1].feed_forward.register_forward_hook(
        lambda _module, _inputs, output: seen.append(tuple(output.shape))
    )
    quick = model(**batch).logits
    hook.remove()
    assert seen == [(4, 1, 24)]
    written_out = model.set_attn_implementation("eager") or model
    torch.testing.assert_close(written_out(**batch).logits, quick, rtol=1e-5, atol=1e-5)


def test_a_summary_of_other_positions_sees_them_all():
    torch.manual_seed(0)
    model = ElectraForMultipleChoice(ElectraConfig(**CONFIG, summary_type="mean")).eval()
    batch = {name: tensor.view(2, 2, -1) for name, tensor in a_batch(ragged=False).items()}
    quick = model(**batch).logits
    model.set_attn_implementation("eager")
    torch.testing.assert_close(model(**batch).logits, quick, rtol=1e-5, atol=1e-5)
