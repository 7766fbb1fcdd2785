"""Interventions: each does what it says and nothing else, and what does not fit is refused."""

import pytest
import torch
import transformers

from electra_lab.inside.trace import (
    PatchHidden,
    ReplaceAttention,
    SetEmbedding,
    SwitchOffHeads,
    difference,
    trace,
)
from electra_lab.inside.trace.inputs import prepare
from electra_lab.inside.trace.interventions import bind
from electra_lab.inside.trace.tracing import setting_of

TEXT = "The chef cooked the dogs."
OTHER = "the old dog ate the meals"  # as many tokens
CLOSE = {"atol": 1e-5, "rtol": 1e-4}


@pytest.fixture
def run(pair):
    def run(*interventions, inputs=TEXT, model=pair.discriminator):
        return trace(model, inputs, tokenizer=pair.tokenizer, interventions=interventions)

    return run


def test_heads_off_are_heads_whose_values_are_zero_in_transformers(pair, run, tmp_path):
    found = run(SwitchOffHeads(0, 1), SwitchOffHeads(1, [0]))
    pair.save(tmp_path)
    theirs = transformers.ElectraForPreTraining.from_pretrained(tmp_path / "discriminator").eval()
    with torch.no_grad():
        for layer, head in ((0, 1), (1, 0)):
            value = theirs.electra.encoder.layer[layer].attention.self.value
            value.weight[head * 16 : head * 16 + 16] = 0
            value.bias[head * 16 : head * 16 + 16] = 0
        expected = theirs(**pair.tokenizer(TEXT, return_tensors="pt"), output_hidden_states=True)
    torch.testing.assert_close(found.logits, expected.logits, **CLOSE)
    for ours, state in zip(found.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(ours, state, **CLOSE)
    assert float(found.layers[0].head_outputs[:, 1].abs().max()) == 0
    assert float(found.layers[0].attention[:, 1].abs().max()) == 0
    assert float(found.layers[0].attention[:, 0].sum(-1).min()) == pytest.approx(1)


def test_heads_off_are_a_head_mask_of_zero(pair, run):
    inputs = pair.tokenizer(TEXT, return_tensors="pt")
    mask = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    with torch.no_grad():
        expected = pair.discriminator(**inputs, head_mask=mask).logits
    torch.testing.assert_close(run(SwitchOffHeads(0)).logits, expected, **CLOSE)
    assert not torch.allclose(run().logits, expected, **CLOSE)


def test_a_heads_own_attention_put_back_changes_nothing(run):
    plain = run()
    for weights in (plain, plain.layers[1].attention, plain.layers[1].attention[0]):
        found = run(ReplaceAttention(1, weights=weights))
        torch.testing.assert_close(found.logits, plain.logits, **CLOSE)


def test_given_attention_mixes_the_heads_own_values(run):
    plain = run()
    matrix = torch.rand(9, 9)
    found = run(ReplaceAttention(1, 0, matrix)).layers[1]
    torch.testing.assert_close(found.attention[0, 0], matrix)
    torch.testing.assert_close(found.head_outputs[0, 0], matrix @ plain.layers[1].values[0, 0])
    torch.testing.assert_close(found.head_outputs[0, 1], plain.layers[1].head_outputs[0, 1])
    taken = run(ReplaceAttention(1, [1], run(inputs=OTHER))).layers[1]
    torch.testing.assert_close(taken.attention[0, 1], run(inputs=OTHER).layers[1].attention[0, 1])
    torch.testing.assert_close(taken.attention[0, 0], plain.layers[1].attention[0, 0])


def test_uniform_attention_looks_at_all_that_may_be_looked_at(run, heads):
    padded = run(ReplaceAttention(0, 1, "uniform"), inputs=[TEXT, "a dog"]).layers[0].attention
    torch.testing.assert_close(padded[0, 1], torch.full((9, 9), 1 / 9))
    torch.testing.assert_close(padded[1, 1, :, :4], torch.full((9, 4), 1 / 4))
    assert float(padded[1, 1, :, 4:].abs().max()) == 0
    causal = run(ReplaceAttention(0), model=heads["ElectraForCausalLM"]).layers[0].attention[0, 0]
    expected = torch.ones(9, 9).tril()
    torch.testing.assert_close(causal, expected / expected.sum(-1, keepdim=True))


def test_all_states_of_another_text_give_its_outcome(run):
    other = run(inputs=OTHER)
    for layer in (None, 0, 1):
        found = run(PatchHidden(layer, None, other))
        torch.testing.assert_close(found.logits, other.logits, **CLOSE)
    changed = run(PatchHidden(0, 2, other))
    torch.testing.assert_close(changed.layers[0].hidden[0, 2], other.layers[0].hidden[0, 2])
    rest = [0, 1, 3, 4, 5, 6, 7, 8]
    plain = run()
    torch.testing.assert_close(changed.layers[0].hidden[0, rest], plain.layers[0].hidden[0, rest])
    assert not torch.allclose(changed.layers[1].hidden[0, 5], plain.layers[1].hidden[0, 5])


def test_states_can_come_from_another_place_and_go_to_one_row(run):
    other = run(inputs="the old dog")
    found = run(
        PatchHidden(1, [1, 2], other, source_positions=[3, 2], row=1), inputs=[TEXT, "a dog"]
    )
    plain = run(inputs=[TEXT, "a dog"])
    for place, source in ((1, 3), (2, 2)):
        torch.testing.assert_close(
            found.layers[1].hidden[1, place], other.layers[1].hidden[0, source]
        )
    torch.testing.assert_close(found.layers[1].hidden[0], plain.layers[1].hidden[0])
    vector = torch.arange(32.0)
    given = run(PatchHidden(0, [4, 5], vector)).layers[0].hidden
    torch.testing.assert_close(given[0, 4:6], vector.expand(2, 32))


def test_a_batch_takes_each_rows_state_from_a_trace_of_as_many_rows(run):
    texts, others = [TEXT, "a dog"], [OTHER, "the meal"]
    other = run(inputs=others)
    found = run(PatchHidden(0, 1, other), inputs=texts)
    torch.testing.assert_close(found.layers[0].hidden[:, 1], other.layers[0].hidden[:, 1])
    one = run(PatchHidden(0, 1, other, row=1), inputs=texts)
    torch.testing.assert_close(one.layers[0].hidden[1, 1], other.layers[0].hidden[1, 1])
    torch.testing.assert_close(one.layers[0].hidden[0], run(inputs=texts).layers[0].hidden[0])


def test_a_words_embedding_set_to_anothers_is_the_other_word(pair, run):
    expected = run(inputs="The dog cooked the dogs.")
    vocabulary = pair.tokenizer.get_vocab()
    table = pair.discriminator.get_input_embeddings().weight
    for value in ("dog", vocabulary["dog"], table[vocabulary["dog"]].detach()):
        found = run(SetEmbedding(2, value))
        torch.testing.assert_close(found.logits, expected.logits, **CLOSE)
        torch.testing.assert_close(found.embeddings, expected.embeddings)
        torch.testing.assert_close(found.vectors, expected.vectors)
    batch = run(SetEmbedding([2], "dog", row=0), inputs=[TEXT, TEXT])
    torch.testing.assert_close(batch.logits[0], expected.logits[0], **CLOSE)
    torch.testing.assert_close(batch.logits[1], run().logits[0], **CLOSE)


def test_interventions_act_in_order_and_are_told(run):
    plain = run()
    both = run(SwitchOffHeads(1, 0), ReplaceAttention(1, 0, plain))
    torch.testing.assert_close(both.logits, plain.logits, **CLOSE)
    other = run(ReplaceAttention(1, 0, plain), SwitchOffHeads(1, 0))
    torch.testing.assert_close(other.logits, run(SwitchOffHeads(1, 0)).logits, **CLOSE)
    told = run(SwitchOffHeads(1, 0), PatchHidden(None, 3, plain), SetEmbedding(2, "dog"))
    assert told.interventions == (
        "SwitchOffHeads(layer=1, heads=0)",
        "PatchHidden(layer=None, positions=3, source=Trace of '[CLS] the chef cooked the dog')",
        "SetEmbedding(positions=2, value='dog')",
    )
    assert "3 interventions" in repr(told)


def test_the_model_says_the_same_after_interventions(run):
    before = run()
    run(SwitchOffHeads(0), ReplaceAttention(1), SetEmbedding(2, "dog"), PatchHidden(0, 1, before))
    assert torch.equal(run().logits, before.logits)


@pytest.mark.parametrize(
    ("intervention", "kind", "message"),
    [
        (SwitchOffHeads(2), IndexError, "no layer 2; the layers are 0 to 1"),
        (SwitchOffHeads(-1), IndexError, "no layer -1"),
        (SwitchOffHeads(0, [0, 2]), IndexError, "no head 2; its heads are 0 to 1"),
        (ReplaceAttention(0, 0, torch.rand(9, 8)), ValueError, r"\(9, 8\); expected \(9, 9\)"),
        (ReplaceAttention(0, 0, torch.full((9, 9), torch.nan)), ValueError, "not finite"),
        (ReplaceAttention(0, 0, "even"), ValueError, "'even'; expected 'uniform'"),
        (PatchHidden(0, 9, torch.rand(32)), IndexError, "0 to 8"),
        (PatchHidden(0, [], torch.rand(32)), IndexError, "one or more"),
        (PatchHidden(0, 1, torch.rand(16)), ValueError, r"\(16,\); expected a Trace, \(32,\)"),
        (PatchHidden(0, 1, torch.rand(32), row=1), IndexError, "no row 1"),
        (PatchHidden(0, 1, torch.rand(32), source_positions=2), ValueError, "source is no Trace"),
        (SetEmbedding(1, "chefs"), ValueError, "no piece of the vocabulary"),
        (SetEmbedding(1, 20), IndexError, "0 to 19"),
        (SetEmbedding(1, torch.rand(32)), ValueError, r"\(32,\); expected"),
        (SetEmbedding(1, None), ValueError, "no tensor of numbers"),
    ],
)
def test_what_does_not_fit_is_refused(run, intervention, kind, message):
    with pytest.raises(kind, match=message):
        run(intervention)


def test_what_is_no_intervention_is_refused(pair):
    inputs = prepare(pair.discriminator, "replaced", TEXT, pair.tokenizer)
    with pytest.raises(TypeError, match="'heads off' is no intervention"):
        bind(["heads off"], setting_of(pair.discriminator, inputs, None))


def test_traces_that_do_not_fit_are_refused(run, heads, pair):
    short = run(inputs="a dog")
    with pytest.raises(ValueError, match="4 tokens a row, this input 9"):
        run(ReplaceAttention(0, 0, short))
    with pytest.raises(IndexError, match="source_positions"):
        run(PatchHidden(0, 8, short))
    with pytest.raises(ValueError, match="1 positions and 2 source_positions"):
        run(PatchHidden(0, 8, short, source_positions=[1, 2]))
    with pytest.raises(ValueError, match="3 rows, this input 1"):
        run(PatchHidden(0, 1, run(inputs=[TEXT] * 3)))
    heads["ElectraModel"].bare.prune_heads({1: [0]})
    pruned = run(model=heads["ElectraModel"])
    with pytest.raises(ValueError, match=r"of \(2, 1\) heads"):
        run(PatchHidden(0, 1, pruned))
    with pytest.raises(ValueError, match="there is no tokenizer"):
        trace(
            pair.discriminator,
            pair.tokenizer(TEXT, return_tensors="pt"),
            interventions=[SetEmbedding(1, "dog")],
        )


# How the outcome moved


def test_a_difference_names_the_moves_largest_first(run):
    before, after = run(), run(SwitchOffHeads(0))
    found = difference(before, after)
    moved = (after.logits.sigmoid() - before.logits.sigmoid())[0]
    torch.testing.assert_close(found.change, moved[None])
    first = found.changes(1)[0]
    place = int(moved.abs().argmax())
    assert (first.position, first.token, first.label) == (
        place,
        before.tokens[0][place],
        "replaced",
    )
    assert first.by == pytest.approx(float(moved[place]))
    assert len(found.changes(None)) == 9
    assert found.largest == pytest.approx(abs(first.by))
    lines = str(found).splitlines()
    assert lines[0].split() == ["before", "after", "change"]
    name = f"{first.token} ({place})"
    assert lines[1].startswith(name)
    assert lines[1][-6:] == f"{first.by:+.3f}"
    assert repr(found).startswith(f"Difference(most: replaced at {name} 0.")


def test_a_difference_of_classes_and_choices_is_by_label(heads, run):
    model = heads["ElectraForSequenceClassification"]
    found = difference(run(model=model), run(model=model, inputs="a dog"))
    assert {change.label for change in found.changes()} == {"bad", "fair", "good"}
    assert {change.position for change in found.changes()} == {None}
    assert float(found.change.sum()) == pytest.approx(0, abs=1e-6)
    model = heads["ElectraForMultipleChoice"]
    question = {"context": "the dog", "choices": ["ate", "slept", "made a meal"]}
    before, after = (
        run(model=model, inputs=question),
        run(SwitchOffHeads(1), model=model, inputs=question),
    )
    assert [change.label[:7] for change in difference(before, after).changes()] == ["choice "] * 3


def test_padding_takes_no_part_in_a_difference(run):
    texts = [TEXT, "a dog"]
    found = difference(run(inputs=texts), run(SwitchOffHeads(0), inputs=texts))
    assert float(found.change[1, 4:].abs().max()) == 0
    assert float(found.change[1, :4].abs().min()) > 0


def test_outcomes_that_cannot_be_compared_are_refused(run, heads):
    with pytest.raises(ValueError, match="different outcome"):
        difference(run(), run(model=heads["ElectraForMaskedLM"]))
    with pytest.raises(ValueError, match=r"\(1, 9\) and \(1, 4\)"):
        difference(run(), run(inputs="a dog"))
    bare = run(model=heads["ElectraModel"])
    with pytest.raises(ValueError, match="no outcome"):
        difference(bare, bare)
