"""What the simplest rules reach: a model that does no better has learned nothing worth its cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .schema import TaskData

Predictions = list[Any]

WORD = re.compile(r"\w+(?:['’]\w+)*")
SENTENCE = re.compile(r"\S.*?(?:[.!?]+['\"”’)]*(?=\s|$)|$)", re.DOTALL)
_FUNCTION_WORDS = (
    "a an and are as at be been but by can could did do does for from had has have he her his how i if "
    "in into is it its many me much my no not of on or our out she so some that the their them then "
    "there they this to up was we were what when where which who whom whose why will with would you "
    "your"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())


def baseline_predictions(data: TaskData) -> dict[str, Predictions]:
    """What simple rules say of the test split, once they have seen the train split.

    - Sequences: ``majority`` (the most frequent label, or set of labels; ``mean`` for regression) and
      ``bag_of_words`` (logistic regression on words and pairs of neighbours; ridge regression). With
      several labels also ``every_label``, which F1 rewards, and for its sake the rows with a label and
      those without weigh the same, however few have it. Pairs
      also get ``word_overlap`` (how much the two texts share, nothing else),
      ``bag_of_words_and_overlap``, and with classes ``second_text_only``, which shows what the second
      text alone gives away.
    - Words with tags: ``majority`` and ``most_frequent_tag`` of each word, whatever stands around it; a
      word that train has not gets the most frequent tag of words that train has once.
    - Questions: ``no_answer``; the sentence that shares most words with the question
      (``best_sentence``), its beginning (``best_sentence_start``), and its first words that the question
      has not (``best_sentence_new_words``), as many as answers in train have.
    - Choices: ``majority`` (the most frequent place), ``longest``, ``most_overlapping`` with the
      context, and ``bag_of_words`` (the choice whose words most often are right).

    Returns:
        For each baseline a prediction for each row of test, in its order: an index of a label or choice,
        a 0 or 1 for each label, a float, an index of a tag for each word, or the answer's text ("" for
        none).
    """
    if data.task == "token_classification":
        return _tags(data)
    if data.task == "question_answering":
        return _answers(data)
    if data.task == "multiple_choice":
        return _choices(data)
    return _sequences(data)


def words_in(text: str) -> list[str]:
    """Lower-cased words, without punctuation."""
    return WORD.findall(text.lower())


# -- sequences


def _sequences(data: TaskData) -> dict[str, Predictions]:
    labels, count = data.train["label"], len(data.test)
    if data.problem_type == "regression":
        found: dict[str, Predictions] = {"mean": [float(np.mean(labels))] * count}
    elif data.problem_type == "multi_label_classification":
        most_frequent = Counter(tuple(map(int, label)) for label in labels).most_common(1)[0][0]
        found = {
            "majority": [list(most_frequent)] * count,
            "every_label": [[1] * len(data.labels)] * count,
        }
    else:
        found = {"majority": [Counter(labels).most_common(1)[0][0]] * count}
    first, second = _bags(data, "text"), _bags(data, "text_pair") if data.is_pair else None
    if second is None:
        found["bag_of_words"] = _linear(data, first)
        return found
    overlap = tuple(_scaled_overlap(data))
    both = [*zip(first, second, strict=True)]
    found["word_overlap"] = _linear(data, overlap)
    found["bag_of_words"] = _linear(data, [_beside(*parts) for parts in both])
    found["bag_of_words_and_overlap"] = _linear(
        data, [_beside(*parts, more) for parts, more in zip(both, overlap, strict=True)]
    )
    if data.problem_type != "regression":
        found["second_text_only"] = _linear(data, second)
    return found


def _bags(data: TaskData, column: str) -> list[Any]:
    """Words and neighbours of train and of test, as sparse matrices of 0 and 1."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=_words_and_neighbours, binary=True)
    train = vectorizer.fit_transform(data.train[column])
    return [train, vectorizer.transform(data.test[column])]


def _words_and_neighbours(text: str) -> list[str]:
    words = words_in(text) or [text]
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def _scaled_overlap(data: TaskData) -> list[NDArray[np.float64]]:
    """What two texts share, for train and test, in units of train's spread."""
    train, test = (
        np.array([_overlap(*pair) for pair in zip(split["text"], split["text_pair"], strict=True)])
        for split in (data.train, data.test)
    )
    spread = train.std(0)
    spread[spread == 0] = 1
    return [train / spread, test / spread]


def _overlap(text: str, text_pair: str) -> list[float]:
    one, other = words_in(text), words_in(text_pair)
    shared = set(one) & set(other)
    neighbours, others = ({*pairwise(w)} for w in (one, other))
    return [
        len(shared) / max(len({*one, *other}), 1),
        len(shared) / max(len(set(one)), 1),
        len(shared) / max(len(set(other)), 1),
        len(neighbours & others) / max(len(neighbours | others), 1),
        float(len(other) - len(one)),
    ]


