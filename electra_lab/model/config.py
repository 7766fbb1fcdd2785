"""The shape of a model: every number that the code in this package is built from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from torch import Tensor

# Sizes of the paper (Clark et al. 2020, appendix A, tables 6 and 7) and of the micro pair, which is
# small enough to be trained from nothing within a minute on two CPU cores.
PRESETS: dict[str, dict[str, int]] = {
    "micro": dict(
        embedding_size=64,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=64,
    ),
    "small": dict(
        embedding_size=128,
        hidden_size=256,
        num_hidden_layers=12,
        num_attention_heads=4,
        intermediate_size=1024,
    ),
    "base": dict(
        embedding_size=768,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
    ),
    "large": dict(
        embedding_size=1024,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
    ),
}

POSITION_TYPES = ("absolute", "relative_key", "relative_key_query")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")


@dataclass
class ElectraConfig:
    """Configuration of an ELECTRA model; names and defaults are those of transformers' documentation.

    The defaults describe the discriminator of ELECTRA-small.

    Args:
        vocab_size: number of pieces in the vocabulary.
        embedding_size: width of the embedding tables. Where it differs from ``hidden_size``, a linear
            projection follows the embeddings.
        hidden_size: width of the encoder.
        num_hidden_layers: number of encoder layers.
        num_attention_heads: attention heads per layer; must divide ``hidden_size``.
        intermediate_size: inner width of the feed-forward block.
        hidden_act: ``"gelu"`` (exact, by the error function), ``"relu"``, ``"silu"``, ``"gelu_new"``
            (the tanh approximation) or a callable on tensors.
        hidden_dropout_prob: dropout on embeddings and on the output of both blocks of a layer.
        attention_probs_dropout_prob: dropout on attention weights.
        max_position_embeddings: longest sequence, in tokens.
        type_vocab_size: number of segments (sentence A, sentence B).
        initializer_range: standard deviation of the truncated normal of fresh weights.
        layer_norm_eps: epsilon of LayerNorm.
        summary_type, summary_use_proj, summary_activation, summary_last_dropout: how a sequence is
            summed up as one vector by heads that choose between sequences.
        pad_token_id: id of [PAD]; its row of the word table starts at zero and stays there.
        position_embedding_type: ``"absolute"`` (one learned vector for each position),
            ``"relative_key"`` or ``"relative_key_query"`` (one for each distance, see
            ``RelativePositions``).
        use_cache: whether a decoder returns its keys and values.
        is_decoder: look only at what came before.
        add_cross_attention: every layer of a decoder also looks at another model's states.
        tie_word_embeddings: the generator's output table is its input table; always so here.
        pruned_heads: heads that are removed, by the number of their layer.
        classifier_dropout: dropout of task heads; None takes ``hidden_dropout_prob``.
        num_labels: number of classes of a task head; 1 stands for regression. Follows from
            ``id2label`` where that is given.
        id2label, label2id: names of the classes by number, and numbers by name. Default:
            ``LABEL_0``, ``LABEL_1`` ...
        problem_type: loss of sequence classification: ``"regression"``,
            ``"single_label_classification"`` or ``"multi_label_classification"``. None: told from
            ``num_labels`` and the labels' type at the first loss.
        output_attentions, output_hidden_states, return_dict: defaults of the arguments of the same
            name of every ``forward``.
        extra: keys of a config.json that this class does not know; kept and written back.

    Raises:
        ValueError: a size is not positive, the heads do not divide the width, or a name is unknown.
    """

    vocab_size: int = 30522
    embedding_size: int = 128
    hidden_size: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    hidden_act: str | Callable[[Tensor], Tensor] = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_last_dropout: float = 0.1
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    classifier_dropout: float | None = None
    is_decoder: bool = False
    add_cross_attention: bool = False
    tie_word_embeddings: bool = True
    pruned_heads: dict[int, list[int]] = field(default_factory=dict)
    num_labels: int | None = None
    id2label: dict[int, str] | None = None
    label2id: dict[str, int] | None = None
    problem_type: str | None = None
    output_attentions: bool = False
    output_hidden_states: bool = False
    return_dict: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = (
            "vocab_size",
            "embedding_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "type_vocab_size",
        )
        for name in sizes:
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be 1 or more.")
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} cannot be shared by {self.num_attention_heads} "
                "attention heads. Choose a num_attention_heads that divides hidden_size."
            )
        if self.position_embedding_type not in POSITION_TYPES:
            raise ValueError(
                f"position_embedding_type {self.position_embedding_type!r} is not supported; "
                f"expected one of {', '.join(POSITION_TYPES)}."
            )
        if self.add_cross_attention and not self.is_decoder:
            raise ValueError(
                "add_cross_attention is for decoders, but is_decoder is False. Set both, or neither."
            )
        if not self.tie_word_embeddings:
            raise ValueError(
                "tie_word_embeddings is False. ELECTRA's generator has no output table of its own "
                "(paper, section 3.2); leave it True."
            )
        if self.pad_token_id is not None and not 0 <= self.pad_token_id < self.vocab_size:
            raise ValueError(
                f"pad_token_id {self.pad_token_id} lies outside a vocabulary of {self.vocab_size} "
                f"pieces. Give an id from 0 to {self.vocab_size - 1}, or None."
            )
        if self.problem_type not in (None, *PROBLEM_TYPES):
            raise ValueError(
                f"problem_type is {self.problem_type!r}; expected {', '.join(PROBLEM_TYPES)} or None."
            )
        self._settle_labels()

    def _settle_labels(self) -> None:
        """Bring number, names and name -> number of the labels into agreement."""
        if self.id2label is None:
            count = 2 if self.num_labels is None else self.num_labels
            self.id2label = {i: f"LABEL_{i}" for i in range(count)}
        if self.num_labels not in (None, len(self.id2label)):
            raise ValueError(
                f"num_labels is {self.num_labels}, but id2label names {len(self.id2label)} labels. "
                "Give one of the two."
            )
        self.num_labels = len(self.id2label)
        if self.label2id is None:
            self.label2id = {label: i for i, label in self.id2label.items()}

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> ElectraConfig:
        """A discriminator of a named size: ``micro``, ``small``, ``base`` or ``large``.

        Raises:
            ValueError: there is no preset of that name.
        """
        if name not in PRESETS:
            raise ValueError(
                f"There is no preset {name!r}. The presets are {', '.join(PRESETS)}; "
                "for another size give its numbers to ElectraConfig(...)."
            )
        return cls(**{**PRESETS[name], **changes})

    @classmethod
    def from_pretrained(cls, name: str | Path, **changes: Any) -> ElectraConfig:
        """The configuration of a checkpoint: a bundled name, a folder, or a hub id.

        Args:
            changes: fields to set differently, or ``revision``, ``token``, ``cache_dir``,
                ``local_files_only`` of a hub checkpoint.

        Raises:
            FileNotFoundError: no such checkpoint, or it has no ``config.json``.
            ValueError: the file is not a configuration of ELECTRA.
        """
        from electra_lab.checkpoints.store import load_config

        return load_config(name, **changes)

    def for_generator(self, fraction: float = 1 / 4) -> ElectraConfig:
        """The generator that goes with this discriminator.

        The depth and the embedding size stay; hidden size, feed-forward width and heads shrink by
        ``fraction`` (google-research/electra, run_pretraining.py). The paper's figure 3 finds a
        quarter to a half best; 1/4 is what small and large use, base uses 1/3. Heads keep a width of
        64 where the generator is wide enough for it.

        Raises:
            ValueError: ``fraction`` is not in (0, 1], or leaves no whole head.
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction is {fraction}; it must be above 0 and at most 1.")
        hidden_size = round(fraction * self.hidden_size)
        heads = max(1, hidden_size // 64)
        if hidden_size < 1 or hidden_size % heads:
            raise ValueError(
                f"A generator of {fraction:g} times {self.hidden_size} would be {hidden_size} wide, "
                f"which {heads} heads cannot share. Choose another fraction."
            )
        return replace(
            self,
            hidden_size=hidden_size,
            intermediate_size=4 * hidden_size,
            num_attention_heads=heads,
            extra=copy.deepcopy(self.extra),
        )

    def to_dict(self) -> dict[str, Any]:
        """The content of a config.json, in Hugging Face's names.

        Raises:
            ValueError: ``hidden_act`` is a callable, which no file can hold.
        """
        if not isinstance(self.hidden_act, str):
            raise ValueError(
                f"hidden_act is the callable {self.hidden_act!r}, which config.json cannot hold. "
                "Use one of the named activations to save this model."
            )
        values = asdict(self)
        extra = values.pop("extra")
        del values["num_labels"]  # files hold the names of the labels; their number follows
        return {**extra, "model_type": "electra", **values}

    @classmethod
    def from_dict(
        cls, values: dict[str, Any], changes: dict[str, Any] | None = None
    ) -> ElectraConfig:
        """The configuration in a config.json; keys that are not fields here are kept in ``extra``.

        Args:
            changes: fields to set differently. Another ``num_labels`` than the file's makes its names
                of labels void, as in transformers: a fine-tuned head is to learn another task.

        Raises:
            ValueError: the file is that of another kind of model, or a value does not fit.
        """
        changes = changes or {}
        count = changes.get("num_labels")
        if count not in (None, len(values.get("id2label") or ())):
            values = {key: v for key, v in values.items() if key not in ("id2label", "label2id")}
        values = {**values, **changes}
        model_type = values.get("model_type", "electra")
        if model_type != "electra":
            raise ValueError(
                f"This configuration is of model_type {model_type!r}; an ELECTRA model has 'electra'."
            )
        known = {f.name for f in fields(cls)} - {"extra"}
        ours = {key: value for key, value in values.items() if key in known}
        extra = {k: v for k, v in values.items() if k not in known and k != "model_type"}
        for name in ("id2label", "pruned_heads"):  # the keys of a JSON object are text
            if ours.get(name) is not None:
                ours[name] = {int(key): value for key, value in ours[name].items()}
        return cls(**ours, extra=extra)
