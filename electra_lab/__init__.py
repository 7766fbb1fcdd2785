"""electra_lab: understand, train and debug ELECTRA.

Every public name is reachable as ``electra_lab.Name``. A name is imported when it is first used
(PEP 562), so that ``import electra_lab`` costs nothing that is not needed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("electra-lab")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

# module -> the public names it defines, in the order in which a reader meets them
_PUBLIC: dict[str, tuple[str, ...]] = {
    "text.tokenization": ("ElectraTokenizer", "ElectraTokenizerFast"),
    "text.vocabulary": ("read_vocabulary", "train_vocabulary", "write_vocabulary"),
    "text.microworld": ("MicroWorld", "minimal_pairs", "vocabulary_words"),
    "text.microworld.tasks": ("twin",),
    "text.tasks": (
        "BadRowError",
        "TaskData",
        "baseline_predictions",
        "bundled_tasks",
        "data_for",
        "load_task_data",
    ),
    "model.config": ("ElectraConfig",),
    "model.electra": ("ElectraModel", "tie_embeddings"),
    "model.heads": ("ElectraForMaskedLM", "ElectraForPreTraining"),
    "model.causal_lm": ("ElectraForCausalLM",),
    "model.task_heads": (
        "ElectraForMultipleChoice",
        "ElectraForQuestionAnswering",
        "ElectraForSequenceClassification",
        "ElectraForTokenClassification",
    ),
    "checkpoints.pair": ("Pair", "load_pair"),
    "checkpoints.convert": ("convert",),
    "inside.analysis": (
        "AttentionFocus",
        "ErrorReport",
        "ParsedSentence",
        "attention_focus",
        "calibrate",
        "find_errors",
        "fooled_tokens",
        "head_importance",
        "head_relations",
        "judge_corrupted",
        "microworld_sentences",
        "probe_layers",
        "read_conllu",
        "word_attention",
    ),
    "inside.predictions": ("propose", "replaced_probabilities"),
    "inside.scoring": ("pseudo_log_likelihoods", "score_sentences"),
    "inside.trace": (
        "InputXGradient",
        "IntegratedGradients",
        "PatchHidden",
        "ReplaceAttention",
        "SetEmbedding",
        "SwitchOffHeads",
        "Trace",
        "attention_rollout",
        "difference",
        "estimated_bytes",
        "logit_lens",
        "trace",
    ),
    "inside.views": (
        "AttentionView",
        "AttributionMap",
        "CalibrationChart",
        "ChangeChart",
        "Cloud",
        "FooledView",
        "Lattice",
        "ErrorView",
        "Projector",
        "ProposalChart",
        "ReplayView",
        "SpanChart",
        "TokenHeatMap",
        "TrainingChart",
        "display_mode",
        "head_view",
        "model_view",
        "neuron_view",
    ),
    "inside.explorers": (
        "AttentionExplorer",
        "CorruptionExplorer",
        "EmbeddingExplorer",
        "ErrorExplorer",
        "LiveTrainingChart",
        "MaskExplorer",
        "PredictionExplorer",
        "ReplacedTokenExplorer",
        "TrainingExplorer",
    ),
    "training.masking": ("mask_tokens", "replace_tokens", "select_positions"),
    "training.sampling": ("sample_gumbel", "sample_inverse_cdf"),
    "training.objectives": ("OBJECTIVES", "MaskedBatch", "make_objective"),
    "training.optimization": (
        "decay_groups",
        "layer_wise_groups",
        "linear_schedule",
        "make_optimizer",
    ),
    "training.state": ("Callback",),
    "training.loop": ("train",),
    "training.recipe": ("Recipe",),
    "training.pretraining": ("PretrainingResult", "pretrain"),
    "training.history": ("history_of",),
    "training.snapshots": ("snapshots_of",),
    "training.metrics": ("baseline_metrics", "score"),
    "training.finetuning_settings": ("FinetuningSettings",),
    "training.finetuning": (
        "FinetuningResult",
        "SeedsResult",
        "finetune",
        "finetune_seeds",
        "make_model",
    ),
    "exercises": ("check", "hint", "progress"),
    "pipelines": ("pipeline",),
    "auto": (
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
    ),
    "devices": ("default_device",),
}

_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(
            f"electra_lab has no name {name!r}. Its public names are: {', '.join(sorted(_MODULE_OF))}."
        )
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
