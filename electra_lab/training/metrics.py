"""How good predictions are: the usual figures of each task, all of them shares or correlations.

What scikit-learn, SciPy and seqeval have is taken from there. Exact match and token F1 are those of
SQuAD 2.0 (Rajpurkar, Jia and Liang, 2018) and its evaluation script.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from electra_lab.text.tasks import baseline_predictions
from electra_lab.text.tasks.schema import TaskData

Metrics = dict[str, float]

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def main_metric(data: TaskData) -> str:
    """The figure that decides which checkpoint is best."""
    if data.task == "question_answering":
        return "f1"
    if data.task == "token_classification":
        return "f1" if data.has_entities else "accuracy"
    return {"multi_label_classification": "f1_micro", "regression": "pearson"}.get(
        data.problem_type or "", "accuracy"
    )


def main_of(figures: Iterable[str]) -> str | None:
    """The name of the main one among a task's figures, by their names alone; None where there is none.
    ``main_metric`` for those who have the figures and not the data."""
    names = set(figures)
    return next((name for name in ("f1", "accuracy", "f1_micro", "pearson") if name in names), None)


def score(data: TaskData, predictions: Sequence[Any], split: str = "test") -> Metrics:
    """All figures of a task.

    Args:
        predictions: for each row of the split, as ``baseline_predictions`` gives them.

    Raises:
        ValueError: there are more or fewer predictions than rows.
    """
    rows = data.splits()[split]
    if len(predictions) != len(rows):
        raise ValueError(
            f"There are {len(predictions)} predictions for {len(rows)} rows of {data.name}, {split}; "
            "expected one for each."
        )
    if data.task == "question_answering":
        return answer_metrics([row["text"] for row in rows["answers"]], predictions)
    if data.task == "token_classification":
        gold, said = (
            [[data.labels[tag] for tag in tags] for tags in table]
            for table in (rows["tags"], predictions)
        )
        return tag_metrics(gold, said, entities=data.has_entities)
    labels = list(rows["label"])
    if data.problem_type == "regression":
        return regression_metrics(labels, predictions)
    if data.problem_type == "multi_label_classification":
        return multi_label_metrics(labels, predictions)
    if data.task == "multiple_choice":
        return {"accuracy": float(np.mean(np.array(labels) == np.array(predictions)))}
    return class_metrics(labels, predictions)


def baseline_metrics(data: TaskData) -> dict[str, Metrics]:
    """What ``baseline_predictions`` reach on the test split."""
    found = baseline_predictions(data)
    return {name: score(data, predictions) for name, predictions in found.items()}


def class_metrics(labels: Sequence[int], predictions: Sequence[int]) -> Metrics:
    """``accuracy``, ``f1_macro`` (mean over the classes), ``f1_micro`` and ``matthews`` (correlation; 0
    where all predictions are one class)."""
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    return {
        "accuracy": float(accuracy_score(labels, predictions)),
        "f1_macro": float(f1_score(labels, predictions, average="macro", zero_division=0)),
        "f1_micro": float(f1_score(labels, predictions, average="micro", zero_division=0)),
        "matthews": float(matthews_corrcoef(labels, predictions)),
    }


def multi_label_metrics(
    labels: Sequence[Sequence[float | int]], predictions: Sequence[Sequence[float | int]]
) -> Metrics:
    """``f1_micro`` (over all labels together), ``f1_macro`` (mean over the labels) and ``exact_match``
    (share of rows with all labels right)."""
    from sklearn.metrics import f1_score

    gold, said = np.array(labels, dtype=int), np.array(predictions, dtype=int)
    return {
        "f1_micro": float(f1_score(gold, said, average="micro", zero_division=0)),
        "f1_macro": float(f1_score(gold, said, average="macro", zero_division=0)),
        "exact_match": float((gold == said).all(axis=1).mean()),
    }


def regression_metrics(
    labels: Sequence[float | int], predictions: Sequence[float | int]
) -> Metrics:
    """``pearson`` and ``spearman`` correlation, 0 where one side is the same everywhere, and
    ``mean_squared_error``."""
    from scipy.stats import pearsonr, spearmanr

    gold, said = np.array(labels, dtype=float), np.array(predictions, dtype=float)
    varies = len(gold) > 1 and np.ptp(gold) > 0 and np.ptp(said) > 0
    return {
        "pearson": float(pearsonr(gold, said)[0]) if varies else 0.0,
        "spearman": float(spearmanr(gold, said)[0]) if varies else 0.0,
        "mean_squared_error": float(((gold - said) ** 2).mean()),
    }


def tag_metrics(
    labels: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]], *, entities: bool
) -> Metrics:
    """``accuracy`` over all words; for entities in BIO also ``precision``, ``recall`` and ``f1`` of
    whole entities (right only where type, beginning and end are), for other tags ``f1_macro``."""
    gold, said = ([tag for row in table for tag in row] for table in (labels, predictions))
    accuracy = float(np.mean([a == b for a, b in zip(gold, said, strict=True)]))
    if not entities:
        from sklearn.metrics import f1_score

        macro = float(f1_score(gold, said, average="macro", zero_division=0))
        return {"accuracy": accuracy, "f1_macro": macro}
    from seqeval.metrics import f1_score as entity_f1
    from seqeval.metrics import precision_score, recall_score

    kinds = {"f1": entity_f1, "precision": precision_score, "recall": recall_score}
    tables = [list(row) for row in labels], [list(row) for row in predictions]
    return {
        **{name: float(kind(*tables, zero_division=0)) for name, kind in kinds.items()},
        "accuracy": accuracy,
    }


# -- answers


def normalized(answer: str) -> str:
    """Lower case, without punctuation, articles and spare blanks, as SQuAD compares answers."""
    return " ".join(ARTICLES.sub(" ", answer.lower().translate(PUNCTUATION)).split())


def exact_match(answer: str, references: Iterable[str]) -> float:
    """1 where the answer is one of the right ones, once both are ``normalized``. Without right ones the
    empty answer is right."""
    return float(any(normalized(answer) == normalized(right) for right in _accepted(references)))


def token_f1(answer: str, references: Iterable[str]) -> float:
    """The best F1 between the words of the answer and those of a right one; with no words on one side,
    1 if there are none on the other either."""
    return max(
        _f1(normalized(answer).split(), normalized(r).split()) for r in _accepted(references)
    )


def _accepted(references: Iterable[str]) -> list[str]:
    """Right answers of which something is left once they are normalized; none means no answer."""
    return [right for right in references if normalized(right)] or [""]


def _f1(said: list[str], right: list[str]) -> float:
    if not said or not right:
        return float(said == right)
    shared = (Counter(said) & Counter(right)).total()
    return 2 * shared / (len(said) + len(right))


def answer_metrics(references: Sequence[Sequence[str]], answers: Sequence[str]) -> Metrics:
    """``exact_match`` and ``f1`` (of tokens), means over all questions, over those with an answer
    (``has_answer_f1``) and those without (``no_answer_f1``: the share left unanswered)."""
    pairs = list(zip(answers, references, strict=True))
    f1 = np.array([token_f1(*pair) for pair in pairs])
    answerable = np.array([bool(right) for _, right in pairs])
    metrics = {
        "exact_match": float(np.mean([exact_match(*pair) for pair in pairs])),
        "f1": float(f1.mean()),
    }
    if answerable.any():
        metrics["has_answer_f1"] = float(f1[answerable].mean())
    if not answerable.all():
        metrics["no_answer_f1"] = float(f1[~answerable].mean())
    return metrics


def best_threshold(
    references: Sequence[Sequence[str]], answers: Sequence[str], odds: Sequence[float | int]
) -> float:
    """The threshold on the log odds of "no answer" above which a question is best left unanswered, by
    token F1 (SQuAD 2.0's evaluation script searches it likewise).

    Args:
        answers: the best one of each question, empty or not.
        odds: for each question, the logarithm of p(no answer) / p(its answer).

    Returns:
        The middle between two neighbouring odds; of equally good ones the nearest to 0.
    """
    gains = np.array(
        [
            token_f1(answer, right) - token_f1("", right)
            for answer, right in zip(answers, references, strict=True)
        ]
    )
    values = np.sort(np.unique(np.array(odds, dtype=float)))
    candidates = [0.0, *((values[1:] + values[:-1]) / 2), values[0] - 1, values[-1] + 1]
    totals = {float(c): float(gains[np.array(odds) <= c].sum()) for c in candidates}
    best = max(totals.values())
    return min((c for c, total in totals.items() if total >= best - 1e-9), key=abs)


def mean_and_spread(metrics: Sequence[Mapping[str, float]]) -> tuple[Metrics, Metrics]:
    """Mean and standard deviation (of a sample: n - 1; 0 for one run) of each figure over runs."""
    names = [name for name in metrics[0] if all(name in row for row in metrics)]
    values = {name: np.array([row[name] for row in metrics]) for name in names}
    mean = {name: float(column.mean()) for name, column in values.items()}
    spread = {n: float(c.std(ddof=1)) if len(c) > 1 else 0.0 for n, c in values.items()}
    return mean, spread
