"""TensorFlow's checkpoint format: files that TensorFlow wrote, and broken ones."""

import shutil
from pathlib import Path

import pytest
import torch

from electra_lab.checkpoints.crc32c import crc32c
from electra_lab.checkpoints.tensor_bundle import TensorBundle, find_bundle

from .bundle_writer import entry, header, table, write_bundle

FIXTURES = Path(__file__).parent / "fixtures" / "tensorflow"
DATA = "model.ckpt.data-00000-of-00001"


@pytest.fixture
def folder(tmp_path):
    """A copy of the small bundle, to be broken."""
    return Path(shutil.copytree(FIXTURES / "variables", tmp_path / "copy"))


@pytest.mark.parametrize(
    ("data", "checksum"),  # RFC 3720, appendix B.4, and the check value that catalogues give
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
    ids=("zeros", "ones", "rising", "digits", "nothing"),
)
def test_the_checksum_is_that_of_the_standard(data, checksum):
    assert crc32c(data) == checksum


@pytest.mark.parametrize("length", [4 * 4096, 4 * 4096 + 1, 5 * 4096 - 1, 40_000])
def test_the_checksum_of_long_data_is_that_of_its_bytes_one_by_one(length):
    """What follows a register of zeros is the register: so a checksum goes on from any place."""
    data = torch.randint(256, (length,), generator=torch.Generator().manual_seed(length))
    data = bytes(data.to(torch.uint8).tolist())
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    assert crc32c(data) == register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    "kind", ["float16", "float32", "float64", "int32", "int64", "bool", "bfloat16"]
)
def test_variables_have_the_type_and_the_numbers_that_tensorflow_wrote(kind):
    shape = (6,) if kind == "bfloat16" else (2, 3)
    expected = torch.arange(6).reshape(shape).to(getattr(torch, kind))
    got = TensorBundle(FIXTURES / "variables" / "model.ckpt").read(f"kinds/{kind}")
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_scalars_and_empty_variables_are_read():
    bundle = TensorBundle(FIXTURES / "variables" / "model.ckpt")
    assert bundle.read("kinds/scalar").item() == 0.5
    assert bundle.read("kinds/scalar").shape == ()
    assert bundle.read("kinds/empty").shape == (0, 4)


def test_every_variable_of_a_checkpoint_is_found_once():
    bundle = TensorBundle(FIXTURES / "original" / "model.ckpt-3")
    assert len(bundle.variables) == 247  # 82 of the models, two moments of each, the step
    assert bundle.read("global_step").item() == 3
    assert bundle.variables["electra/embeddings/word_embeddings"].shape == (40, 32)


def test_a_variable_in_slices_is_refused_by_name():
    bundle = TensorBundle(FIXTURES / "variables" / "model.ckpt")
    with pytest.raises(ValueError, match="stores sliced in slices.*without a partitioner"):
        bundle.read("sliced")


def test_every_changed_byte_of_an_index_is_noticed(folder):
    file = folder / "model.ckpt.index"
    whole = file.read_bytes()
    expected = TensorBundle(folder / "model.ckpt").variables
    unread = 0  # a block of no entries, its handle, and the footer's padding
    for position in range(len(whole)):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        try:
            got = TensorBundle(folder / "model.ckpt").variables
        except ValueError:
            continue
        assert got == expected
        unread += 1
    assert unread < 60


def test_every_cut_of_an_index_is_noticed(folder):
    file = folder / "model.ckpt.index"
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="model.ckpt.index is no index"):
            TensorBundle(folder / "model.ckpt")


def test_a_changed_byte_of_the_data_names_the_variable(folder):
    data = bytearray((folder / DATA).read_bytes())
    bundle = TensorBundle(folder / "model.ckpt")
    data[bundle.variables["kinds/int64"].offset + 5] ^= 1
    (folder / DATA).write_bytes(data)
    with pytest.raises(ValueError, match=f"{DATA} is damaged: the checksum of kinds/int64"):
        bundle.read("kinds/int64")
    assert bundle.read("kinds/int32").sum() == 15


