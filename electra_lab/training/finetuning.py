"""Fine-tuning, put together: labelled data -> examples -> a model with a head -> loop -> figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import electra_lab
from electra_lab.checkpoints.atomic import atomic_file
from electra_lab.checkpoints.resources import bundled_checkpoints
from electra_lab.devices import default_device
from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import ElectraModel
from electra_lab.model.pretrained import PreTrainedModel
from electra_lab.pipelines.base import Tokenizer
from electra_lab.text.tasks import load_task_data
from electra_lab.text.tasks.schema import TaskData, TaskType
from electra_lab.text.tokenization import ElectraTokenizerFast

from .checkpoint import random_states, set_random_states
from .distributed import Ranks
from .examples import Examples, LengthBuckets, encode
from .finetuning_settings import FinetuningSettings
from .initialization import fan_in_initialisation
from .loop import checkpoint_file, train
from .metrics import (
    Metrics,
    baseline_metrics,
    best_threshold,
    main_metric,
    mean_and_spread,
    score,
)
from .optimization import linear_schedule, make_optimizer
from .predicting import Predictions, predict
from .state import Row, TrainingState
from .task_loss import TaskLoss, class_weights, target_range
from .validation import with_validation

MODEL_CLASSES: dict[TaskType, str] = {
    "sequence_classification": "ElectraForSequenceClassification",
    "token_classification": "ElectraForTokenClassification",
    "question_answering": "ElectraForQuestionAnswering",
    "multiple_choice": "ElectraForMultipleChoice",
}
BEST_FILE = "best.safetensors"
RESULT_FILE = "finetuning.json"
ROWS_PER_EPOCH = 5
"""Rows of the history for each epoch, where it has as many steps."""


@dataclass
class FinetuningResult:
    """What ``finetune`` returns.

    Attributes:
        model: in evaluation mode, with the weights of the best epoch.
        tokenizer: what it reads with.
        data: what it learned from, with the validation split that was used.
        settings: what it was made with.
        metrics: on the test split, see ``metrics.score``. For questions some of which have no answer
            also ``no_answer_threshold``, chosen on the validation split, and with it
            ``exact_match_at_threshold`` and ``f1_at_threshold``.
        predictions: for each row of test, as ``baseline_predictions`` gives them.
        n_best: of each question of test its answers, the best first; None for other tasks.
        history: see ``state.TrainingState``; each epoch's last row has ``epoch`` and the figures of the
            validation split.
        best_step: after which the weights are those kept.
        cut: of each split, how many rows lost their end because they were too long.
        seconds: of training and its evaluations, over all resumes.
        source: name of the model that it started from.
        from_scratch: whether only its shape and tokenizer were taken.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    data: TaskData
    settings: FinetuningSettings
    metrics: Metrics
    predictions: list[Any]
    n_best: list[list[dict[str, Any]]] | None
    history: list[Row]
    best_step: int
    cut: dict[str, int]
    seconds: float
    source: str
    from_scratch: bool

    @cached_property
    def baselines(self) -> dict[str, Metrics]:
        """What the simplest rules reach on the same test split, learned from the same rows as the model
        and those it was validated by."""
        return baseline_metrics(_with_all_of_train(self.data))

    @property
    def main_metric(self) -> str:
        """The figure that decides."""
        return main_metric(self.data)

    def table(self) -> str:
        """The model's figures beside those of the baselines, as text."""
        kinds = [name for name in self.metrics if "threshold" not in name]
        rows = {
            **self.baselines,
            "from scratch" if self.from_scratch else "fine-tuned": self.metrics,
        }
        first = max(map(len, rows))
        lines = [" " * first + "".join(f"  {kind:>9}" for kind in kinds)]
        for title, metrics in rows.items():
            cells = (
                f"  {f'{metrics[kind]:.3f}' if kind in metrics else '':>{max(9, len(kind))}}"
                for kind in kinds
            )
            lines.append(f"{title:{first}}" + "".join(cells))
        return "\n".join(line.rstrip() for line in lines)

    def __repr__(self) -> str:
        return (
            f"FinetuningResult({self.data.name}, {self.source}"
            f"{' from scratch' if self.from_scratch else ''}: "
            f"{self.main_metric} {self.metrics[self.main_metric]:.3f} on {len(self.data.test)} rows)"
        )


