"""A recipe: every number of a pre-training run, in one TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from electra_lab.checkpoints.hub import is_hub_id
from electra_lab.checkpoints.resources import data_path
from electra_lab.model.config import ElectraConfig

from .precision import PRECISIONS

MICROWORLD = "microworld"
CHOICES = {
    "initialization": ("normal", "fan_in"),
    "word_table": ("normal", "co_occurrence"),
    "position_table": ("normal", "sinusoidal"),
    "attention_start": ("normal", "matching"),
    "text_lines": ("paragraphs", "documents"),
    "precision": PRECISIONS,
}


@dataclass(frozen=True)
class Recipe:
    """The settings of ``pretrain``. The defaults are ELECTRA's own where it has them (paper, appendix
    A; google-research/electra, configure_pretraining.py); a recipe file states all that differs.

    Args:
        name: how the run is called.
        objective: one of ``objectives.OBJECTIVES``.
        text: what it is trained on: ``"microworld"``; or the path of a text file or a folder of them;
            or the name of a text data set on the hub (``owner/name``). For text that is no micro-world
            see ``text.corpus``.
        sentences: how many sentences of the micro-world are made for training.
        text_seed: seed of the world and its sentences; of text, of how it is cut into segments.
        text_lines: ``"paragraphs"``: a line of a text file is a paragraph, and an empty line ends a
            document; ``"documents"``: a line is a document.
        text_column: where the text of ``.jsonl`` files and hub data sets is; empty: it is found.
        text_config, text_split: subset and split of a hub data set; empty: its only subset.
        vocabulary_size: pieces in the vocabulary, special tokens counted.
        vocabulary_sample: characters of text, about, that the vocabulary is learned from: the beginning
            of each file, or of a hub data set.
        held_out: one document in so many is kept from training, to measure with; see
            ``text.corpus.held_out``. 0: none.
        max_length: longest sequence in tokens, [CLS] and [SEP] counted; longer ones are cut.
        pack: put several sequences in one row, as long as the longest of them; the same losses in
            less time where sequences are short, see ``batches.pack``.
        continue_from: a pair to go on with, as ``load_pair`` takes it, in place of random weights. Its
            tokenizer and its sizes are used, whatever the recipe says of them, and ``max_length`` is at
            most its number of positions: see ``of_pair``. Empty: none.
        embedding_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size,
            hidden_dropout_prob, attention_probs_dropout_prob, initializer_range: the discriminator;
            see ``ElectraConfig``.
        initialization: ``"normal"``: all weights with ``initializer_range``; ``"fan_in"``: linear layers
            with 1 / sqrt(number of inputs), which suits any width, tables with ``initializer_range``.
        generator_fraction: width of the generator as a share of the discriminator's.
        generator_heads: its attention heads; 0: as ``ElectraConfig.for_generator`` has it.
        word_table: ``"normal"``: drawn with ``initializer_range``; ``"co_occurrence"``: from which
            pieces stand together in the text (see ``initialization.co_occurrence_vectors``), and the
            generator's bias from how often each occurs.
        position_table: ``"normal"``, or ``"sinusoidal"``: see ``initialization``.
        attention_start: ``"normal"``, or ``"matching"``: see ``initialization.matching_attention``.
        soften_layers, soften_factor: so many of the discriminator's first layers have their queries and
            keys multiplied by the factor when a pair is gone on with; see
            ``continuing.soften_attention``.
        added_layers: so many layers are put on top of the discriminator of a pair that is gone on with;
            see ``continuing.deepened``.
        mask_probability: share of positions that are selected.
        mask_share: share of them that become [MASK]; the rest stays as it is.
        temperature: of the generator when it samples.
        sampling: ``"inverse_cdf"`` or ``"gumbel"``: the same distribution, the second is the plain
            way.
        unigram_share: of the replacements, so many are unigram noise in place of the generator's
            samples; see ``objectives.WithGenerator``. 0: none.
        rtd_weight: of the discriminator's loss beside the generator's.
        correction_weight: of a second loss of the discriminator, to name the original tokens; see
            ``objectives.Electra``. 0: none.
        steps, warmup_steps, batch_size: length of the run, steps until the peak learning rate,
            sequences in a batch.
        learning_rate: at its peak.
        muon_learning_rate: of the encoders' matrices, trained by ``optimization.Muon``; 0: by AdamW, as
            everything else.
        weight_decay, beta1, beta2, adam_eps, clip_norm: of AdamW and the gradient clipping.
        faithful: take over the authors' quirks: positions drawn with replacement, Adam without bias
            correction, a schedule that multiplies warm-up and decay, Glorot initialisation of the
            projection and of the discriminator's last layer.
        precision: ``"auto"``: bfloat16 on a GPU that computes in it, else float32; or one of the two.
        compiler: of ``torch.compile``, such as ``"inductor"``; empty: the step is not compiled. On a GPU
            it is faster after a minute or so; for short runs and on processors it is not worth it.
        seed: of initial weights, order of the text, masking, dropout and sampling.
        log_every, checkpoint_every: steps between two rows of the history, two checkpoints.
        snapshot_every: steps between two snapshots of the pair, which are kept beside each other in
            half precision, the first of them before training; see ``snapshots``. What is learned does
            not depend on it, and a run may be resumed with another. 0: none are kept.

    Raises:
        ValueError: a value is out of its range.
    """

    name: str = "unnamed"
    objective: str = "electra"
    text: str = MICROWORLD
    sentences: int = 20_000
    text_seed: int = 0
    text_lines: str = "paragraphs"
    text_column: str = ""
    text_config: str = ""
    text_split: str = "train"
    vocabulary_size: int = 1_000
    vocabulary_sample: int = 20_000_000
    held_out: int = 0
    max_length: int = 64
    pack: bool = True
    continue_from: str = ""
    embedding_size: int = 64
    hidden_size: int = 128
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    intermediate_size: int = 512
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    initialization: str = "normal"
    word_table: str = "normal"
    position_table: str = "normal"
    attention_start: str = "normal"
    soften_layers: int = 0
    soften_factor: float = 0.3
    added_layers: int = 0
    generator_fraction: float = 0.25
    generator_heads: int = 0
    mask_probability: float = 0.15
    mask_share: float = 0.85
    temperature: float = 1.0
    sampling: str = "inverse_cdf"
    unigram_share: float = 0.0
    rtd_weight: float = 50.0
    correction_weight: float = 0.0
    steps: int = 1_000
    warmup_steps: int = 100
    batch_size: int = 64
    learning_rate: float = 5e-4
    muon_learning_rate: float = 0.0
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    adam_eps: float = 1e-6
    clip_norm: float = 1.0
    faithful: bool = False
    precision: str = "auto"
    compiler: str = ""
    seed: int = 0
    log_every: int = 10
    checkpoint_every: int = 500
    snapshot_every: int = 0

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more.")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; use {' or '.join(map(repr, choices))}."
                )
        if self.held_out < 0 or self.held_out == 1:
            raise ValueError(
                f"held_out is {self.held_out}; one document in so many is held out, so it is 2 or more, "
                "or 0 for none."
            )
        for name in ("soften_layers", "added_layers", "snapshot_every"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 (none) or more.")
        if not 0 < self.soften_factor <= 1:
            raise ValueError(
                f"soften_factor is {self.soften_factor}; it must lie above 0 and be at most 1."
            )
        if not (self.text == MICROWORLD or is_hub_id(self.text) or _may_be_path(self.text)):
            raise ValueError(
                f"There is no text {self.text!r} to train on. Give the path of a text file or folder, "
                f"the name of a data set on the hub (owner/name), or {MICROWORLD!r}."
            )
        if not 0 <= self.warmup_steps <= self.steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps} of {self.steps} steps; it must lie between 0 "
                "and steps. Recipe.with_steps shortens both."
            )

    @classmethod
    def load(cls, name: str | Path) -> Recipe:
        """Read a recipe: the name of a shipped one (``"micro"``) or the path of a TOML file.

        Raises:
            FileNotFoundError: there is no such recipe.
            ValueError: the file is no TOML, has keys that no recipe has, or values out of range.
        """
        file = Path(name)
        if not file.is_file():
            file = data_path("recipes", f"{name}.toml")
        if not file.is_file():
            shipped = sorted(path.stem for path in data_path("recipes").glob("*.toml"))
            raise FileNotFoundError(
                f"There is no recipe {str(name)!r}: no file has this path, and the shipped recipes "
                f"are {', '.join(shipped)}."
            )
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{file} is not valid TOML: {error}.") from error
        try:
            return cls.from_dict({"name": file.stem, **values})
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Raises:
        ValueError: there are keys that no recipe has, or values of the wrong type or out of range.
        """
        known = {f.name: f for f in fields(cls)}
        unknown = sorted(values.keys() - known.keys())
        if unknown:
            raise ValueError(
                f"A recipe has no {', '.join(map(repr, unknown))}. It may have {', '.join(known)}."
            )
        return cls(
            **{name: _typed(name, value, known[name].type) for name, value in values.items()}
        )

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values."""
        return asdict(self)

    def with_steps(self, steps: int) -> Recipe:
        """The same recipe for another number of steps, with its share of warm-up."""
        return replace(
            self, steps=steps, warmup_steps=round(self.warmup_steps * steps / self.steps)
        )

    def of_pair(self, discriminator: ElectraConfig, generator: ElectraConfig) -> Recipe:
        """The same recipe with the sizes of a pair that is gone on with, so that it says what is so."""
        names = {f.name for f in fields(ElectraConfig)} & {f.name for f in fields(self)}
        positions = min(discriminator.max_position_embeddings, generator.max_position_embeddings)
        return replace(
            self,
            **{name: getattr(discriminator, name) for name in names},
            vocabulary_size=discriminator.vocab_size,
            max_length=min(self.max_length, positions),
            generator_fraction=generator.hidden_size / discriminator.hidden_size,
            generator_heads=generator.num_attention_heads,
        )

    def config(self, vocab_size: int, pad_token_id: int = 0) -> ElectraConfig:
        """The discriminator's configuration."""
        names = {f.name for f in fields(ElectraConfig)} & {f.name for f in fields(self)}
        return ElectraConfig(
            vocab_size=vocab_size,
            pad_token_id=pad_token_id,
            max_position_embeddings=self.max_length,
            **{name: getattr(self, name) for name in names},
        )

    def generator_config(self, config: ElectraConfig) -> ElectraConfig:
        """The generator's configuration, from the discriminator's."""
        generator = config.for_generator(self.generator_fraction)
        if self.generator_heads:
            generator = replace(generator, num_attention_heads=self.generator_heads)
        return generator


_TYPES: dict[Any, type] = {"str": str, "int": int, "float": float, "bool": bool}
_AT_LEAST_ONE = (
    "sentences",
    "steps",
    "batch_size",
    "log_every",
    "checkpoint_every",
    "max_length",
    "vocabulary_sample",
)


def _may_be_path(text: str) -> bool:
    """Whether this is a path, of something that may not be there now: shards that were made of it are
    enough to go on."""
    path = Path(text).expanduser()
    return path.exists() or len(path.parts) > 1


def _typed(name: str, value: Any, wanted: Any) -> Any:
    """The value, if it is of the field's type; TOML's 1 will do where 1.0 is meant."""
    if wanted == "float" and type(value) is int:
        return float(value)
    if type(value) is not _TYPES[wanted]:
        raise ValueError(f"{name} is {value!r}; a recipe needs a value of type {wanted} there.")
    return value
