"""Live models of transformers: their own parameters, and no others than ELECTRA's."""

import pytest
import torch
import transformers
from torch import nn

from electra_lab.checkpoints.parameter_names import to_hugging_face
from electra_lab.inside.trace import IntegratedGradients, SwitchOffHeads, estimated_bytes, trace
from electra_lab.inside.trace.live import own_model

TEXT = "The chef cooked the dogs."
INPUTS = {
    "ElectraForQuestionAnswering": ("the dog", "a meal"),
    "ElectraForMultipleChoice": {"context": "the dog", "choices": ["ate", "slept in the house"]},
}


@pytest.fixture
def live(heads, tmp_path):
    def live(name, **options):
        heads[name].save_pretrained(tmp_path)
        return getattr(transformers, name).from_pretrained(tmp_path, **options)

    return live


@pytest.mark.parametrize(
    "name",
    [
        "ElectraModel",
        "ElectraForPreTraining",
        "ElectraForMaskedLM",
        "ElectraForCausalLM",
        "ElectraForSequenceClassification",
        "ElectraForTokenClassification",
        "ElectraForQuestionAnswering",
        "ElectraForMultipleChoice",
    ],
)
def test_a_live_model_is_traced_with_its_own_parameters(heads, pair, live, name):
    theirs = live(name)
    inputs = INPUTS.get(name, [TEXT, "a dog"])
    found = trace(theirs, inputs, tokenizer=pair.tokenizer)
    expected = trace(heads[name], inputs, tokenizer=pair.tokenizer)
    assert found.tensors().keys() == expected.tensors().keys()
    for key, tensor in expected.tensors().items():
        torch.testing.assert_close(found.tensors()[key], tensor, atol=1e-6, rtol=1e-5)
    assert found.labels == expected.labels
    table = dict(theirs.named_parameters())
    own = own_model(theirs)
    for key, parameter in own.named_parameters():
        assert parameter.data_ptr() == table[to_hugging_face(key, name)].data_ptr()
    assert estimated_bytes(theirs, inputs, tokenizer=pair.tokenizer) == found.nbytes


def test_what_is_trained_in_the_live_model_shows_at_once(pair, live):
    theirs = live("ElectraForPreTraining")
    before = trace(theirs, TEXT, tokenizer=pair.tokenizer)
    with torch.no_grad():
        theirs.discriminator_predictions.dense_prediction.bias += 3
    after = trace(theirs, TEXT, tokenizer=pair.tokenizer)
    torch.testing.assert_close(after.logits, before.logits + 3)


def test_a_live_model_is_left_as_it_was(pair, live):
    theirs = live("ElectraForPreTraining", attn_implementation="sdpa").train()
    theirs.electra.embeddings.eval()
    modes = [module.training for module in theirs.modules()]
    values = {name: value.clone() for name, value in theirs.state_dict().items()}
    found = trace(
        theirs,
        TEXT,
        tokenizer=pair.tokenizer,
        interventions=[SwitchOffHeads(0)],
        gradients=IntegratedGradients(position=1, steps=2),
    )
    assert [module.training for module in theirs.modules()] == modes
    assert theirs.config._attn_implementation == "sdpa"
    assert all(p.grad is None and p.requires_grad for p in theirs.parameters())
    assert all(torch.equal(values[name], value) for name, value in theirs.state_dict().items())
    assert found.interventions


def test_a_model_that_says_something_else_is_refused(pair, live):
    theirs = live("ElectraForPreTraining")
    theirs.electra.encoder.layer[0].register_forward_hook(lambda *args: args[-1] * 1.5)
    with pytest.raises(ValueError, match="does not say what its parameters say"):
        trace(theirs, TEXT, tokenizer=pair.tokenizer)


class Adapter(nn.Linear):
    pass


class Modified(transformers.ElectraForPreTraining):
    pass


def test_modified_architectures_are_refused_by_name(pair, live):
    theirs = live("ElectraForPreTraining")
    theirs.electra.encoder.layer[1].adapter = nn.Linear(32, 32)
    with pytest.raises(TypeError, match=r"electra\.encoder\.layer\.1\.adapter is a .*Linear"):
        trace(theirs, TEXT, tokenizer=pair.tokenizer)
    theirs = live("ElectraForPreTraining")
    theirs.electra.encoder.layer[0].attention.self.query = Adapter(32, 32)
    with pytest.raises(TypeError, match=r"attention\.self\.query is a .*Adapter, expected a torch"):
        trace(theirs, TEXT, tokenizer=pair.tokenizer)
    theirs = live("ElectraForPreTraining")
    theirs.extra = nn.Parameter(torch.zeros(1))
    with pytest.raises(TypeError, match="parameters that ELECTRA has not: extra"):
        trace(theirs, TEXT, tokenizer=pair.tokenizer)
    theirs = live("ElectraForPreTraining")
    theirs.electra.embeddings_project = None
    with pytest.raises(TypeError, match=r"embeddings_project is nothing"):
        trace(theirs, TEXT, tokenizer=pair.tokenizer)
    with pytest.raises(TypeError, match=r"Cannot trace a .*\.Modified\. Expected"):
        trace(Modified(theirs.config), TEXT, tokenizer=pair.tokenizer)


def test_other_models_are_refused_by_name(pair):
    bert = transformers.BertModel(
        transformers.BertConfig(
            vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1
        )
    )
    for model, name in ((bert, "BertModel"), (nn.Linear(2, 2), "Linear"), ("micro", "str")):
        with pytest.raises(TypeError, match=rf"Cannot trace a .*\.{name}\. Expected an ELECTRA"):
            trace(model, TEXT, tokenizer=pair.tokenizer)
