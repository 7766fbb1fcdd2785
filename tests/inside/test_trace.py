"""A trace against transformers on the same weights, against itself by hand, and against bad input."""

import math

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from electra_lab.inside.trace import estimated_bytes, trace
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForPreTraining
from electra_lab.model.task_heads import ElectraForTokenClassification

TEXT = "The chef cooked the dogs."
LONG = "the old dog slept in the house, the chef ate the meal. " * 3
INPUTS = {
    "ElectraModel": [TEXT, "a dog"],
    "ElectraForPreTraining": [TEXT, "a dog"],
    "ElectraForMaskedLM": ["the [MASK] ate the meal", "a dog"],
    "ElectraForCausalLM": ["the dog ate", "a dog"],
    "ElectraForSequenceClassification": [("the dog", "a dog slept"), ("a meal", "old")],
    "ElectraForTokenClassification": [TEXT, "a dog"],
    "ElectraForQuestionAnswering": {"question": "the dog ate", "context": LONG},
    "ElectraForMultipleChoice": [
        {"context": "the chef", "choices": ["cooked a meal.", "slept", "ate"]},
        {"context": "a dog", "choices": ["slept in the house", "made meals", "ate"]},
    ],
}
HEADS = pytest.mark.parametrize("name", INPUTS)


def tensors_of(pair, found, choices=None):
    """What transformers is called with, from what the trace says that it read."""
    inputs = {
        "input_ids": found.input_ids,
        "attention_mask": found.mask.long(),
        "token_type_ids": found.segments,
    }
    return {n: t.unflatten(0, (-1, choices)) for n, t in inputs.items()} if choices else inputs


