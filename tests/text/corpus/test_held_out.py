"""A part of a corpus that nobody trains on."""

import random

import pytest

from electra_lab.text.corpus.build import build_shards
from electra_lab.text.corpus.documents import START, TextFiles
from electra_lab.text.corpus.held_out import HeldOut
from electra_lab.text.corpus.shards import Shards
from electra_lab.text.microworld import MicroWorld
from electra_lab.text.tokenization import ElectraTokenizerFast
from electra_lab.text.vocabulary import train_vocabulary


@pytest.fixture(scope="module")
def texts():
    sentences = MicroWorld().texts(900, seed=3)
    return ["\n".join(sentences[start : start + 3]) for start in range(0, 900, 3)]


def write(folder, texts, name="text.txt"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    return TextFiles(folder)


def kept(corpus):
    return ["\n".join(d.paragraphs) for d in corpus.documents() if d.paragraphs]


def test_every_document_is_on_one_side_and_about_the_share_asked_for_is_held_out(tmp_path, texts):
    corpus = write(tmp_path / "a", texts)
    held_out, training = kept(HeldOut(corpus, 10)), kept(HeldOut(corpus, 10, training=True))
    assert sorted(held_out + training) == sorted(texts)
    assert not set(held_out) & set(training)
    assert 12 < len(held_out) < 52  # 30 expected; four standard deviations on each side


def test_where_a_document_belongs_depends_on_nothing_but_its_text(tmp_path, texts):
    one = set(kept(HeldOut(write(tmp_path / "a", texts), 10)))
    shuffled = random.Random(0).sample(texts, len(texts))
    write(tmp_path / "b", shuffled[:50], "z.txt")
    other = set(kept(HeldOut(write(tmp_path / "b", shuffled[50:], "a.txt"), 10)))
    assert one == other


def test_reading_goes_on_behind_any_document(tmp_path, texts):
    corpus = HeldOut(write(tmp_path / "a", texts), 4, training=True)
    whole = list(corpus.documents(START))
    for number in (0, 7, 150):
        rest = list(corpus.documents(whole[number].place))
        assert [d.paragraphs for d in rest] == [d.paragraphs for d in whole[number + 1 :]]


def test_shards_of_the_two_sides_are_shards_of_different_things(tmp_path, texts):
    corpus = write(tmp_path / "a", texts)
    tokenizer = ElectraTokenizerFast(vocab=train_vocabulary(texts, 500))
    folder = tmp_path / "shards"
    report = build_shards(HeldOut(corpus, 10), tokenizer, folder, max_length=32, progress=False)
    assert report.documents == len(kept(HeldOut(corpus, 10)))
    assert report.skipped == {}
    assert Shards(folder, tokenizer).tokens == report.tokens
    with pytest.raises(ValueError, match="something else"):
        build_shards(
            HeldOut(corpus, 10, training=True), tokenizer, folder, max_length=32, progress=False
        )


def test_holding_out_everything_is_refused(tmp_path, texts):
    with pytest.raises(ValueError, match="2 or more"):
        HeldOut(write(tmp_path / "a", texts), 1)
