"""The micro-world benchmark: what it reports is what was measured, beside honest baselines."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from electra_lab.bench import language
from electra_lab.bench import microworld as bench
from electra_lab.bench.ngrams import KneserNey, words_of
from electra_lab.checkpoints.pair import Pair
from electra_lab.model.config import ElectraConfig
from electra_lab.model.electra import tie_embeddings
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.text.microworld import MicroWorld, Word, vocabulary_words
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.training import objectives

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(autouse=True)
def little_text(monkeypatch: pytest.MonkeyPatch):
    """The n-gram models count a few sentences only; what they are good for is tested elsewhere."""
    monkeypatch.setattr(bench, "COUNTED_SENTENCES", 150)
    bench._training_texts.cache_clear()
    bench._trigram.cache_clear()
    yield
    bench._training_texts.cache_clear()
    bench._trigram.cache_clear()


@pytest.fixture
def pair() -> Pair:
    torch.manual_seed(0)
    tokenizer = ElectraTokenizerFast(vocab=[*SPECIALS, *vocabulary_words()])
    config = ElectraConfig.from_preset("micro", vocab_size=len(tokenizer), initializer_range=0.08)
    discriminator = ElectraForPreTraining(config)
    generator = ElectraForMaskedLM(config.for_generator(0.5))
    tie_embeddings(generator, discriminator)
    return Pair(generator.eval(), discriminator.eval(), tokenizer)


@torch.no_grad()
def test_an_untrained_pair_is_at_chance(pair: Pair) -> None:
    texts = MicroWorld(0, "test").texts(150)
    found = bench.masked_and_replaced(pair, texts, batch_size=50, seed=0)
    assert found["mlm_accuracy"] < 0.1
    assert 0.1 < found["unigram_accuracy"] < found["bigram_accuracy"] < 0.6
    assert 0.3 < found["rtd_auc_fixed"] < 0.7
    assert 0.3 < found["rtd_auc_own"] < 0.7


def test_the_same_pair_is_measured_the_same_twice(pair: Pair) -> None:
    settings: dict[str, Any] = {"sentences": 60, "pairs": 10, "tagging_draws": 1}
    assert bench.evaluate_pair(pair, **settings) == bench.evaluate_pair(pair, **settings)


def unchecked(function: Any) -> Any:
    """The function without its annotations checked, for a stand-in in place of a pair."""
    return inspect.unwrap(function)


class AllKnowing(nn.Module):
    """Knows every text of the split: names the masked tokens, and calls out the replaced ones."""

    def __init__(self, pair: Pair, texts: list[str]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.rows = pair.tokenizer(texts)["input_ids"]
        self.size = len(pair.tokenizer)
        self.mask = pair.tokenizer.mask_token_id

    def original(self, ids: list[int], mask: list[int]) -> list[int]:
        candidates = [r for r in self.rows if len(r) == sum(mask)]
        return max(candidates, key=lambda row: sum(a == b for a, b in zip(row, ids, strict=False)))

    def forward(self, input_ids, attention_mask=None, *_: Any, **__: Any) -> SimpleNamespace:
        out = torch.zeros(*input_ids.shape, self.size)
        for i, (ids, mask) in enumerate(
            zip(input_ids.tolist(), attention_mask.tolist(), strict=True)
        ):
            original = self.original(ids, mask)
            for j, token in enumerate(original):
                out[i, j, token] = 30.0
        return SimpleNamespace(logits=out, last_hidden_state=out)

    @property
    def electra(self) -> "AllKnowing":
        return self

    embeddings = SimpleNamespace(word=SimpleNamespace(weight=None))

    def head(self, states: torch.Tensor, word_table: None) -> torch.Tensor:
        return states


class CallsOutReplaced(AllKnowing):
    def forward(self, input_ids, attention_mask=None, *_: Any, **__: Any) -> SimpleNamespace:
        known = super().forward(input_ids, attention_mask).logits.argmax(-1)
        return SimpleNamespace(logits=torch.where(known == input_ids, -5.0, 5.0))


# a generator that is never wrong replaces nothing, and then its area is not defined
@pytest.mark.filterwarnings("ignore:Only one class is present")
def test_a_pair_that_knows_the_text_gets_everything_right(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "answers", unchecked(bench.answers))
    monkeypatch.setattr(language, "selected_logits", unchecked(objectives.selected_logits))
    monkeypatch.setattr(objectives, "encode", unchecked(objectives.encode))
    texts = MicroWorld(0, "test").texts(60)
    known: Any = SimpleNamespace(
        generator=AllKnowing(pair, texts),
        discriminator=CallsOutReplaced(pair, texts),
        tokenizer=pair.tokenizer,
        device=torch.device("cpu"),
    )
    found = unchecked(bench.masked_and_replaced)(known, texts, batch_size=20, seed=0)
    assert found["mlm_accuracy"] > 0.97
    assert found["rtd_auc_fixed"] > 0.97


def test_words_of_the_thirty_sentences_are_not_scored() -> None:
    sentences = MicroWorld(0, "test").sentences(60)
    labelled = set(range(30))
    seen = {word.text for i in labelled for word in sentences[i].words}
    learned = {word.pos for i in labelled for word in sentences[i].words}
    tags = sorted({word.pos for sentence in sentences for word in sentence.words})

    def state(word: Word, known: bool) -> torch.Tensor:
        """Gives the tag away, but points to another one for a word that must not be scored."""
        tag = tags.index(word.pos)
        return nn.functional.one_hot(
            torch.tensor(tag if known else (tag + 1) % len(tags)), len(tags)
        )

    states = [
        torch.stack([state(w, i in labelled or w.text not in seen) for w in sentence.words]).float()
        for i, sentence in enumerate(sentences)
    ]
    unseen = [w for s in sentences[30:] for w in s.words if w.text not in seen]
    possible = sum(word.pos in learned for word in unseen) / len(unseen)
    assert bench._tag_unseen(states, sentences, labelled) == pytest.approx(possible)


def test_states_are_those_of_the_first_pieces(pair: Pair) -> None:
    sentences = MicroWorld(0, "test").sentences(3)
    words = [[word.text for word in sentence.words] for sentence in sentences]
    layers = bench.first_piece_states(pair.discriminator, pair.tokenizer, words, batch_size=2)
    states = [of_sentence[-1] for of_sentence in layers]
    assert [len(s) for s in states] == [len(s.words) for s in sentences]
    ids = torch.tensor([pair.tokenizer(sentences[0].text)["input_ids"]])
    with torch.no_grad():
        alone = pair.discriminator.electra(ids).last_hidden_state[0, 1:-1]
    torch.testing.assert_close(states[0].detach(), alone, atol=1e-5, rtol=1e-4)


def test_random_weights_beside_the_trained_ones_are_of_the_same_shape_and_other_values(
    pair: Pair,
) -> None:
    before = torch.random.get_rng_state()
    fresh = bench._freshly_initialised(pair.discriminator, torch.Generator().manual_seed(3))
    assert torch.equal(torch.random.get_rng_state(), before)
    theirs = dict(fresh.named_parameters())
    for name, parameter in pair.discriminator.named_parameters():
        assert theirs[name].shape == parameter.shape
    name = "electra.embeddings.word.weight"
    assert not torch.equal(theirs[name], dict(pair.discriminator.named_parameters())[name])


def test_too_few_sentences_are_refused(pair: Pair) -> None:
    with pytest.raises(ValueError, match="at least 60"):
        bench.evaluate_pair(pair, sentences=40)


def test_a_run_writes_what_it_measured_with_settings_versions_and_command(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from electra_lab.training import pretraining

    seeds = []

    def pretrain(recipe: Any, *, seed: int, progress: bool) -> SimpleNamespace:
        seeds.append(seed)
        return SimpleNamespace(pair=pair, seconds=12.34)

    evaluate = bench.evaluate_pair
    monkeypatch.setattr(pretraining, "pretrain", pretrain)
    monkeypatch.setattr(
        bench, "evaluate_pair", lambda p: evaluate(p, sentences=60, pairs=10, tagging_draws=1)
    )
    file = tmp_path / "deep" / "microworld.json"
    report = bench.run("micro", seeds=(0, 4), output=file, progress=False)
    assert seeds == [0, 4]
    assert json.loads(file.read_text()) == report
    assert report["command"] == "electra-lab bench microworld --seeds 2"
    assert report["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert report["settings"]["name"] == "micro"
    assert [run["training_seconds"] for run in report["runs"]] == [12.3, 12.3]
    printed = capsys.readouterr().out
    for key in ("mlm_accuracy", "rtd_auc_fixed", "pairs_accuracy", "tagging_accuracy"):
        assert f"{report['runs'][0][key]:.3f}" in printed


def test_a_run_without_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="no seeds"):
        bench.run("micro", seeds=())


@pytest.mark.parametrize("order", [1, 2, 3])
def test_ngram_probabilities_sum_to_one(order: int) -> None:
    model = KneserNey([["a", "b", "a"], ["b", "c"], ["a", "b", "c"]], order)
    for context in (["a", "b"], ["c", "c"], ["<s>", "a"], ["x", "y"]):
        total = sum(model.probability(token, context) for token in model.tokens)
        unseen = model.probability("never seen", context)
        assert total + unseen == pytest.approx(1)


def test_a_trigram_model_prefers_what_it_has_read() -> None:
    model = KneserNey([words_of(text) for text in ("The girl sees it.", "The girls see it.")])
    assert model.score(words_of("The girl sees it.")) > model.score(words_of("The girl see it."))
    assert math.isfinite(model.score(words_of("An unknown word.")))


def test_an_ngram_model_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sentence"):
        KneserNey([])
    with pytest.raises(ValueError, match="order is 0"):
        KneserNey([["a"]], order=0)