@HEADS
def test_states_attention_and_logits_are_those_of_transformers(heads, pair, name, tmp_path):
    heads[name].save_pretrained(tmp_path)
    theirs = (
        getattr(transformers, name).from_pretrained(tmp_path, attn_implementation="eager").eval()
    )
    found = trace(heads[name], INPUTS[name], tokenizer=pair.tokenizer)
    choices = 3 if name == "ElectraForMultipleChoice" else None
    with torch.no_grad():
        expected = theirs(
            **tensors_of(pair, found, choices), output_attentions=True, output_hidden_states=True
        )
    seen = found.mask
    for ours, state in zip(found.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(ours[seen], state[seen], atol=1e-5, rtol=1e-4)
    for layer, attention in zip(found.layers, expected.attentions, strict=True):
        rows = seen[:, None, :].expand_as(attention[:, :, :, 0])
        torch.testing.assert_close(layer.attention[rows], attention[rows], atol=1e-5, rtol=1e-4)
    if name == "ElectraForQuestionAnswering":
        logits = torch.stack([expected.start_logits, expected.end_logits], -1)
    else:
        logits = expected.get("logits")
    if logits is None:
        assert found.logits is None
    else:
        kept = seen if logits.shape[:2] == seen.shape else ...
        torch.testing.assert_close(found.logits[kept], logits[kept], atol=1e-5, rtol=1e-4)


@HEADS
def test_heads_make_the_attention_output_and_the_attention_output_makes_the_states(
    heads, pair, name
):
    model = heads[name]
    found = trace(model, INPUTS[name], tokenizer=pair.tokenizer)
    check_arithmetic(model, found)


def check_arithmetic(model, found):
    """Every tensor follows from those before it and from the model's parameters."""
    bare = model.bare
    close = {"atol": 1e-5, "rtol": 1e-4}
    look = found.mask[:, None, None, :]
    if model.config.is_decoder:
        look = look & torch.ones(look.shape[-1], look.shape[-1]).tril().bool()
    before = found.projected
    for layer, made in zip(bare.encoder.layers, found.layers, strict=True):
        heads, size = made.heads, model.config.head_size
        for name, states in (("query", made.queries), ("key", made.keys), ("value", made.values)):
            whole = layer.attention.get_submodule(name)(before)
            torch.testing.assert_close(states.transpose(1, 2).flatten(2), whole, **close)
        weights = made.scores.masked_fill(~look, -torch.inf).softmax(-1)
        torch.testing.assert_close(made.attention, weights, **close)
        torch.testing.assert_close(made.attention @ made.values, made.head_outputs, **close)
        matrix = layer.attention.output.weight
        parts = [
            made.head_outputs[:, h] @ matrix[:, h * size : (h + 1) * size].T for h in range(heads)
        ]
        total = sum(parts) + layer.attention.output.bias
        torch.testing.assert_close(total, made.attention_output, **close)
        middle = layer.attention_norm(before + made.attention_output)
        after = layer.feed_forward_norm(middle + layer.feed_forward(middle))
        torch.testing.assert_close(after, made.hidden, **close)
        before = made.hidden
    table = bare.embeddings.word.weight
    torch.testing.assert_close(found.vectors, table[found.input_ids], **close)
    enters = found.embeddings if bare.projection is None else bare.projection(found.embeddings)
    torch.testing.assert_close(found.projected, enters, **close)


@HEADS
def test_a_row_of_a_padded_batch_is_the_row_alone(heads, pair, name):
    inputs = INPUTS[name]
    batch = trace(heads[name], inputs, tokenizer=pair.tokenizer)
    assert not bool(batch.mask.all())
    for row in range(len(batch)):
        chosen = batch.select(row)
        ids = {k: v[row, batch.mask[row]][None] for k, v in tensors_of(pair, batch).items()}
        if name == "ElectraForMultipleChoice":
            ids = {key: value[None] for key, value in ids.items()}
        alone = trace(heads[name], ids, tokenizer=pair.tokenizer)
        assert chosen.tokens == alone.tokens
        for key, tensor in alone.tensors().items():
            ours = chosen.tensors()[key]
            if name == "ElectraForMultipleChoice" and key == "logits":
                ours = ours[:, [chosen.choice]]
            torch.testing.assert_close(
                ours, tensor, atol=1e-5, rtol=1e-4, msg=lambda m, k=key: k + m
            )


@HEADS
def test_the_size_is_known_before(heads, pair, name):
    found = trace(heads[name], INPUTS[name], tokenizer=pair.tokenizer)
    assert estimated_bytes(heads[name], INPUTS[name], tokenizer=pair.tokenizer) == found.nbytes


@st.composite
def configs(draw):
    head_size = draw(st.integers(1, 6))
    heads = draw(st.integers(1, 4))
    return dict(
        vocab_size=draw(st.integers(6, 30)),
        embedding_size=draw(st.sampled_from([head_size * heads, 5])),
        hidden_size=head_size * heads,
        num_hidden_layers=draw(st.integers(1, 3)),
        num_attention_heads=heads,
        intermediate_size=draw(st.integers(1, 9)),
        max_position_embeddings=12,
        hidden_act=draw(st.sampled_from(["gelu", "relu"])),
        position_embedding_type=draw(
            st.sampled_from(["absolute", "relative_key", "relative_key_query"])
        ),
        initializer_range=0.5,
    )


@settings(max_examples=25, deadline=None)
@given(config=configs(), rows=st.integers(1, 3), seq=st.integers(1, 8), seed=st.integers(0, 99))
def test_any_configuration_adds_up(config, rows, seq, seed):
    config = ElectraConfig(**config)
    torch.manual_seed(seed)
    model = ElectraForTokenClassification(config).eval()
    ids = torch.randint(config.vocab_size, (rows, seq))
    lengths = torch.randint(1, seq + 1, (rows, 1))
    mask = (torch.arange(seq) < lengths).long()
    inputs = {"input_ids": ids, "attention_mask": mask}
    found = trace(model, inputs)
    with torch.no_grad():
        check_arithmetic(model, found)
        expected = model(**inputs).logits
    seen = mask.bool()
    torch.testing.assert_close(found.logits[seen], expected[seen], atol=1e-4, rtol=1e-4)
    assert found.nbytes == estimated_bytes(model, inputs)


def test_pruned_layers_have_fewer_heads(heads, pair):
    model = heads["ElectraForPreTraining"]
    model.bare.prune_heads({1: [0]})
    found = trace(model, TEXT, tokenizer=pair.tokenizer)
    assert [layer.heads for layer in found.layers] == [2, 1]
    check_arithmetic(model, found)
    assert found.nbytes == estimated_bytes(model, TEXT, tokenizer=pair.tokenizer)


# What the rows are


def test_a_text_has_tokens_words_sides_and_offsets(pair):
    found = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer)
    assert found.tokens == [
        ["[CLS]", "the", "chef", "cooked", "the", "dog", "##s", ".", "[SEP]"],
    ]
    assert found.words == [[None, 0, 1, 2, 3, 4, 4, 5, None]]
    assert found.sides == [[None, 0, 0, 0, 0, 0, 0, 0, None]]
    assert [TEXT[a:b] for a, b in found.offsets[0][1:-1]] == [
        "The",
        "chef",
        "cooked",
        "the",
        "dog",
        "s",
        ".",
    ]
    assert found.texts == [(TEXT, None)]


