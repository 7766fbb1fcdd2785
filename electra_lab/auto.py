"""The Auto names of transformers. There is one kind of model here, so each stands for one class."""

from .model.causal_lm import ElectraForCausalLM as AutoModelForCausalLM
from .model.config import ElectraConfig as AutoConfig
from .model.electra import ElectraModel as AutoModel
from .model.heads import ElectraForMaskedLM as AutoModelForMaskedLM
from .model.heads import ElectraForPreTraining as AutoModelForPreTraining
from .model.task_heads import ElectraForMultipleChoice as AutoModelForMultipleChoice
from .model.task_heads import ElectraForQuestionAnswering as AutoModelForQuestionAnswering
from .model.task_heads import (
    ElectraForSequenceClassification as AutoModelForSequenceClassification,
)
from .model.task_heads import ElectraForTokenClassification as AutoModelForTokenClassification
from .text.tokenization import ElectraTokenizerFast as AutoTokenizer

__all__ = [
    "AutoConfig",
    "AutoModel",
    "AutoModelForCausalLM",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForPreTraining",
    "AutoModelForQuestionAnswering",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoTokenizer",
]
