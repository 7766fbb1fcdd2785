"""Our models and transformers' on the same random weights: outputs, losses and gradients agree."""

import pytest
import torch
import transformers

import electra_lab
from electra_lab.checkpoints.parameter_names import to_hugging_face

SHAPES = {
    "embedding smaller than hidden": dict(embedding_size=16, hidden_size=32),
    "embedding equal to hidden": dict(embedding_size=32, hidden_size=32),
    "embedding larger than hidden": dict(embedding_size=48, hidden_size=32),
    "other activation and depth": dict(
        embedding_size=16, hidden_size=32, num_hidden_layers=3, hidden_act="gelu_new"
    ),
}
HEADS = ["ElectraModel", "ElectraForPreTraining", "ElectraForMaskedLM"]


def theirs_and_ours(head: str, shape: str, implementation: str, folder):
    """transformers' model with random weights, and ours loaded from what it saved."""
    sizes = dict(
        vocab_size=99,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
        initializer_range=0.3,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(3)
    config = transformers.ElectraConfig(**{**sizes, **SHAPES[shape]})
    theirs = getattr(transformers, head)._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():  # fresh biases and LayerNorms are trivial; make them matter
        for parameter in theirs.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    theirs.save_pretrained(folder)
    ours = getattr(electra_lab, head).from_pretrained(folder)
    ours.set_attn_implementation(implementation)
    return theirs, ours


def padded_pairs() -> dict[str, torch.Tensor]:
    """Three rows of sentence pairs of different length, padded on the right."""
    generator = torch.Generator().manual_seed(5)
    lengths = torch.tensor([13, 9, 4])
    input_ids = torch.randint(1, 99, (3, 13), generator=generator)
    attention_mask = (torch.arange(13) < lengths[:, None]).long()
    token_type_ids = (torch.arange(13) >= lengths[:, None] // 2).long() * attention_mask
    return dict(
        input_ids=input_ids * attention_mask,
        attention_mask=attention_mask,
        token_type_ids=token_type_ids,
    )


def labels_for(head: str, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    shape = inputs["input_ids"].shape
    if head == "ElectraForPreTraining":
        return dict(labels=torch.randint(0, 2, shape, generator=generator))
    if head == "ElectraForMaskedLM":
        labels = torch.randint(0, 99, shape, generator=generator)
        return dict(labels=labels.masked_fill(torch.rand(shape, generator=generator) < 0.7, -100))
    return {}


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("head", HEADS)
def test_outputs_and_losses_equal_transformers(head, shape, implementation, tmp_path):
    theirs, ours = theirs_and_ours(head, shape, implementation, tmp_path)
    inputs = padded_pairs()
    inputs |= labels_for(head, inputs)
    with torch.no_grad():
        expected = theirs(**inputs, output_hidden_states=True)
        got = ours(**inputs, output_hidden_states=True)
    real = inputs["attention_mask"].bool()
    for key in ("logits", "last_hidden_state"):
        if key in expected:
            torch.testing.assert_close(got[key][real], expected[key][real], rtol=1e-5, atol=1e-5)
    assert len(got.hidden_states) == len(expected.hidden_states)
    for mine, their in zip(got.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(mine[real], their[real], rtol=1e-5, atol=1e-5)
    if "labels" in inputs:
        torch.testing.assert_close(got.loss, expected.loss, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("shape", ["embedding smaller than hidden", "embedding equal to hidden"])
@pytest.mark.parametrize("head", HEADS[1:])
def test_gradients_equal_transformers(head, shape, implementation, tmp_path):
    theirs, ours = theirs_and_ours(head, shape, implementation, tmp_path)
    inputs = padded_pairs()
    inputs |= labels_for(head, inputs)
    theirs(**inputs).loss.backward()
    ours(**inputs).loss.backward()
    expected = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        reference = expected[to_hugging_face(name, head)].grad
        error = (parameter.grad - reference).norm()
        # A key's bias moves all scores of a query alike, so its gradient is nothing but rounding.
        assert error <= 1e-4 * reference.norm() + 1e-6, name


def test_attention_weights_equal_transformers(tmp_path):
    theirs, ours = theirs_and_ours(
        "ElectraModel", "embedding smaller than hidden", "sdpa", tmp_path
    )
    inputs = padded_pairs()
    with torch.no_grad():
        expected = theirs(**inputs, output_attentions=True).attentions
        got = ours(**inputs, output_attentions=True).attentions
    assert len(got) == len(expected) == 2
    for mine, their in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, their, rtol=1e-5, atol=1e-6)


def test_plain_tuple_has_the_order_of_transformers(tmp_path):
    theirs, ours = theirs_and_ours(
        "ElectraForPreTraining", "embedding smaller than hidden", "eager", tmp_path
    )
    inputs = padded_pairs()
    inputs |= labels_for("ElectraForPreTraining", inputs)
    asked = dict(output_attentions=True, output_hidden_states=True, return_dict=False)
    with torch.no_grad():
        expected, got = theirs(**inputs, **asked), ours(**inputs, **asked)
    assert isinstance(got, tuple)
    assert [type(x) for x in got] == [type(x) for x in expected]
    torch.testing.assert_close(got[0], expected[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(got[1], expected[1], rtol=1e-5, atol=1e-5)


def test_positions_and_embeddings_can_be_handed_in(tmp_path):
    theirs, ours = theirs_and_ours(
        "ElectraModel", "embedding smaller than hidden", "sdpa", tmp_path
    )
    generator = torch.Generator().manual_seed(11)
    vectors = torch.randn(2, 6, 16, generator=generator)
    positions = torch.tensor([[5, 4, 3, 2, 1, 0]])
    with torch.no_grad():
        expected = theirs(inputs_embeds=vectors, position_ids=positions).last_hidden_state
        got = ours(inputs_embeds=vectors, position_ids=positions).last_hidden_state
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