def test_a_pair_has_two_sides_and_two_segments(pair):
    found = trace(pair.discriminator, ("the dog", "a meal"), tokenizer=pair.tokenizer)
    assert found.sides == [[None, 0, 0, None, 1, 1, None]]
    assert found.words == [[None, 0, 1, None, 0, 1, None]]
    assert found.segments.tolist() == [[0, 0, 0, 0, 1, 1, 1]]


def test_ids_alone_get_words_from_their_pieces(pair):
    texts = [TEXT, "a dog [MASK]"]
    encoded = pair.tokenizer(texts, padding=True, return_tensors="pt")
    named = trace(pair.discriminator, texts, tokenizer=pair.tokenizer)
    plain = trace(pair.discriminator, dict(encoded), tokenizer=pair.tokenizer)
    assert (plain.tokens, plain.words, plain.sides) == (named.tokens, named.words, named.sides)
    assert plain.offsets is None
    assert plain.texts is None
    nameless = trace(pair.discriminator, dict(encoded))
    assert nameless.tokens[0][1] == str(encoded["input_ids"][0, 1].item())


def test_what_either_tokenizer_returns_is_taken_with_its_words(pair, tmp_path):
    pair.save(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "discriminator")
    expected = trace(pair.discriminator, [TEXT, "a dog"], tokenizer=pair.tokenizer)
    for tokenizer in (theirs, pair.tokenizer):
        encoded = tokenizer([TEXT, "a dog"], padding=True, return_tensors="pt")
        for inputs in (encoded, [TEXT, "a dog"]):
            found = trace(pair.discriminator, inputs, tokenizer=tokenizer)
            assert (found.tokens, found.words, found.sides) == (
                expected.tokens,
                expected.words,
                expected.sides,
            )
            assert torch.equal(found.logits, expected.logits)
        lists = trace(pair.discriminator, tokenizer(TEXT), tokenizer=tokenizer)
        assert lists.words == expected.select(0).words


def test_labels_and_offsets_beside_the_inputs_are_left_out(pair):
    encoded = pair.tokenizer(TEXT, return_tensors="pt", return_offsets_mapping=True)
    found = trace(pair.discriminator, {**encoded, "labels": torch.zeros(1, 9)})
    assert found.offsets[0][1] == (0, 3)


def test_a_long_passage_is_read_in_the_pipelines_windows(heads, pair):
    from electra_lab.pipelines.answers import question_windows

    model = heads["ElectraForQuestionAnswering"]
    question = {"question": "the dog ate", "context": LONG}
    found = trace(model, [question, ("the dog", "a meal")], tokenizer=pair.tokenizer)
    windows = question_windows(pair.tokenizer, question["question"], LONG, 32)
    assert found.of_input == [0] * len(windows["input_ids"]) + [1]
    assert len(found) > 2
    for row, ids in enumerate(windows["input_ids"]):
        assert found.select(row).input_ids.tolist() == [ids]
        begins = found.offsets[row][found.sides[row].index(1)][0]
        assert found.texts[row][1][begins:].startswith(found.tokens[row][found.sides[row].index(1)])


def test_vectors_in_place_of_ids_are_traced(pair):
    ids = pair.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    vectors = pair.discriminator.get_input_embeddings()(ids).detach()
    found = trace(pair.discriminator, {"inputs_embeds": vectors})
    expected = trace(pair.discriminator, ids)
    assert found.input_ids is None
    torch.testing.assert_close(found.logits, expected.logits)
    assert found.nbytes == estimated_bytes(pair.discriminator, {"inputs_embeds": vectors})
    before = vectors.clone()
    vectors.zero_()
    assert torch.equal(found.vectors, before)


