"""Attributions, rollout and lens, held against transformers, finite differences and sums by hand."""

import pytest
import torch
import transformers

from electra_lab.inside.trace import (
    InputXGradient,
    IntegratedGradients,
    SwitchOffHeads,
    attention_rollout,
    logit_lens,
    trace,
)
from electra_lab.inside.trace.gradients import check_request

TEXT = "The chef cooked the dogs."
CHOICES = {"context": "the dog", "choices": ["ate", "slept in the house"]}
INPUTS = {
    "ElectraForPreTraining": [TEXT, "a dog"],
    "ElectraForMaskedLM": ["the [MASK] ate the meal", "a dog"],
    "ElectraForCausalLM": ["the dog ate", "a dog"],
    "ElectraForSequenceClassification": [("the dog", "a dog slept"), ("a meal", "old")],
    "ElectraForTokenClassification": [TEXT, "a dog"],
    "ElectraForQuestionAnswering": [("the dog ate", "the chef made a meal"), ("a", "dog")],
    "ElectraForMultipleChoice": CHOICES,
}
TARGETS = {
    "ElectraForPreTraining": {"position": 2},
    "ElectraForMaskedLM": {"position": 2, "label": "dog"},
    "ElectraForCausalLM": {"position": 2},
    "ElectraForSequenceClassification": {"label": "good"},
    "ElectraForTokenClassification": {"position": 1, "label": 0},
    "ElectraForQuestionAnswering": {"label": "start"},
    "ElectraForMultipleChoice": {},
}


def explain(pair, model, inputs, gradients, *interventions):
    return trace(
        model, inputs, tokenizer=pair.tokenizer, gradients=gradients, interventions=interventions
    )


@pytest.mark.parametrize("name", TARGETS)
def test_integrated_gradients_account_for_what_the_target_gained(heads, pair, name):
    def apart(steps):
        wanted = IntegratedGradients(**TARGETS[name], steps=steps)
        found = explain(pair, heads[name], INPUTS[name], wanted).attributions
        by_hand = found.scores.sum(-1) - found.outcome + found.baseline_outcome
        torch.testing.assert_close(found.completeness, by_hand)
        assert float((found.outcome - found.baseline_outcome).abs().max()) > 0.05
        return float(found.completeness.abs().max())

    close = apart(16)
    assert close < 0.02
    assert close < apart(1)