def _beside(*parts: Any) -> Any:
    from scipy.sparse import csr_matrix, hstack

    return hstack([csr_matrix(part) for part in parts]).tocsr()


def _linear(data: TaskData, features: Sequence[Any]) -> Predictions:
    """A linear model from the features of train, asked about those of test."""
    from sklearn.linear_model import Ridge

    train, test = features
    labels = np.array(data.train["label"])
    if data.problem_type == "regression":
        scores: list[float] = Ridge(alpha=1.0).fit(train, labels).predict(test).tolist()
        return scores
    if data.problem_type == "multi_label_classification":
        each = [_classes(train, column, test, "balanced") for column in labels.astype(int).T]
        return np.stack(each, 1).tolist()
    return _classes(train, labels, test).tolist()


def _classes(
    train: Any, labels: NDArray[Any], test: Any, weights: str | None = None
) -> NDArray[Any]:
    from sklearn.linear_model import LogisticRegression

    if len(set(labels.tolist())) == 1:  # a label that all rows have, or none
        return np.full(test.shape[0], labels[0])
    model = LogisticRegression(max_iter=1000, class_weight=weights).fit(train, labels)
    predicted: NDArray[Any] = model.predict(test)
    return predicted


# -- words with tags


def _tags(data: TaskData) -> dict[str, Predictions]:
    of_word: dict[str, Counter[int]] = {}
    for row in data.train:
        for word, tag in zip(row["words"], row["tags"], strict=True):
            of_word.setdefault(word.lower(), Counter())[tag] += 1
    all_tags: Counter[int] = sum(of_word.values(), Counter())
    rare_tags: Counter[int] = sum((c for c in of_word.values() if c.total() == 1), Counter())
    majority = all_tags.most_common(1)[0][0]
    unknown = (rare_tags or all_tags).most_common(1)[0][0]
    best = {word: tags.most_common(1)[0][0] for word, tags in of_word.items()}
    sentences = data.test["words"]
    return {
        "majority": [[majority] * len(words) for words in sentences],
        "most_frequent_tag": [
            [best.get(word.lower(), unknown) for word in words] for words in sentences
        ],
    }


# -- questions


def _answers(data: TaskData) -> dict[str, Predictions]:
    lengths = [
        len(WORD.findall(answers["text"][0]))
        for answers in data.train["answers"]
        if answers["text"]
    ]
    length = max(median_low(lengths), 1)
    found: dict[str, Predictions] = {
        "no_answer": [""] * len(data.test),
        "best_sentence": [],
        "best_sentence_start": [],
        "best_sentence_new_words": [],
    }
    for row in data.test:
        asked = set(words_in(row["question"]))
        sentence = _most_like(SENTENCE.findall(row["context"]), asked)
        words = list(WORD.finditer(sentence))
        new = [w for w in words if w.group().lower() not in asked | FUNCTION_WORDS] or words
        after = words[words.index(new[0]) :] if new else []
        found["best_sentence"].append(sentence.strip().rstrip(".!?"))
        found["best_sentence_start"].append(_from_to(sentence, words[:length]))
        found["best_sentence_new_words"].append(_from_to(sentence, after[:length]))
    return found


def _most_like(texts: Sequence[str], words: Iterable[str]) -> str:
    """The text with most of the words, function words aside; the first of several."""
    wanted = set(words) - FUNCTION_WORDS
    return max(texts, key=lambda text: len(wanted & set(words_in(text))))


def _from_to(text: str, words: Sequence[re.Match[str]]) -> str:
    return text[words[0].start() : words[-1].end()] if words else ""


# -- choices


def _choices(data: TaskData) -> dict[str, Predictions]:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = list(data.test)
    majority = Counter(data.train["label"]).most_common(1)[0][0]
    found: dict[str, Predictions] = {"majority": [majority] * len(rows)}
    found["longest"] = [
        max(range(len(row["choices"])), key=lambda i: len(row["choices"][i])) for row in rows
    ]
    found["most_overlapping"] = [
        row["choices"].index(_most_like(row["choices"], words_in(row["context"]))) for row in rows
    ]
    vectorizer = CountVectorizer(analyzer=_words_and_neighbours, binary=True)
    texts = vectorizer.fit_transform([text for row in data.train for text in row["choices"]])
    right = [i == row["label"] for row in data.train for i in range(len(row["choices"]))]
    model = LogisticRegression(max_iter=1000).fit(texts, right)
    found["bag_of_words"] = [
        int(model.decision_function(vectorizer.transform(row["choices"])).argmax()) for row in rows
    ]
    return found