def test_a_mask_for_each_token_hides_what_it_says(pair):
    ids = pair.tokenizer("the dog ate", return_tensors="pt")["input_ids"]
    look = torch.ones(1, 5, 5).tril()
    found = trace(pair.discriminator, {"input_ids": ids, "attention_mask": look})
    assert bool(found.mask.all())
    assert float(found.layers[0].attention[0, 0].triu(1).abs().max()) == 0


def test_left_padding_is_left_out_of_a_row(pair):
    pair.tokenizer.padding_side = "left"
    encoded = pair.tokenizer([TEXT, "a dog"], padding=True, return_tensors="pt")
    batch = trace(pair.discriminator, encoded, tokenizer=pair.tokenizer)
    row = batch.select(1)
    assert row.tokens == [["[CLS]", "a", "dog", "[SEP]"]]
    whole, kept = batch.layers[1], row.layers[1]
    assert torch.equal(kept.attention[0], whole.attention[1, :, 5:, 5:])
    assert torch.equal(kept.queries[0], whole.queries[1, :, 5:])
    assert torch.equal(kept.hidden[0], whole.hidden[1, 5:])


# Outcomes by name


def test_outcomes_carry_the_heads_own_labels(heads, pair):
    def found(name):
        return trace(heads[name], INPUTS[name], tokenizer=pair.tokenizer)

    classes = found("ElectraForSequenceClassification")
    expected = F.softmax(classes.logits[1], -1).tolist()
    assert classes.outcome(1) == dict(zip(("bad", "fair", "good"), expected, strict=True))
    tags = found("ElectraForTokenClassification").outcome(0)
    assert len(tags) == 9
    assert list(tags[0]) == ["bad", "fair", "good"]
    words = found("ElectraForMaskedLM")
    (best,) = words.outcome(0, top=1)[2]
    place = int(words.logits[0, 2].argmax())
    assert best == pair.tokenizer.convert_ids_to_tokens(place)
    replaced = found("ElectraForPreTraining")
    assert replaced.outcome(0)[3] == {"replaced": replaced.logits[0, 3].sigmoid().item()}
    choices = found("ElectraForMultipleChoice")
    assert list(choices.outcome(4)) == ["choice 0", "choice 1", "choice 2"]
    assert choices.outcome(4) == choices.outcome(3) == choices.select(4).outcome()
    assert choices.outcome(4) != choices.outcome(2)
    assert choices.select(4).choice == 1
    span = found("ElectraForQuestionAnswering")
    last = len(span) - 1
    assert not bool(span.mask[last].all())
    tokens = [
        token for token, kept in zip(span.outcome(last), span.mask[last], strict=True) if kept
    ]
    for side in ("start", "end"):
        assert sum(token[side] for token in tokens) == pytest.approx(1)
        assert tokens[1][side] == pytest.approx(span.select(last).outcome()[1][side])
    with pytest.raises(ValueError, match="no head"):
        found("ElectraModel").outcome()


@pytest.mark.parametrize(
    ("problem", "function"),
    [
        ("multi_label_classification", torch.sigmoid),
        ("single_label_classification", lambda logits: logits.softmax(-1)),
        ("regression", lambda logits: logits),
    ],
)
def test_probabilities_follow_the_problem(heads, pair, problem, function):
    model = heads["ElectraForSequenceClassification"]
    model.config.problem_type = problem
    found = trace(model, TEXT, tokenizer=pair.tokenizer)
    torch.testing.assert_close(found.probabilities, function(found.logits))


# The model is left as it was