@dataclass
class SeedsResult:
    """What ``finetune_seeds`` returns.

    Attributes:
        results: one for each seed.
        mean, spread: of each figure; the spread is the standard deviation of a sample (n - 1).
    """

    results: list[FinetuningResult]
    mean: Metrics
    spread: Metrics

    def __repr__(self) -> str:
        name = self.results[0].main_metric
        return (
            f"SeedsResult({self.results[0].data.name}, {len(self.results)} seeds: "
            f"{name} {self.mean[name]:.3f} ± {self.spread[name]:.3f})"
        )


def finetune(
    data: TaskData | str | Path,
    model: str | Path = "mini-discriminator",
    output: str | Path | None = None,
    *,
    settings: FinetuningSettings | None = None,
    from_scratch: bool = False,
    device: torch.device | str | None = None,
    callbacks: Iterable[object] = (),
    progress: bool = True,
    resume: bool = False,
    stop_after: int | None = None,
) -> FinetuningResult:
    """Teach a pre-trained model a task: a fresh head on its encoder, and all of it trained.

    Args:
        data: as ``load_task_data`` gives it, or what that takes.
        model: where the encoder comes from: a bundled name, a folder or a hub id; of a pair, its
            discriminator.
        output: folder for the model (``pipeline`` and transformers load it), figures and history, and
            what a resume needs. None: nothing is kept.
        settings: default: ``FinetuningSettings.for_task``.
        from_scratch: the same architecture and tokenizer with random weights, each layer's as large as
            its width asks for (the usual .02 would be a poor start for a narrow model).
        device: where to train; default: ``default_device()``.
        callbacks: see ``state.Callback``.
        progress: show a bar.
        resume: go on from the checkpoint in ``output``, exactly as if the run had not stopped.
        stop_after: stop after so many steps of the run, to be resumed later.

    Raises:
        BadRowError, FileNotFoundError, ValueError: the data or the model cannot be used, see
            ``load_task_data`` and ``from_pretrained``; or the checkpoint was made with others.
        FileExistsError: ``output`` holds a run already, and ``resume`` was not asked for.
        NonFiniteLossError, OSError: see ``loop.train``; the last checkpoint is whole.
    """
    checkpoint_file(output, resume)  # before anything long, in case it is refused
    if not isinstance(data, TaskData):
        data = load_task_data(data)
    device = torch.device(device) if device is not None else default_device()
    name = encoder_name(model)
    tokenizer = ElectraTokenizerFast.from_pretrained(name)
    settings = settings or FinetuningSettings.for_task(
        data, ElectraConfig.from_pretrained(name), from_scratch=from_scratch
    )
    weights = class_weights(data, settings.class_weights)
    scale = target_range(data)
    data = with_validation(data, settings.validation_share, settings.seed)
    fresh = make_model(
        data, name, from_scratch=from_scratch, seed=settings.seed, dropout=settings.dropout
    )
    longest = settings.longest(data, fresh.config)
    splits = {split: encode(data, split, tokenizer, longest) for split in data.splits()}
    learned = splits["train"]
    if settings.swap_pairs and data.is_pair:
        learned = learned + encode(data, "train", tokenizer, longest, swapped=True)
    module = TaskLoss(fresh, weights, scale, summed=settings.faithful).to(device)
    source = LengthBuckets(learned, settings.batch_size, settings.seed, Ranks.here())
    epoch = source.batches_per_epoch
    steps = settings.epochs * epoch
    best = BestEpoch(module, data, splits, epoch, settings.patience, output)
    state = train(
        module,
        source,
        make_optimizer(
            module,
            settings.learning_rate,
            weight_decay=settings.weight_decay,
            layer_decay=settings.layer_decay,
            faithful=settings.faithful,
        ),
        linear_schedule(steps, round(settings.warmup_share * steps), faithful=settings.faithful),
        steps=steps,
        seed=settings.seed,
        device=device,
        clip_norm=settings.clip_norm,
        log_every=max(1, epoch // ROWS_PER_EPOCH),
        folder=output,
        checkpoint_every=epoch,
        resume=resume,
        stop_after=stop_after,
        evaluation=best,
        evaluate_every=epoch,
        settings={
            **_plain(asdict(settings)),
            "model": str(model),
            "from_scratch": from_scratch,
            "data": data.name,
            "train": learned.fingerprint,
        },
        callbacks=callbacks,
        progress=progress,
    )
    best.restore(state)
    metrics, said = evaluate(module, data, splits)
    module.fold_target_range()
    result = FinetuningResult(
        module.model.eval(),
        tokenizer,
        data,
        settings,
        metrics,
        said.values,
        said.n_best if data.task == "question_answering" else None,
        state.history,
        best.step,
        {name: examples.cut for name, examples in splits.items()},
        state.seconds,
        str(model),
        from_scratch,
    )
    if output is not None and Ranks.here().first:
        save_result(result, output)
    return result


def finetune_seeds(
    data: TaskData | str | Path,
    model: str | Path = "mini-discriminator",
    output: str | Path | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    settings: FinetuningSettings | None = None,
    from_scratch: bool = False,
    **options: Any,
) -> SeedsResult:
    """``finetune`` once with each seed. Differences between runs of a few hundred examples are often as
    large as those between methods, so one run says little.

    Args:
        output: each run goes into its folder ``seed-N``.
        settings: their seed is not looked at.
        options: the others of ``finetune``.

    Raises:
        ValueError: there are no seeds; the others are those of ``finetune``.
    """
    if not seeds:
        raise ValueError("seeds is empty; expected at least one number, such as (0, 1, 2).")
    if not isinstance(data, TaskData):
        data = load_task_data(data)
    settings = settings or FinetuningSettings.for_task(
        data, ElectraConfig.from_pretrained(encoder_name(model)), from_scratch=from_scratch
    )
    results = [
        finetune(
            data,
            model,
            None if output is None else Path(output) / f"seed-{seed}",
            settings=replace(settings, seed=seed),
            from_scratch=from_scratch,
            **options,
        )
        for seed in seeds
    ]
    return SeedsResult(results, *mean_and_spread([result.metrics for result in results]))


def encoder_name(model: str | Path) -> str:
    """The checkpoint that a name stands for; a pair's name stands for its discriminator."""
    for folder in (Path(model) / "discriminator", Path(f"{model}-discriminator")):
        if folder.is_dir():
            return str(folder)
    beside = f"{model}-discriminator"
    return beside if beside in bundled_checkpoints() else str(model)


def make_model(
    data: TaskData,
    name: str | Path,
    *,
    from_scratch: bool = False,
    seed: int = 0,
    dropout: float | None = None,
) -> PreTrainedModel:
    """A model for a task with a fresh head, and the encoder of a checkpoint or a fresh one.

    Args:
        dropout: see ``FinetuningSettings``.

    Raises:
        FileNotFoundError, ValueError: see ``from_pretrained``.
    """
    changes = _label_settings(data)
    if dropout is not None:
        changes |= {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    config = ElectraConfig.from_pretrained(name, **changes)
    outside = random_states("cpu")
    torch.manual_seed(seed)
    try:
        model: PreTrainedModel = getattr(electra_lab, MODEL_CLASSES[data.task])(config)
        if from_scratch:
            fan_in_initialisation(model)
        else:
            encoder = ElectraModel.from_pretrained(name)
            model.bare.load_state_dict(encoder.state_dict())
    finally:
        set_random_states(outside, "cpu")
    return model


def _label_settings(data: TaskData) -> dict[str, Any]:
    """What the configuration says of the labels, as pipelines read it."""
    names = data.labels
    if data.problem_type == "regression":
        names = ("LABEL_0",)
    elif not names:
        names = ("LABEL_0", "LABEL_1")
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: number for number, name in enumerate(names)},
        "problem_type": data.problem_type,
    }


