"""What can be read off each layer by a linear model, and how much of it the probe learned by heart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from electra_lab.inside.trace.live import own_model
from electra_lab.inside.trace.recorder import undisturbed
from electra_lab.model.electra import bare_model

from .sentences import ParsedSentence
from .word_attention import BATCH, word_batches


@dataclass(frozen=True)
class LayerProbe:
    """What a linear model reads off one layer.

    Attributes:
        layer: 0 for what enters the encoder, 1 for what leaves its first layer ...
        accuracy: on words of sentences that it was not fitted on.
        control: the same for the control task: each word form has a tag of its own, drawn at random.
    """

    layer: int
    accuracy: float
    control: float

    @property
    def selectivity(self) -> float:
        """``accuracy - control`` (Hewitt and Liang 2019): how much of it is not memory of word forms."""
        return self.accuracy - self.control


@dataclass(frozen=True)
class ProbeResult:
    """A probe of every layer. ``print`` shows a table.

    Attributes:
        layers: one ``LayerProbe`` for each, what enters the encoder first.
        majority: accuracy of the commonest tag.
        by_word: accuracy of each word form's commonest tag, the commonest of all for unseen forms:
            what a probe can reach that only knows which word it is.
        words: how many words were counted.
    """

    layers: tuple[LayerProbe, ...]
    majority: float
    by_word: float
    words: int

    def __str__(self) -> str:
        lines = [f"{'layer':8}{'accuracy':>10}{'control':>10}{'selectivity':>13}"]
        lines += [
            f"{one.layer:<8}{one.accuracy:10.3f}{one.control:10.3f}{one.selectivity:13.3f}"
            for one in self.layers
        ]
        lines.append(
            f"commonest tag {self.majority:.3f}, commonest tag of each word {self.by_word:.3f} "
            f"({self.words:,} words)"
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"ProbeResult({len(self.layers)} layers, {self.words} words)"


def probe_layers(
    model: Any,
    tokenizer: Any,
    train: Sequence[ParsedSentence],
    test: Sequence[ParsedSentence],
    *,
    tags: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]] | None = None,
    seed: int = 0,
) -> ProbeResult:
    """Fit a logistic regression on each layer's states, and the same on a control task.

    The state of a word is that of its first piece, standardised over the training words.

    Args:
        model: any ELECTRA of this package or of transformers.
        tokenizer: called with lists of words.
        train, test: sentences to fit on and to count on.
        tags: what is to be read, for each word of train and of test; None: the part of speech.
        seed: of the control task's tags.

    Raises:
        ValueError: there are no sentences; the tags do not fit the words; there is one tag only.
    """
    wanted = tags or ([s.tags for s in train], [s.tags for s in test])
    for name, sentences, given in zip(("train", "test"), (train, test), wanted, strict=True):
        if not sentences:
            raise ValueError(f"There are no sentences in {name}; give at least one.")
        for number, (sentence, own) in enumerate(zip(sentences, given, strict=True), 1):
            if len(sentence.words) != len(own):
                raise ValueError(
                    f"Sentence {number} of {name} has {len(sentence.words)} words and {len(own)} tags; "
                    "give one tag for each word."
                )
    words = [[word.lower() for s in sentences for word in s.words] for sentences in (train, test)]
    flat = [[tag for sentence in given for tag in sentence] for given in wanted]
    if len(set(flat[0])) < 2:
        raise ValueError(f"All words of train have the tag {flat[0][0]!r}; a probe needs two.")
    control = _control_tags(words, flat[0], seed)
    states = [
        torch.cat([*first_piece_states(model, tokenizer, [s.words for s in part])], dim=1)
        for part in (train, test)
    ]
    commonest = Counter(flat[0]).most_common(1)[0][0]
    of_word = _commonest_tag(words[0], flat[0])
    return ProbeResult(
        layers=tuple(
            LayerProbe(
                layer,
                accuracy=_fit(fitted, flat[0], counted, flat[1]),
                control=_fit(fitted, control[0], counted, control[1]),
            )
            for layer, (fitted, counted) in enumerate(zip(*states, strict=True))
        ),
        majority=_share(tag == commonest for tag in flat[1]),
        by_word=_share(
            of_word.get(word, commonest) == tag for word, tag in zip(words[1], flat[1], strict=True)
        ),
        words=len(flat[1]),
    )


def first_piece_states(
    model: Any, tokenizer: Any, sentences: Sequence[Sequence[str]], *, batch_size: int = BATCH
) -> Iterator[Float[Tensor, "layers words hidden"]]:
    """For each sentence the states of its words, at their first pieces: what enters the encoder, and
    what leaves each layer."""
    own = own_model(model)
    with undisturbed(own):
        for inputs, members in word_batches(own, tokenizer, sentences, batch_size):
            with torch.no_grad():
                output = bare_model(own)(**inputs, output_hidden_states=True, return_dict=True)
            states = torch.stack(output.hidden_states).cpu().float()
            for row, member in enumerate(members):
                yield states[:, row, member.argmax(-1)]


def _control_tags(words: list[list[str]], tags: list[str], seed: int) -> list[list[str]]:
    """A tag for each word form, drawn from how frequent the tags are, whatever the word is."""
    chance = random.Random(seed)
    drawn = {word: chance.choice(tags) for word in sorted({w for part in words for w in part})}
    return [[drawn[word] for word in part] for part in words]


def _commonest_tag(words: list[str], tags: list[str]) -> dict[str, str]:
    counts: dict[str, Counter[str]] = {}
    for word, tag in zip(words, tags, strict=True):
        counts.setdefault(word, Counter())[tag] += 1
    return {word: count.most_common(1)[0][0] for word, count in counts.items()}


def _fit(states: Tensor, tags: list[str], test_states: Tensor, test_tags: list[str]) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(set(tags)) < 2:  # a control task over few word forms
        return _share(tag == tags[0] for tag in test_tags)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
    probe.fit(states.numpy(), tags)
    return float(probe.score(test_states.numpy(), test_tags))


def _share(right: Any) -> float:
    values = list(right)
    return sum(values) / len(values)