def state_of(model):
    return (
        [module.training for module in model.modules()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        [parameter.grad for parameter in model.parameters()],
        {name: value.clone() for name, value in model.state_dict().items()},
        repr(model.config),
        getattr(model, "attn_implementation", None),
    )


def assert_same_state(before, after):
    assert before[:3] == after[:3]
    assert before[4:] == after[4:]
    for name, value in before[3].items():
        assert torch.equal(value, after[3][name])


def test_the_model_is_left_as_it_was(pair):
    model = pair.discriminator.train()
    model.bare.embeddings.eval()  # a mode that differs inside is kept, too
    before, random = state_of(model), torch.get_rng_state()
    found = trace(model, TEXT, tokenizer=pair.tokenizer)
    assert_same_state(before, state_of(model))
    assert torch.equal(random, torch.get_rng_state())
    assert not any(tensor.requires_grad for tensor in found.tensors().values())
    quiet = trace(model.eval(), TEXT, tokenizer=pair.tokenizer)
    assert torch.equal(found.logits, quiet.logits)


def test_the_model_is_left_as_it_was_after_an_error(pair, monkeypatch):
    model = pair.discriminator.train()

    def fail(*_):
        raise RuntimeError("the head fails")

    before = state_of(model)
    monkeypatch.setattr(model.head, "forward", fail)
    with pytest.raises(RuntimeError, match="the head fails"):
        trace(model, TEXT, tokenizer=pair.tokenizer)
    assert_same_state(before, state_of(model))


def test_half_precision_is_kept_as_float32(pair):
    model = pair.discriminator.to(torch.bfloat16)
    found = trace(model, TEXT, tokenizer=pair.tokenizer)
    assert {t.dtype for t in found.tensors().values() if t.is_floating_point()} == {torch.float32}
    assert found.nbytes == estimated_bytes(model, TEXT, tokenizer=pair.tokenizer)


# Errors and text forms


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("", "The text is empty"),
        ([], "nothing to trace"),
        (3, "Cannot trace 3"),
        (["a dog", 3], "Cannot trace 3"),
        (("a", "dog", "slept"), "Cannot trace"),
        ("dog " * 40, "42 tokens, the model 32 positions"),
        ({"input_ids": [[1, 2], [3]]}, "padding=True"),
        ({"input_ids": torch.ones(2, 3, 4, dtype=torch.long)}, r"shape \(2, 3, 4\)"),
        ({"input_ids": [[2, 3]], "past_key_values": None}, "past_key_values"),
        ({"input_ids": [[2, 99]]}, "99"),
    ],
)
def test_inputs_that_cannot_be_read_are_refused(pair, inputs, message):
    with pytest.raises(ValueError, match=message):
        trace(pair.discriminator, inputs, tokenizer=pair.tokenizer)


def test_a_text_without_a_tokenizer_is_refused(pair):
    with pytest.raises(ValueError, match="tokenizer="):
        trace(pair.discriminator, TEXT)


def test_choices_need_choices_and_as_many_each(heads, pair):
    model = heads["ElectraForMultipleChoice"]
    for inputs, message in (
        ("a dog", "choices"),
        ({"context": "a dog", "choices": []}, "choices"),
        (
            [{"context": "a", "choices": ["a"]}, {"context": "a", "choices": ["a", "the"]}],
            "1 to 2 choices",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            trace(model, inputs, tokenizer=pair.tokenizer)


def test_too_large_a_trace_is_refused_before_it_is_computed(pair, monkeypatch):
    needed = estimated_bytes(pair.discriminator, TEXT, tokenizer=pair.tokenizer)
    trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer, max_bytes=needed)

    def fail(*_, **__):
        raise AssertionError("it was computed")

    monkeypatch.setattr(ElectraForPreTraining, "forward", fail)
    with pytest.raises(MemoryError, match=f"max_bytes={needed}"):
        trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer, max_bytes=needed - 1)


def test_rows_that_are_not_there_are_refused(pair):
    found = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer)
    for call in (found.select, found.outcome):
        for row in (-1, 1):
            with pytest.raises(IndexError, match="rows are 0 to 0"):
                call(row)


def test_the_repr_is_short_and_stable(pair):
    found = trace(pair.discriminator, [TEXT, "a dog"], tokenizer=pair.tokenizer)
    assert repr(found) == (
        "Trace(ElectraForPreTraining: 2 rows of up to 9 tokens, 2 layers x 2 heads: "
        "[CLS] the chef cooked the dog ##s . ...)"
    )
    assert repr(found.layers[0]) == "LayerTrace(2 heads, 9 tokens)"


def test_scores_are_scaled_products(pair):
    layer = trace(pair.discriminator, TEXT, tokenizer=pair.tokenizer).layers[1]
    product = sum(
        a * b for a, b in zip(layer.queries[0, 1, 3], layer.keys[0, 1, 5], strict=True)
    ) / math.sqrt(16)
    torch.testing.assert_close(layer.scores[0, 1, 3, 5], product)
