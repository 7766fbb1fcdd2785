"""A pair that is small, random and knows a few words."""

import pytest
import torch

from electra_lab.checkpoints.pair import Pair
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.text.tokenization import ElectraTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NOUNS = ["chef", "meal", "house", "dog", "##s"]
WORDS = ["the", "a", "old", "in", "cooked", "ate", "made", "slept", ",", ".", *NOUNS]


@pytest.fixture
def pair():
    config = ElectraConfig(
        vocab_size=len(SPECIAL + WORDS),
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        initializer_range=0.3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator, discriminator = ElectraForMaskedLM(config), ElectraForPreTraining(config)
    return Pair(generator.eval(), discriminator.eval(), ElectraTokenizerFast(vocab=SPECIAL + WORDS))


@pytest.fixture
def heads(pair):
    """A small, random model of every head, by the name of its class."""
    from dataclasses import replace

    from electra_lab.checkpoints.parameter_names import HEAD_NAMES
    from electra_lab.inside.trace.live import CLASSES

    names = {0: "bad", 1: "fair", 2: "good"}
    config = replace(pair.discriminator.config, num_labels=3, id2label=names, label2id=None)
    models = {}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for name in HEAD_NAMES:
            changed = replace(config, is_decoder=name == "ElectraForCausalLM")
            if name == "ElectraForQuestionAnswering":
                changed = pair.discriminator.config
            models[name] = CLASSES[name](changed).eval()
    return models