@pytest.mark.parametrize("name", TARGETS)
def test_input_x_gradient_is_how_the_target_moves_with_each_vector(heads, pair, name):
    """A central difference in double precision, along the token's own vector."""
    model = heads[name].double()
    found = explain(pair, model, INPUTS[name], InputXGradient(**TARGETS[name]))
    said = found.attributions
    inputs = {"attention_mask": found.mask.long(), "token_type_ids": found.segments}
    choices = name == "ElectraForMultipleChoice"

    def outcome(factors):
        given = {**inputs, "inputs_embeds": found.vectors * factors[:, :, None]}
        if choices:
            given = {key: value[None] for key, value in given.items()}
        with torch.no_grad():
            return flat(model(**given), len(found))

    apart = (outcome(ones(found)) - said.outcome[:, None]).abs()
    place = apart.argmin(-1)
    rows = torch.arange(len(found))
    torch.testing.assert_close(outcome(ones(found))[rows, place], said.outcome)
    for position in range(found.mask.shape[1]):
        step = torch.zeros_like(ones(found))
        step[:, position] = 1e-4
        slope = (outcome(ones(found) + step) - outcome(ones(found) - step))[rows, place] / 2e-4
        expected = slope * found.mask[:, position]
        torch.testing.assert_close(said.scores[:, position], expected, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(said.per_dimension.sum(-1), said.scores)


def ones(found):
    return torch.ones(found.mask.shape, dtype=torch.float64)


def flat(output, rows):
    if "start_logits" in output.keys():  # noqa: SIM118
        return torch.stack([output.start_logits, output.end_logits], -1).reshape(rows, -1)
    return output.logits.reshape(rows, -1)


def test_integrated_gradients_are_those_of_transformers_model(heads, pair, tmp_path):
    model = heads["ElectraForSequenceClassification"]
    model.save_pretrained(tmp_path)
    theirs = transformers.ElectraForSequenceClassification.from_pretrained(tmp_path).eval()
    wanted = IntegratedGradients(label="fair", baseline="[MASK]", steps=7)
    found = explain(pair, model, TEXT, wanted)
    table = theirs.get_input_embeddings().weight.detach()
    end = table[found.input_ids]
    start = table[pair.tokenizer.mask_token_id].expand_as(end)
    total = torch.zeros_like(end)
    for step in range(7):
        point = (start + (step + 0.5) / 7 * (end - start)).requires_grad_()
        theirs(inputs_embeds=point).logits[0, 1].backward()
        total += point.grad / 7
    torch.testing.assert_close(
        found.attributions.per_dimension, total * (end - start), atol=1e-5, rtol=1e-3
    )
    assert found.attributions.baseline == "[MASK] everywhere"
    assert found.attributions.targets == ("fair",)


def test_gradients_see_the_interventions(heads, pair):
    model = heads["ElectraForSequenceClassification"]
    wanted = IntegratedGradients(label="good", steps=40)
    everything_off = [SwitchOffHeads(0), SwitchOffHeads(1)]
    found = explain(pair, model, TEXT, wanted, *everything_off)
    torch.testing.assert_close(found.attributions.outcome, found.logits[:, 2])
    # without attention nothing reaches [CLS] but itself
    assert float(found.attributions.scores[0, 0].abs()) > 1e-3
    assert float(found.attributions.scores[0, 1:].abs().max()) == 0


def test_padding_gets_nothing(heads, pair):
    for wanted in (InputXGradient(position=1), IntegratedGradients(position=1, steps=2)):
        found = explain(pair, heads["ElectraForPreTraining"], [TEXT, "a dog"], wanted)
        assert float(found.attributions.scores[1, 4:].abs().max()) == 0
        row = found.select(1).attributions
        assert row.scores.shape == (1, 4)
        assert row.targets == ("replaced at token 1",)


def test_padding_gets_nothing_where_the_head_reads_it(heads, pair):
    model = heads["ElectraForMultipleChoice"]
    model.head.summary.summary_type = "mean"  # over padding too, as in transformers
    with torch.no_grad():
        model.get_input_embeddings().weight[pair.tokenizer.pad_token_id] = 1
    for wanted in (InputXGradient(), IntegratedGradients(steps=8)):
        found = explain(pair, model, CHOICES, wanted)
        padding = ~found.mask
        assert bool(padding.any())
        assert float(found.attributions.scores[padding].abs().max()) == 0
    assert float(found.attributions.completeness.abs().max()) < 0.02


def test_the_default_target_is_the_heads_own_answer(heads, pair):
    classes = explain(pair, heads["ElectraForSequenceClassification"], TEXT, InputXGradient())
    (best,) = classes.outcome(top=1)
    assert classes.attributions.targets == (best,)
    model = heads["ElectraForQuestionAnswering"]
    span = explain(pair, model, ("the dog", "a meal"), InputXGradient("end"))
    assert span.attributions.targets == (f"end at token {int(span.logits[0, :, 1].argmax())}",)
    tags = explain(pair, heads["ElectraForTokenClassification"], TEXT, InputXGradient(position=3))
    (best,) = tags.outcome(top=1)[3]
    assert tags.attributions.targets == (f"{best} at token 3",)
    choices = explain(pair, heads["ElectraForMultipleChoice"], CHOICES, InputXGradient())
    assert choices.attributions.targets == ("choice 0", "choice 1")
    torch.testing.assert_close(choices.attributions.outcome, choices.logits[0])


def test_no_gradient_is_left_on_the_model_and_none_in_the_trace(heads, pair):
    model = heads["ElectraForPreTraining"].train()
    found = explain(pair, model, TEXT, IntegratedGradients(position=1, steps=2))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(tensor.requires_grad for tensor in found.tensors().values())
    assert all(module.training for module in model.modules())
    with torch.inference_mode():
        again = explain(pair, model, TEXT, IntegratedGradients(position=1, steps=2))
    torch.testing.assert_close(again.attributions.scores, found.attributions.scores)


@pytest.mark.parametrize(
    ("name", "wanted", "kind", "message"),
    [
        ("ElectraModel", InputXGradient(), ValueError, "no outcome"),
        ("ElectraForPreTraining", InputXGradient(), ValueError, "position="),
        ("ElectraForPreTraining", InputXGradient(position=9), IndexError, "0 to 8"),
        ("ElectraForPreTraining", InputXGradient("good", 1), ValueError, "labels are replaced"),
        ("ElectraForSequenceClassification", InputXGradient("poor"), ValueError, "bad, fair, good"),
        ("ElectraForSequenceClassification", InputXGradient(3), IndexError, "0 to 2"),
        ("ElectraForSequenceClassification", InputXGradient(0, 1), ValueError, "whole sequences"),
        ("ElectraForQuestionAnswering", InputXGradient(), ValueError, "label='start'"),
        (
            "ElectraForTokenClassification",
            IntegratedGradients("bad", 1, steps=0),
            ValueError,
            "steps",
        ),
        (
            "ElectraForTokenClassification",
            IntegratedGradients("bad", 1, baseline="chefs"),
            ValueError,
            "no piece",
        ),
        (
            "ElectraForTokenClassification",
            IntegratedGradients("bad", 1, baseline=torch.ones(3)),
            ValueError,
            r"\(1, 9, 16\)",
        ),
    ],
)
def test_what_cannot_be_explained_is_refused(heads, pair, name, wanted, kind, message):
    with pytest.raises(kind, match=message):
        explain(pair, heads[name], TEXT, wanted)


def test_a_request_that_is_none_is_refused_before_anything_is_computed():
    with pytest.raises(TypeError, match="gradients is 'saliency'; expected InputXGradient"):
        check_request("saliency")


def test_choices_and_padding_have_no_target_to_choose(heads, pair):
    with pytest.raises(ValueError, match="its own logit"):
        explain(pair, heads["ElectraForMultipleChoice"], CHOICES, InputXGradient(0))
    with pytest.raises(ValueError, match="Token 6 is padding"):
        explain(pair, heads["ElectraForPreTraining"], [TEXT, "a"], InputXGradient(position=6))


# Rollout and lens


def test_rollout_is_the_product_of_half_attention_half_residual(pair):
    found = trace(pair.discriminator, [TEXT, "a dog"], tokenizer=pair.tokenizer)
    rolled = attention_rollout(found)
    assert rolled.shape == (2, 2, 9, 9)
    product = torch.eye(9, dtype=torch.float64)
    for layer, expected in zip(found.layers, rolled, strict=True):
        heads = layer.attention[0].double()
        product = ((heads[0] + heads[1]) / 2 / 2 + torch.eye(9) / 2) @ product
        torch.testing.assert_close(expected[0].double(), product, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(rolled.sum(-1), torch.ones(2, 2, 9))
    assert float(rolled[:, 1, :4, 4:].abs().max()) == 0


def test_rollout_through_heads_that_are_off_stays_where_it_is(pair):
    off = [SwitchOffHeads(0), SwitchOffHeads(1)]
    found = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer, interventions=off)
    torch.testing.assert_close(attention_rollout(found)[-1, 0], torch.eye(9))


@pytest.mark.parametrize("name", TARGETS)
def test_the_lens_ends_in_what_the_head_says(heads, pair, name):
    found = trace(heads[name], INPUTS[name], tokenizer=pair.tokenizer)
    lens = logit_lens(found, heads[name], tokenizer=pair.tokenizer)
    assert len(lens.logits) == 3
    torch.testing.assert_close(lens.logits[-1], found.logits, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(lens.probabilities[-1], found.probabilities, atol=1e-5, rtol=1e-4)
    assert lens.labels == found.labels
    best = lens.best(0)
    assert len(best) == 3
    said = found.outcome(0)
    said = said if isinstance(said, list) else [said]
    assert [label for label, _ in best[-1]] == [max(token, key=token.get) for token in said]


@pytest.mark.parametrize("name", ["ElectraForPreTraining", "ElectraForMaskedLM"])
def test_the_lens_is_transformers_head_on_each_layer(heads, pair, name, tmp_path):
    heads[name].save_pretrained(tmp_path)
    theirs = getattr(transformers, name).from_pretrained(tmp_path).eval()
    found = trace(heads["ElectraModel"], TEXT, tokenizer=pair.tokenizer)
    with torch.no_grad():
        if name == "ElectraForPreTraining":
            expected = [theirs.discriminator_predictions(h) for h in found.hidden_states]
        else:
            expected = [
                theirs.generator_lm_head(theirs.generator_predictions(h))
                for h in found.hidden_states
            ]
    for head in (heads[name], theirs):
        lens = logit_lens(found, head, positions=[2, 4])
        torch.testing.assert_close(
            lens.logits, torch.stack(expected)[:, :, [2, 4]], atol=1e-5, rtol=1e-4
        )
        assert lens.tokens == [["chef", "the"]]


def test_a_lens_that_does_not_fit_is_refused(heads, pair):
    found = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer)
    with pytest.raises(ValueError, match="has no head"):
        logit_lens(found, heads["ElectraModel"])
    with pytest.raises(IndexError, match="0 to 8"):
        logit_lens(found, pair.discriminator, positions=[9])
    with pytest.raises(ValueError, match="needs all tokens"):
        logit_lens(found, heads["ElectraForSequenceClassification"], positions=[1])
    with pytest.raises(MemoryError, match="positions="):
        logit_lens(found, pair.generator, max_bytes=1000)
    with pytest.raises(IndexError, match="rows are 0 to 0"):
        logit_lens(found, pair.discriminator).best(1)
    wide = type(pair.discriminator)(
        type(found and pair.discriminator.config)(
            vocab_size=20, hidden_size=8, num_attention_heads=2, num_hidden_layers=1
        )
    )
    with pytest.raises(ValueError, match="hidden_size 8, the trace has 32"):
        logit_lens(found, wide)
