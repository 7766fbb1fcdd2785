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
HEADS = [
    "ElectraModel",
    "ElectraForPreTraining",
    "ElectraForMaskedLM",
    "ElectraForSequenceClassification",
    "ElectraForTokenClassification",
    "ElectraForQuestionAnswering",
    "ElectraForMultipleChoice",
]


def theirs_and_ours(head: str, shape: str, implementation: str, folder, **changes):
    """transformers' model with random weights, and ours loaded from what it saved."""
    sizes = dict(
        vocab_size=99,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=40,
        summary_last_dropout=0.0,
        initializer_range=0.3,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    torch.manual_seed(3)
    config = transformers.ElectraConfig(**{**sizes, **SHAPES[shape], **changes})
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


def with_labels(head: str, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The inputs in the form that a head takes, with labels for its loss."""
    generator = torch.Generator().manual_seed(7)
    shape = inputs["input_ids"].shape

    def random(high: int, *size: int) -> torch.Tensor:
        return torch.randint(0, high, size, generator=generator)

    if head == "ElectraForPreTraining":
        return inputs | dict(labels=random(2, *shape))
    if head == "ElectraForMaskedLM":
        ignored = torch.rand(shape, generator=generator) < 0.7
        return inputs | dict(labels=random(99, *shape).masked_fill(ignored, -100))
    if head == "ElectraForTokenClassification":
        ignored = inputs["attention_mask"] == 0
        return inputs | dict(labels=random(2, *shape).masked_fill(ignored, -100))
    if head == "ElectraForSequenceClassification":
        return inputs | dict(labels=random(2, 3))
    if head == "ElectraForQuestionAnswering":  # the last answer lies beyond the text
        return inputs | dict(
            start_positions=torch.tensor([2, 0, 13]), end_positions=torch.tensor([4, 3, 99])
        )
    if head == "ElectraForMultipleChoice":  # one question with three choices
        return {key: tensor[None] for key, tensor in inputs.items()} | dict(labels=random(3, 1))
    return inputs


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("head", HEADS)
def test_outputs_and_losses_equal_transformers(head, shape, implementation, tmp_path):
    theirs, ours = theirs_and_ours(head, shape, implementation, tmp_path)
    inputs = with_labels(head, padded_pairs())
    with torch.no_grad():
        expected = theirs(**inputs, output_hidden_states=True)
        got = ours(**inputs, output_hidden_states=True)
    real = padded_pairs()["attention_mask"].bool()
    assert got.keys() == list(expected.keys())
    for key in ("logits", "last_hidden_state", "start_logits", "end_logits"):
        if key in expected:
            per_token = got[key].shape[:2] == real.shape
            mine, their = (x[key][real] if per_token else x[key] for x in (got, expected))
            torch.testing.assert_close(mine, their, rtol=1e-5, atol=1e-5)
    assert len(got.hidden_states) == len(expected.hidden_states)
    for mine, their in zip(got.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(mine[real], their[real], rtol=1e-5, atol=1e-5)
    if "loss" in expected:
        torch.testing.assert_close(got.loss, expected.loss, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("shape", ["embedding smaller than hidden", "embedding equal to hidden"])
@pytest.mark.parametrize("head", HEADS[1:])
def test_gradients_equal_transformers(head, shape, implementation, tmp_path):
    theirs, ours = theirs_and_ours(head, shape, implementation, tmp_path)
    inputs = with_labels(head, padded_pairs())
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
    inputs = with_labels("ElectraForPreTraining", padded_pairs())
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


@pytest.mark.parametrize(
    ("labels", "num_labels", "problem_type"),
    [
        (torch.tensor([0.5, -1.0, 2.0]), 1, "regression"),
        (torch.tensor([[0.5, 1.0], [-1.0, 0.0], [2.0, 2.0]]), 2, "regression"),
        (torch.tensor([2, 0, 1]), 3, "single_label_classification"),
        (torch.tensor([[1.0, 0, 1], [0, 0, 0], [0, 1, 1]]), 3, "multi_label_classification"),
    ],
)
@pytest.mark.parametrize("said", [True, False])
def test_sequence_losses_equal_transformers(labels, num_labels, problem_type, said, tmp_path):
    several_numbers = problem_type == "regression" and num_labels > 1
    changes = dict(num_labels=num_labels)
    if said or several_numbers:  # which otherwise looks like several labels
        changes["problem_type"] = problem_type
    theirs, ours = theirs_and_ours(
        "ElectraForSequenceClassification",
        "embedding smaller than hidden",
        "sdpa",
        tmp_path,
        **changes,
    )
    inputs = padded_pairs() | dict(labels=labels)
    with torch.no_grad():
        torch.testing.assert_close(ours(**inputs).loss, theirs(**inputs).loss, rtol=1e-5, atol=1e-5)
    assert ours.config.problem_type == theirs.config.problem_type == problem_type


@pytest.mark.parametrize("summary_type", ["first", "last", "mean", "cls_index"])
@pytest.mark.parametrize("projection", [True, False])
def test_summaries_for_multiple_choice_equal_transformers(summary_type, projection, tmp_path):
    changes = dict(
        summary_type=summary_type,
        summary_use_proj=projection,
        summary_activation="relu" if projection else "",
    )
    theirs, ours = theirs_and_ours(
        "ElectraForMultipleChoice", "embedding smaller than hidden", "sdpa", tmp_path, **changes
    )
    inputs = with_labels("ElectraForMultipleChoice", padded_pairs())
    with torch.no_grad():
        torch.testing.assert_close(
            ours(**inputs).logits, theirs(**inputs).logits, rtol=1e-5, atol=1e-5
        )


def test_names_of_labels_and_problem_type_survive_both_ways(tmp_path):
    names = {0: "no", 1: "yes", 2: "perhaps"}
    theirs, ours = theirs_and_ours(
        "ElectraForSequenceClassification",
        "embedding smaller than hidden",
        "sdpa",
        tmp_path,
        id2label=names,
        label2id={label: i for i, label in names.items()},
        problem_type="single_label_classification",
    )
    assert ours.config.id2label == names
    assert ours.config.num_labels == 3
    ours.save_pretrained(tmp_path / "again")
    back = transformers.AutoConfig.from_pretrained(tmp_path / "again")
    assert back.id2label == names
    assert back.label2id == theirs.config.label2id
    assert back.problem_type == "single_label_classification"
