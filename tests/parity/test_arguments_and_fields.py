"""Every documented argument of every model, and every field of ElectraConfig, against transformers.

What only transformers 4.37 can compute (head masks, a mask for each query, caches as tuples, pruned
heads) comes from fixtures that fixtures/make.py made with it.
"""

import copy
import inspect
import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file

import electra_lab

from .comparing import SIZES, assert_same, random_checkpoint

FIXTURES = Path(__file__).parent / "fixtures"
HEADS = [
    "ElectraModel",
    "ElectraForPreTraining",
    "ElectraForMaskedLM",
    "ElectraForCausalLM",
    "ElectraForSequenceClassification",
    "ElectraForMultipleChoice",
    "ElectraForTokenClassification",
    "ElectraForQuestionAnswering",
]
IDS = torch.randint(1, 60, (3, 9), generator=torch.Generator().manual_seed(1))
MASK = torch.tensor([[1] * 9, [1] * 7 + [0] * 2, [1] * 4 + [0] * 5])
ARGUMENTS = {
    "attention_mask": dict(attention_mask=MASK),
    "token_type_ids": dict(token_type_ids=IDS % 2),
    "position_ids": dict(position_ids=torch.arange(20, 29).flip(0).expand(3, 9)),
    "inputs_embeds": dict(
        input_ids=None,
        inputs_embeds=torch.randn(3, 9, 16, generator=torch.Generator().manual_seed(2)),
    ),
    "output_hidden_states": dict(output_hidden_states=True),
    "output_attentions": dict(output_attentions=True),
    "return_dict": dict(return_dict=False),
    "return_dict with all": dict(
        return_dict=False, output_hidden_states=True, output_attentions=True
    ),
}


def theirs_and_ours(head, folder, **changes):
    """transformers' model and ours of the same weights; theirs written out, so that it has
    attention weights."""
    if head == "ElectraForCausalLM":
        changes.setdefault("is_decoder", True)
    theirs = random_checkpoint(head, folder, attention="eager", **{"vocab_size": 60, **changes})
    return theirs, getattr(electra_lab, head).from_pretrained(folder)


def inputs_of(head, arguments):
    """Arguments in the form that a head takes: multiple choice has one more axis."""
    inputs = {"input_ids": IDS, **arguments}
    if head == "ElectraForMultipleChoice":
        inputs = {
            name: value[None] if isinstance(value, torch.Tensor) else value
            for name, value in inputs.items()
        }
    return inputs


def plain(value):
    """Outputs as lists and dictionaries. Of a cache only the length: the tests of the decoder look
    into it. Without cross-attention transformers 5 hands out an empty tuple of its weights, older
    versions and we nothing."""
    if hasattr(value, "get_seq_length"):
        return value.get_seq_length()
    if isinstance(value, tuple | list):
        return [plain(one) for one in value if not _is_empty(one)]
    if hasattr(value, "items"):
        return {name: plain(one) for name, one in value.items() if not _is_empty(one)}
    return value


def _is_empty(value):
    return isinstance(value, tuple) and value == ()


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("head", HEADS)
def test_every_argument_changes_the_output_as_in_transformers(head, arguments, tmp_path):
    theirs, ours = theirs_and_ours(head, tmp_path)
    inputs = inputs_of(head, ARGUMENTS[arguments])
    with torch.no_grad():
        expected, got = plain(theirs(**inputs)), plain(ours(**inputs))
    if arguments == "attention_mask" and head not in (
        "ElectraForSequenceClassification",
        "ElectraForMultipleChoice",
    ):  # what is computed at padding means nothing
        real = MASK.bool()
        for output in (expected, got):
            for name, value in output.items():
                if isinstance(value, torch.Tensor) and value.shape[:2] == real.shape:
                    output[name] = value[real]
    assert_same(got, expected)


@pytest.mark.parametrize("head", HEADS)
def test_arguments_stand_in_the_order_of_transformers(head):
    theirs = list(inspect.signature(getattr(transformers, head).forward).parameters)[1:-1]
    ours = list(inspect.signature(getattr(electra_lab, head).forward).parameters)[1:]
    older = {"cache_position", "head_mask"}  # no longer in transformers
    assert [name for name in ours if name not in older][: len(theirs)] == theirs