class BestEpoch:
    """Measures the validation split after every epoch, and keeps the weights of the best.

    The best one has the best main metric; of several the one with the lowest loss, since a small split
    has few different values.

    Args:
        module: what is trained.
        data, splits: what from, and encoded.
        epoch: steps in one.
        patience: see ``FinetuningSettings``.
        folder: where the best weights are kept too, for a resume.
    """

    def __init__(
        self,
        module: TaskLoss,
        data: TaskData,
        splits: Mapping[str, Examples],
        epoch: int,
        patience: int | None,
        folder: str | Path | None,
    ) -> None:
        self.module, self.data, self.splits = module, data, splits
        self.epoch, self.patience = epoch, patience
        self.file = None if folder is None else Path(folder) / BEST_FILE
        self.name = f"validation_{main_metric(data)}"
        self.best: tuple[float, float] | None = None
        self.step = 0
        self.weights: dict[str, Tensor] | None = None

    def begin(self, state: TrainingState) -> None:
        """Find out from the history what the best was."""
        for row in state.history:
            if self.name in row:
                self._note(row, int(row["step"]))
                state.stopped = self._enough(int(row["step"]))
        if self.best is not None and self.file is not None:
            self.weights = load_file(self.file)

    def measure(self, state: TrainingState) -> Metrics:
        """The figures of the validation split."""
        figures: Metrics = {"epoch": state.step / self.epoch}
        if "validation" not in self.splits:
            return figures
        said = predict(
            self.module,
            self.splits["validation"],
            self.data,
            "validation",
            may_abstain=_has_unanswerable(self.data),
        )
        figures["validation_loss"] = said.loss
        for name, value in score(self.data, said.values, "validation").items():
            figures[f"validation_{name}"] = value
        if self._note(figures, state.step):
            self._keep()
        state.stopped = self._enough(state.step)
        return figures

    def restore(self, state: TrainingState) -> None:
        """Put the best weights into the model; without a validation split, those at the end stay."""
        if self.weights is None:
            self.step = state.step
        else:
            self.module.model.load_state_dict(self.weights)

    def _note(self, figures: Mapping[str, float | int], step: int) -> bool:
        found = figures[self.name], -figures["validation_loss"]
        if self.best is not None and found <= self.best:
            return False
        self.best, self.step = found, step
        return True

    def _enough(self, step: int) -> bool:
        return self.patience is not None and step - self.step >= self.patience * self.epoch

    def _keep(self) -> None:
        weights = self.module.model.state_dict()
        self.weights = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        if self.file is not None and Ranks.here().first:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(self.file) as partial:
                save_file(self.weights, partial)