def test_data_that_is_cut_off_or_missing_is_named(folder):
    data = (folder / DATA).read_bytes()
    bundle = TensorBundle(folder / "model.ckpt")
    last = max(bundle.variables, key=lambda name: bundle.variables[name].offset)
    (folder / DATA).write_bytes(data[: bundle.variables[last].offset + 1])
    with pytest.raises(ValueError, match=f"{DATA} is cut off: {last} should have .* 1 are there"):
        bundle.read(last)
    (folder / DATA).unlink()
    with pytest.raises(FileNotFoundError, match=f"There is no .*{DATA}, in which {last} should"):
        bundle.read(last)
    with pytest.raises(FileNotFoundError, match="There is no .*nothing.index"):
        TensorBundle(folder / "nothing")


@pytest.mark.parametrize(("shards", "per_block"), [(1, 2), (3, 100), (3, 1)])
def test_variables_are_found_in_their_blocks_and_shards(shards, per_block, tmp_path):
    tensors = {name: torch.randn(3, 2) for name in "abcde"}
    write_bundle(tmp_path / "m", tensors, shards, per_block)
    bundle = TensorBundle(tmp_path / "m")
    assert list(bundle.variables) == list(tensors)
    for name, tensor in tensors.items():
        assert torch.equal(bundle.read(name), tensor)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (table([header()], compression=1), r"compressed \(Snappy\)"),
        (table([header()], compression=9), r"compressed \(kind 9\)"),
        (table([header(byte_order=1)]), "big-endian machine"),
        (table([]), "has no header"),
        (table([(b"a", b"")]), "has no header"),
        (table([header(), (b"a", b"\x0b")]), "unknown kind 3"),
        (table([header(), (b"a", b"\x12\x7f")]), "cut off"),
        (table([header(), (b"a", b"\x10\x01")]), "a number in it stands where a message"),
        (table([header(), (b"a", b"\x0a\x00")]), "field 1 of an entry is no number"),
        (b"<html>not found</html>" * 9, "does not end as a table does"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_index_is_refused_with_the_reason(index, message, tmp_path):
    (tmp_path / "m.index").write_bytes(index)
    with pytest.raises(ValueError, match=f"m.index .*{message}"):
        TensorBundle(tmp_path / "m")


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (entry(7, (1,), 0, 0, b"abcd"), "a in .*m is of TensorFlow's type number 7; expected one"),
        (entry(1, (2,), 0, 0, b"abcd"), r"a in .*m is said to have 4 bytes.*\(2,\)"),
    ],
    ids=("type", "shape"),
)
def test_a_variable_that_cannot_be_is_refused_by_name(described, message, tmp_path):
    (tmp_path / "m.index").write_bytes(table([header(), (b"a", described)]))
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"abcd")
    with pytest.raises(ValueError, match=message):
        TensorBundle(tmp_path / "m").read("a")


def test_a_bundle_is_found_by_folder_prefix_and_index(folder):
    prefix = folder / "model.ckpt"
    assert find_bundle(folder) == find_bundle(prefix) == prefix
    assert find_bundle(folder / "model.ckpt.index") == prefix
    assert find_bundle(folder / "other") is None
    assert find_bundle(folder.parent) is None


def test_of_several_bundles_the_one_that_tensorflow_named_is_taken(tmp_path):
    for step in (1, 20, 3):
        (tmp_path / f"model.ckpt-{step}.index").touch()
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "/far/away/model.ckpt-20"\n'
        'all_model_checkpoint_paths: "/far/away/model.ckpt-1"\n'
    )
    assert find_bundle(tmp_path) == tmp_path / "model.ckpt-20"
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(ValueError, match=r"several.*ckpt-1, model.ckpt-20, model.ckpt-3\. Name"):
        find_bundle(tmp_path)