@pytest.mark.parametrize("name", ["output_attentions", "output_hidden_states", "return_dict"])
@pytest.mark.parametrize("head", ["ElectraModel", "ElectraForTokenClassification"])
def test_the_configuration_says_what_is_returned_where_the_call_does_not(head, name, tmp_path):
    _, ours = theirs_and_ours(head, tmp_path)
    asked = ours(IDS, **{name: name != "return_dict"})
    setattr(ours.config, name, name != "return_dict")
    ours.save_pretrained(tmp_path)
    for model in (ours, type(ours).from_pretrained(tmp_path)):
        assert type(model(IDS)) is type(asked)
        assert_same(plain(model(IDS)), plain(asked))


FIELDS = {
    "vocab_size": 75,
    "embedding_size": 32,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 12,
    "type_vocab_size": 4,
    "layer_norm_eps": 0.3,
    "pad_token_id": 7,
    "hidden_act relu": "relu",
    "hidden_act silu": "silu",
    "hidden_act gelu_new": "gelu_new",
    "hidden_act tanh": "tanh",
    "summary_type": "mean",
    "summary_use_proj": False,
    "summary_activation relu": "relu",
    "summary_activation tanh": "tanh",
    "summary_activation none": "",
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("head", ["ElectraForMaskedLM", "ElectraForMultipleChoice"])
def test_every_field_of_the_configuration_acts_as_in_transformers(head, field, tmp_path):
    name = field.split()[0]
    theirs, ours = theirs_and_ours(head, tmp_path, **{name: FIELDS[field]})
    assert getattr(ours.config, name) == FIELDS[field]
    types = torch.arange(9).expand(3, 9) % theirs.config.type_vocab_size
    inputs = inputs_of(head, dict(attention_mask=MASK, token_type_ids=types))
    with torch.no_grad():
        expected, got = theirs(**inputs).logits, ours(**inputs).logits
    if head == "ElectraForMaskedLM":
        expected, got = expected[MASK.bool()], got[MASK.bool()]
    assert_same(got, expected)
    _, usual = theirs_and_ours(head, tmp_path / "usual")
    same_shape = {n: tuple(p.shape) for n, p in usual.named_parameters()} == {
        n: tuple(p.shape) for n, p in ours.named_parameters()
    }
    if same_shape and name not in ("num_attention_heads", "pad_token_id"):
        plain_inputs = inputs_of(head, dict(attention_mask=MASK, token_type_ids=types))
        summary_of_a_generator = name.startswith("summary") and head == "ElectraForMaskedLM"
        with torch.no_grad():
            unchanged = torch.equal(ours(**plain_inputs).logits, usual(**plain_inputs).logits)
        assert unchanged == summary_of_a_generator


# Dropping everything is the one strength at which training is not random.
DROPOUTS = {
    "ElectraForMaskedLM": ["hidden_dropout_prob", "attention_probs_dropout_prob"],
    "ElectraForSequenceClassification": ["classifier_dropout", "hidden_dropout_prob"],
    "ElectraForTokenClassification": ["classifier_dropout", "hidden_dropout_prob"],
    "ElectraForQuestionAnswering": ["classifier_dropout", "hidden_dropout_prob"],
    "ElectraForMultipleChoice": ["summary_last_dropout", "attention_probs_dropout_prob"],
}


@pytest.mark.parametrize(("head", "field"), [(h, f) for h in DROPOUTS for f in DROPOUTS[h]])
def test_dropout_lies_where_it_lies_in_transformers(head, field, tmp_path):
    none = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, summary_last_dropout=0.0)
    theirs, ours = theirs_and_ours(head, tmp_path, **{**none, field: 1.0})
    ours.set_attn_implementation("eager")
    inputs = inputs_of(head, {})
    with torch.no_grad():
        at_rest = plain(ours(**inputs))
        expected, got = plain(theirs.train()(**inputs)), plain(ours.train()(**inputs))
    assert_same(got, expected)
    name = next(iter(at_rest))
    acts = (head, field) != ("ElectraForQuestionAnswering", "classifier_dropout")
    assert acts != torch.allclose(got[name], at_rest[name])