def evaluate(
    module: TaskLoss, data: TaskData, splits: Mapping[str, Examples]
) -> tuple[Metrics, Predictions]:
    """Figures of the test split, and what was said of it."""
    abstain = _has_unanswerable(data)
    said = predict(module, splits["test"], data, "test", may_abstain=abstain)
    metrics = score(data, said.values)
    if data.task == "question_answering" and abstain and data.validation is not None:
        known = predict(module, splits["validation"], data, "validation", may_abstain=True)
        right = [row["text"] for row in data.validation["answers"]]
        threshold = best_threshold(right, known.answers(float("inf")), known.no_answer)
        tuned = score(data, said.answers(threshold))
        metrics["no_answer_threshold"] = threshold
        metrics |= {f"{name}_at_threshold": tuned[name] for name in ("exact_match", "f1")}
    return metrics, said


def _has_unanswerable(data: TaskData) -> bool:
    """Whether a question of train has no answer: only then may the model leave one unanswered."""
    return data.task == "question_answering" and any(
        not answers["text"] for answers in data.train["answers"]
    )


def _with_all_of_train(data: TaskData) -> TaskData:
    """The data with validation put back into train, for rules that choose nothing by it."""
    if data.validation is None:
        return data
    from datasets import concatenate_datasets

    return replace(data, train=concatenate_datasets([data.train, data.validation]))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Sequences as lists, as a checkpoint gives them back."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def save_result(result: FinetuningResult, folder: str | Path) -> None:
    """Write model, tokenizer, figures and history."""
    folder = Path(folder)
    result.model.save_pretrained(folder)
    result.tokenizer.save_pretrained(folder, longest=result.model.config.max_position_embeddings)
    content = {
        "data": result.data.name,
        "rows": {name: len(split) for name, split in result.data.splits().items()},
        "cut": result.cut,
        "skipped": dict(result.data.skipped),
        "model": result.source,
        "from_scratch": result.from_scratch,
        "settings": asdict(result.settings),
        "metrics": result.metrics,
        "best_step": result.best_step,
        "seconds": result.seconds,
        "history": result.history,
    }
    with atomic_file(folder / RESULT_FILE) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
