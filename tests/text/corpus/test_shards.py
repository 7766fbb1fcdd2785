"""Shards: the same whatever happens while they are made, and read back as they were packed."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from electra_lab.text.corpus import build, documents, shards
from electra_lab.text.corpus.build import build_shards
from electra_lab.text.corpus.documents import TextFiles
from electra_lab.text.corpus.shards import Shards
from electra_lab.text.tokenization import ElectraTokenizerFast

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [f"w{number}" for number in range(500)]


def tokenizer(words=WORDS, **settings) -> ElectraTokenizerFast:
    return ElectraTokenizerFast(vocab=[*SPECIALS, "[", "]", "mask", *words], **settings)


@pytest.fixture
def corpus(tmp_path):
    """Three files, 120 documents; each has a word that is in it alone."""
    chance = np.random.default_rng(0)
    folder = tmp_path / "text"
    folder.mkdir()
    for file in range(3):
        texts = []
        for number in range(40):
            paragraphs = [
                " ".join(chance.choice(WORDS[120:], chance.integers(1, 30)))
                for _ in range(chance.integers(1, 8))
            ]
            texts.append("\n".join([f"w{40 * file + number}", *paragraphs]))
        (folder / f"{file}.txt").write_text("\n\n".join(texts))
    return folder


def make(corpus, folder, **settings):
    settings = {"max_length": 24, "shard_tokens": 2000, "progress": False, **settings}
    return build_shards(
        TextFiles(corpus), settings.pop("tokenizer", tokenizer()), folder, **settings
    )


def content(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_all_tokens_are_there_once_in_order_and_no_segment_has_two_documents(corpus, tmp_path):
    report = make(corpus, tmp_path / "shards")
    read = Shards(tmp_path / "shards", tokenizer())
    assert len(read.index["shards"]) > 3
    words = "\n".join(p.read_text() for p in sorted(corpus.iterdir())).split()
    ids = [i for number in range(len(read)) for i in read[number].ids.tolist()]
    assert tokenizer().convert_ids_to_tokens(ids) == words
    assert (report.tokens, report.documents, report.segments) == (len(words), 120, len(read))
    assert read.tokens == report.tokens
    # the words 0 to 119 open a document each
    first = tokenizer().convert_tokens_to_ids("w0")
    for number in range(len(read)):
        opening = (read[number].ids < first + 120).nonzero()[0].tolist()
        assert opening in ([], [0])


def test_a_document_is_packed_alike_however_the_shards_are_cut(corpus, tmp_path):
    cut = []
    for size in (500, 2000, 10**6):
        make(corpus, tmp_path / str(size), shard_tokens=size)
        read = Shards(tmp_path / str(size), tokenizer())
        cut.append([(read[n].ids.tolist(), read[n].split) for n in range(len(read))])
    assert cut[0] == cut[1] == cut[2]


def test_rows_are_what_the_tokenizer_makes_of_the_two_parts(corpus, tmp_path):
    make(corpus, tmp_path / "shards")
    own = tokenizer()
    read = Shards(tmp_path / "shards", own)
    numbers = list(range(len(read)))[::7]
    rows = read.rows(numbers)
    kinds = set()
    for number, ids, types, length in zip(numbers, *rows, strict=True):
        segment = read[number]
        a, b = (
            " ".join(own.convert_ids_to_tokens(part.tolist()))
            for part in np.split(segment.ids, [segment.split])
        )
        expected = own(a, b or None)
        assert ids[:length].tolist() == expected["input_ids"]
        assert types[:length].tolist() == expected["token_type_ids"]
        assert (ids[length:] == own.pad_token_id).all()
        assert not types[length:].any()
        assert length <= read.max_length == 24
        kinds.add(bool(b))
    assert kinds == {True, False}


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
def test_ranks_share_the_segments_and_none_is_seen_twice(corpus, tmp_path, world_size):
    make(corpus, tmp_path / "shards")
    read = Shards(tmp_path / "shards", tokenizer())
    parts = [list(read.numbers(rank, world_size)) for rank in range(world_size)]
    assert sorted(number for part in parts for number in part) == list(range(len(read)))
    assert parts[-1][:2] == [world_size - 1, 2 * world_size - 1]
    with pytest.raises(ValueError, match=f"no rank {world_size} of {world_size}"):
        read.numbers(world_size, world_size)


def test_ids_take_16_bits_where_they_fit(corpus, tmp_path):
    make(corpus, tmp_path / "shards")
    assert np.load(tmp_path / "shards" / "shard-00000" / "ids.npy").dtype == np.uint16
    assert shards.id_type(2**16) is np.uint16
    assert shards.id_type(2**16 + 1) is np.uint32


def test_what_looks_like_a_special_token_is_text(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("w1 [MASK] w2")
    make(file, tmp_path / "shards")
    segment = Shards(tmp_path / "shards", tokenizer())[0]
    tokens = tokenizer().convert_ids_to_tokens(segment.ids.tolist())
    assert tokens == ["w1", "[", "mask", "]", "w2"]


@pytest.mark.parametrize("broken_at", [1, 2, 3])
def test_what_was_broken_off_goes_on_and_becomes_the_same(corpus, tmp_path, monkeypatch, broken_at):
    whole = make(corpus, tmp_path / "whole")
    real = build.write_shard

    def failing(folder, *arguments):
        if folder.name == f"shard-{broken_at:05d}":
            raise KeyboardInterrupt
        real(folder, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(build, "write_shard", failing)
        with pytest.raises(KeyboardInterrupt):
            make(corpus, tmp_path / "broken")
    with pytest.raises(FileNotFoundError, match="was broken off. Call build_shards again"):
        Shards(tmp_path / "broken", tokenizer())
    names = sorted(path.name for path in (tmp_path / "broken").iterdir())
    assert names == [f"shard-{number:05d}" for number in range(broken_at)]
    assert make(corpus, tmp_path / "broken") == whole
    assert content(tmp_path / "broken") == content(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_in_the_middle_leaves_whole_shards_that_are_gone_on_with(corpus, tmp_path):
    whole = make(corpus, tmp_path / "whole", shard_tokens=1)
    (tmp_path / "vocab").write_text("\n".join(tokenizer().get_vocab()))
    command = (
        "import sys; from electra_lab.text.corpus.build import build_shards\n"
        "from electra_lab.text.corpus.documents import TextFiles\n"
        "from electra_lab.text.tokenization import ElectraTokenizerFast\n"
        "build_shards(TextFiles(sys.argv[1]), ElectraTokenizerFast(sys.argv[2]), sys.argv[3],\n"
        "             max_length=24, shard_tokens=1, progress=False)"
    )
    folder = tmp_path / "killed"
    arguments = [sys.executable, "-c", command, corpus, tmp_path / "vocab", folder]
    with subprocess.Popen(arguments) as process:
        deadline = time.monotonic() + 240
        while not (folder / "shard-00010").exists() and time.monotonic() < deadline:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
    assert not (folder / "index.json").exists()
    assert make(corpus, folder, shard_tokens=1) == whole
    ours = {
        n: c for n, c in content(folder).items() if not n.startswith(".")
    }  # partial: never read
    assert ours == content(tmp_path / "whole")


def test_a_full_disk_leaves_nothing_half_written(corpus, tmp_path, monkeypatch):
    real, written = np.save, []

    def full(path, array):
        written.append(path)
        if len(written) == 5:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, array)

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(
            OSError, match="No space left.*Nothing was left behind.*Free some space"
        ):
            make(corpus, tmp_path / "shards")
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["shard-00000"]
    assert make(corpus, tmp_path / "shards").documents == 120


def test_made_shards_are_not_made_again_and_others_are_not_mixed_in(corpus, tmp_path, monkeypatch):
    first = make(corpus, tmp_path / "shards")
    before = content(tmp_path / "shards")
    with monkeypatch.context() as patch:
        patch.setattr(build, "write_shard", None)
        assert make(corpus, tmp_path / "shards") == first
    with pytest.raises(ValueError, match="max_length: 24 there, 32 here; seed: 0 there, 1 here"):
        make(corpus, tmp_path / "shards", max_length=32, seed=1)
    (corpus / "0.txt").write_text("w1")
    with pytest.raises(ValueError, match="other files, or files of other sizes"):
        make(corpus, tmp_path / "shards")
    assert content(tmp_path / "shards") == before


@pytest.mark.parametrize(
    "other",
    [
        tokenizer(WORDS[:-1]),
        tokenizer([*WORDS[1:], WORDS[0]]),
        tokenizer(do_lower_case=False),
    ],
    ids=["fewer", "another order", "another case"],
)
def test_a_vocabulary_that_does_not_fit_the_shards_is_refused(corpus, tmp_path, other):
    make(corpus, tmp_path / "shards")
    with pytest.raises(ValueError, match="The vocabulary does not fit the shards"):
        Shards(tmp_path / "shards", other)
    with pytest.raises(ValueError, match="The vocabulary does not fit the shards"):
        make(corpus, tmp_path / "shards", tokenizer=other)


def test_damage_is_named(corpus, tmp_path):
    folder = tmp_path / "shards"
    make(corpus, folder)
    ids = folder / "shard-00001" / "ids.npy"
    whole = ids.read_bytes()
    ids.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="shard-00001 cannot be read.*make them anew"):
        Shards(folder, tokenizer())
    np.save(ids, np.zeros(3, np.uint16))
    with pytest.raises(ValueError, match="shard-00001 has other sizes"):
        Shards(folder, tokenizer())
    ids.write_bytes(whole)
    read = Shards(folder, tokenizer())
    with pytest.raises(IndexError, match=f"no segment {len(read)}"):
        read[len(read)]
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**index, "version": 99}))
    with pytest.raises(ValueError, match="version 99"):
        Shards(folder, tokenizer())
    (folder / "index.json").write_text("{")
    with pytest.raises(ValueError, match=r"index\.json cannot be read"):
        Shards(folder, tokenizer())


def test_what_was_skipped_is_counted_once_even_when_the_making_was_broken_off(
    corpus, tmp_path, monkeypatch
):
    (corpus / "1.txt").write_bytes(
        b"\xff\xfe bad\n" + (corpus / "1.txt").read_bytes() + b"\n\xff\n"
    )
    (corpus / "9.txt").write_bytes(b"\0\1\2")
    (corpus / "empty.txt").touch()
    whole = make(corpus, tmp_path / "whole")
    assert whole.skipped == {
        documents.NOT_TEXT_LINES: 2,
        documents.NOT_TEXT_FILES: 1,
        documents.EMPTY_DOCUMENTS: 1,
    }
    assert "skipped or cut: 2 lines that are not UTF-8 text" in str(whole)
    real = build.write_shard

    def failing(folder, *arguments):
        if folder.name == "shard-00003":
            raise KeyboardInterrupt
        real(folder, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(build, "write_shard", failing)
        with pytest.raises(KeyboardInterrupt):
            make(corpus, tmp_path / "broken")
    assert make(corpus, tmp_path / "broken") == whole


def test_a_corpus_of_rubbish_is_refused_with_what_was_found_and_leaves_nothing(tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_bytes(b"\0rubbish")
    (tmp_path / "text" / "b.txt").write_bytes(b"\xff\xff\n\xfe\n")
    with pytest.raises(
        ValueError, match="no text in .*: 1 files that are binary.*2 lines that are not"
    ):
        make(tmp_path / "text", tmp_path / "shards")
    assert not (tmp_path / "shards").exists()


def test_faithful_reports_what_it_discards(corpus, tmp_path):
    report = make(corpus, tmp_path / "shards", faithful=True)
    whole = make(corpus, tmp_path / "whole")
    assert report.tokens + report.discarded == whole.tokens
    assert report.discarded > whole.tokens / 10
    assert "tokens that overran a segment" in str(report)