def test_fresh_weights_follow_initializer_range():
    for std in (0.02, 0.3):
        config = electra_lab.ElectraConfig(**{**SIZES, "hidden_size": 256}, initializer_range=std)
        weight = electra_lab.ElectraModel(config).encoder.layers[0].attention.query.weight
        assert weight.abs().max() <= 2 * std
        assert weight.std().item() == pytest.approx(0.8796 * std, rel=0.02)


@pytest.mark.parametrize("name", ["relu", "silu"])
def test_a_callable_activation_acts_as_the_one_of_its_name(name):
    outputs = []
    for activation in (name, getattr(torch.nn.functional, name)):
        torch.manual_seed(0)
        config = electra_lab.ElectraConfig(**SIZES, vocab_size=60, hidden_act=activation)
        outputs.append(electra_lab.ElectraForPreTraining(config).eval()(IDS).logits)
    assert torch.equal(*outputs)


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("asked", [None, True, False])
def test_a_decoder_returns_its_cache_when_transformers_does(use_cache, asked, tmp_path):
    theirs, ours = theirs_and_ours("ElectraForCausalLM", tmp_path, use_cache=use_cache)
    assert ours.config.use_cache is use_cache
    caches = [model(IDS, use_cache=asked).past_key_values for model in (theirs, ours)]
    assert len({cache is None for cache in caches}) == 1
    if caches[1] is not None:
        assert caches[1].get_seq_length() == caches[0].get_seq_length() == 9
        for i in range(2):
            assert_same(caches[1][i][0], caches[0].layers[i].keys)
            assert_same(caches[1][i][1], caches[0].layers[i].values)


@pytest.mark.parametrize("head", ["ElectraModel", "ElectraForCausalLM"])
def test_cross_attention_looks_at_the_states_that_transformers_looks_at(head, tmp_path):
    theirs, ours = theirs_and_ours(head, tmp_path, is_decoder=True, add_cross_attention=True)
    source = torch.randn(3, 5, 32, generator=torch.Generator().manual_seed(3))
    inputs = dict(
        input_ids=IDS,
        encoder_hidden_states=source,
        encoder_attention_mask=torch.tensor([[1] * 5, [1, 1, 0, 1, 0], [0, 0, 0, 0, 1]]),
        output_attentions=True,
    )
    with torch.no_grad():
        expected, got = plain(theirs(**inputs)), plain(ours(**inputs))
    assert expected["cross_attentions"]
    assert_same(got, expected)


@pytest.mark.parametrize("head", HEADS)
def test_parameters_are_counted_as_in_transformers(head, tmp_path):
    theirs, ours = theirs_and_ours(head, tmp_path)
    for model in (theirs, ours):
        bare = getattr(model, "electra", model)
        for parameter in bare.embeddings.parameters():
            parameter.requires_grad_(False)
    assert ours.num_parameters() == theirs.num_parameters()
    assert ours.num_parameters(only_trainable=True) == theirs.num_parameters(only_trainable=True)
    ours.tie_weights()
    assert ours.num_parameters() == theirs.num_parameters()


@pytest.mark.parametrize("head", ["ElectraForMaskedLM", "ElectraForCausalLM"])
@pytest.mark.parametrize("size", [40, 60, 70])
def test_a_resized_vocabulary_answers_as_transformers_with_the_same_new_rows(head, size, tmp_path):
    theirs, ours = theirs_and_ours(head, tmp_path)
    ours.resize_token_embeddings(size)
    table = theirs.resize_token_embeddings(size, mean_resizing=False)
    with torch.no_grad():  # new rows are random in both
        table.weight.copy_(ours.get_input_embeddings().weight)
        assert_same(ours(IDS % 40).logits, theirs(IDS % 40).logits)
    assert ours.config.vocab_size == theirs.config.vocab_size == size
    assert [tuple(p.shape) for p in ours.parameters() if size in p.shape] != []


