"""The Auto names stand for the classes that transformers' Auto names find for ELECTRA."""

import pytest
import transformers

import electra_lab
from electra_lab import auto


@pytest.mark.parametrize("name", [name for name in auto.__all__ if name.startswith("AutoModel")])
def test_auto_models_are_those_of_transformers(name):
    config = transformers.ElectraConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, is_decoder=True
    )
    expected = type(getattr(transformers, name).from_config(config)).__name__
    assert getattr(electra_lab, name).__name__ == expected