@pytest.mark.filterwarnings("ignore:.*has no head for")
def test_a_number_of_labels_given_at_loading_is_taken_as_in_transformers(tmp_path):
    head = "ElectraForSequenceClassification"
    random_checkpoint("ElectraForPreTraining", tmp_path / "bare", vocab_size=60)
    named = dict(id2label={0: "no", 1: "yes", 2: "perhaps"}, vocab_size=60)
    random_checkpoint(head, tmp_path / "named", **named)
    electra_lab.ElectraForSequenceClassification.from_pretrained(
        tmp_path / "named"
    ).save_pretrained(tmp_path / "ours")
    for folder, count in (("bare", 5), ("named", 3), ("ours", 3)):
        models = [
            getattr(library, head).from_pretrained(tmp_path / folder, num_labels=count)
            for library in (transformers, electra_lab)
        ]
        for name in ("num_labels", "id2label"):
            assert getattr(models[1].config, name) == getattr(models[0].config, name), name
        assert models[1](IDS).logits.shape == (3, count)
    configs = [
        library.ElectraConfig.from_pretrained(tmp_path / "named", num_labels=5)
        for library in (transformers, electra_lab)
    ]
    assert configs[1].id2label == configs[0].id2label
    assert configs[1].label2id == configs[0].label2id


# ---- transformers 4.37 ----


def fixture(name):
    """The tensors of a fixture, its model and the tensors that it should give."""
    folder = FIXTURES / name
    head = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    tensors = load_file(folder / "expected.safetensors")
    inputs = {k.removeprefix("in."): v for k, v in tensors.items() if k.startswith("in.")}
    expected = {k: v for k, v in tensors.items() if not k.startswith("in.")}
    return getattr(electra_lab, head).from_pretrained(folder), inputs, expected


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("head", HEADS)
def test_head_masks_and_masks_per_query_equal_transformers_4_37(head, implementation):
    model, inputs, expected = fixture(head)
    model.set_attn_implementation(implementation)
    for case in ("plain", "head_mask", "mask_per_query", "both"):
        arguments = {"input_ids": inputs["input_ids"]}
        if case in ("head_mask", "both"):
            arguments["head_mask"] = inputs["head_mask"]
        if case in ("mask_per_query", "both"):
            arguments["attention_mask"] = inputs["mask_per_query"]
        with torch.no_grad():
            output = model(**arguments)
        first = "start_logits" if head == "ElectraForQuestionAnswering" else next(iter(output))
        assert_same(output[first], expected[case])
    assert len({tuple(expected[case].flatten().tolist()) for case in expected}) == 4


def test_a_cache_that_transformers_4_37_made_is_gone_on_from():
    model, inputs, expected = fixture("cross")
    layers = model.config.num_hidden_layers
    past = tuple(tuple(inputs[f"past.{i}.{j}"] for j in range(4)) for i in range(layers))
    # the cache holds what was computed of the source: it is not looked at again
    for source in (inputs["source"], torch.zeros_like(inputs["source"])):
        with torch.no_grad():
            output = model(
                inputs["new_ids"],
                encoder_hidden_states=source,
                encoder_attention_mask=inputs["source_mask"],
                past_key_values=past,
            )
        assert_same(output.logits, expected["logits"])
    for i, entry in enumerate(output.past_key_values.to_tuple()):
        assert_same(list(entry), [expected[f"past.{i}.{j}"] for j in range(4)])


def test_heads_that_transformers_4_37_pruned_stay_away_and_more_can_go():
    model, inputs, expected = fixture("pruned")
    assert model.config.pruned_heads == {0: [1], 1: [0, 2]}
    with torch.no_grad():
        assert_same(model(inputs["input_ids"]).logits, expected["logits"])
        again = copy.deepcopy(model)
        again.electra.prune_heads({0: [0]})
        assert_same(again(inputs["input_ids"]).logits, expected["logits after more"])
