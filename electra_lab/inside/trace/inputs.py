"""From whatever a person has, a text, a batch, a question, to rows that a model reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from electra_lab.pipelines.answers import question_windows

from .outcome import Kind

MODEL_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds")
# What a collator or tokenizer puts beside them; a trace has no use for it.
LEFT_OUT = (
    "labels",
    "start_positions",
    "end_positions",
    "offset_mapping",
    "special_tokens_mask",
    "overflow_to_sample_mapping",
    "length",
)
FORMS = (
    "a text, a (text, text) pair, {'question': ..., 'context': ...}, "
    "{'context': ..., 'choices': [...]}, a list of one of these, or what a tokenizer returns"
)
# Tokens of a window with its question; what the question-answering pipeline takes.
WINDOW = 384


@dataclass(frozen=True)
class Row:
    """One sequence: its ids, and what is known of each."""

    ids: list[int]
    types: list[int]
    words: list[int | None]
    sides: list[int | None]
    offsets: list[tuple[int, int]] | None
    text: tuple[str, str | None]


@dataclass(frozen=True)
class Inputs:
    """What the model is called with, and the same in words; the lists are those of ``Trace``.

    Attributes:
        tensors: the model's arguments.
        mask: [batch seq], False at padding.
        choices: how many rows belong together; None where each stands for itself.
    """

    tensors: dict[str, Tensor]
    mask: Bool[Tensor, "batch seq"]
    tokens: list[list[str]]
    words: list[list[int | None]]
    sides: list[list[int | None]]
    offsets: list[list[tuple[int, int]]] | None
    texts: list[tuple[str, str | None]] | None
    of_input: list[int]
    choices: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and tokens of each."""
        rows, seq = self.mask.shape
        return rows, seq

    def flat(self, name: str) -> Tensor | None:
        """One of the tensors with a row for each sequence, where choices have an axis of their own."""
        tensor = self.tensors.get(name)
        return tensor if tensor is None or self.choices is None else tensor.flatten(0, 1)


def prepare(model: Any, kind: Kind, inputs: Any, tokenizer: Any) -> Inputs:
    """Rows for a model.

    Args:
        model: one of this package.
        kind: what its head says.
        inputs: see ``trace``.
        tokenizer: needed for texts.

    Raises:
        ValueError: the inputs are empty, of no known form, too long, or texts without a tokenizer.
    """
    tensors = _as_tensors(inputs)
    if tensors is not None:
        return _from_tensors(tensors, inputs, kind, tokenizer, model.device)
    if tokenizer is None:
        raise ValueError("A text needs the model's tokenizer: trace(model, text, tokenizer=...).")
    items = list(inputs) if isinstance(inputs, list) else [inputs]
    if not items:
        raise ValueError(f"There is nothing to trace: the list is empty. Expected {FORMS}.")
    limit = model.config.max_position_embeddings
    groups = [list(_rows(item, kind, tokenizer, limit)) for item in items]
    counts = {len(group) for group in groups}
    if kind == "choices" and len(counts) > 1:
        raise ValueError(
            f"The inputs have {min(counts)} to {max(counts)} choices; in one trace each needs the same "
            "number. Trace them one by one."
        )
    rows = [row for group in groups for row in group]
    longest = max(len(row.ids) for row in rows)
    if longest > limit:
        raise ValueError(
            f"The input has {longest:,} tokens, the model {limit:,} positions. Shorten the text, or "
            "tokenize it with truncation=True and give what the tokenizer returns."
        )
    return _padded(
        rows,
        [number for number, group in enumerate(groups) for _ in group],
        counts.pop() if kind == "choices" else None,
        tokenizer,
        model.device,
    )


def _rows(item: Any, kind: Kind, tokenizer: Any, limit: int) -> Iterator[Row]:
    """The sequences that one input becomes."""
    if isinstance(item, Mapping) and isinstance(item.get("choices"), list | tuple):
        item = (item.get("context"), item["choices"])
    elif isinstance(item, Mapping) and "question" in item:
        item = (item["question"], item.get("context"))
    elif isinstance(item, Mapping) and "text" in item:
        item = item["text"] if item.get("text_pair") is None else (item["text"], item["text_pair"])
    first, second = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
    if kind == "choices":
        if not isinstance(second, list | tuple) or not second:
            raise ValueError(
                "A model that chooses needs {'context': text, 'choices': [text, ...]}; got "
                f"{item!r:.80}."
            )
        for choice in second:
            yield from _encoded(tokenizer, _text(first), _text(choice))
    elif kind == "span" and second is not None:
        yield from _windows(tokenizer, _text(first), _text(second), limit)
    else:
        yield from _encoded(tokenizer, _text(first), None if second is None else _text(second))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"Cannot trace {value!r:.80}. Expected {FORMS}.")
    if not value.strip():
        raise ValueError("The text is empty. Give at least one word.")
    return value


def _encoded(tokenizer: Any, first: str, second: str | None) -> Iterator[Row]:
    pairs = None if second is None else [second]
    if getattr(tokenizer, "is_fast", True) or hasattr(tokenizer, "_pieces"):
        encoding = tokenizer([first], pairs, return_offsets_mapping=True)
    else:
        encoding = tokenizer([first], pairs)
    yield from _rows_of(encoding, tokenizer, first, second)


def _windows(tokenizer: Any, question: str, context: str, limit: int) -> Iterator[Row]:
    """A row for each window of the passage, as the question-answering pipeline cuts it."""
    encoding = question_windows(tokenizer, question, context, min(WINDOW, limit))
    yield from _rows_of(encoding, tokenizer, question, context)


def _rows_of(encoding: Any, tokenizer: Any, first: str, second: str | None) -> Iterator[Row]:
    types = encoding.get("token_type_ids")
    for number, ids in enumerate(encoding["input_ids"]):
        of_type = [0] * len(ids) if types is None else list(types[number])
        words, sides = _places(encoding, number, ids, of_type, tokenizer)
        offsets = encoding.get("offset_mapping")
        yield Row(
            list(ids),
            of_type,
            words,
            sides,
            None if offsets is None else [(int(a), int(b)) for a, b in offsets[number]],
            (first, second),
        )


def _places(
    encoding: Any, number: int, ids: Sequence[int], types: Sequence[int], tokenizer: Any
) -> tuple[list[int | None], list[int | None]]:
    """Word and side of each token, from the tokenizer where it knows, otherwise from the pieces."""
    encodings = getattr(encoding, "encodings", None)
    if encodings and number < len(encodings) and len(encoding.word_ids(number)) == len(ids):
        return list(encoding.word_ids(number)), list(encoding.sequence_ids(number))
    special = set() if tokenizer is None else set(tokenizer.all_special_ids)
    if tokenizer is not None:
        special -= {tokenizer.unk_token_id, tokenizer.mask_token_id}
    tokens = token_names(ids, tokenizer)
    sides = [None if token in special else kind for token, kind in zip(ids, types, strict=True)]
    words: list[int | None] = []
    count, before = -1, None
    for token, side in zip(tokens, sides, strict=True):
        if side is None:
            words.append(None)
        else:
            if side != before:
                count = -1
            if not token.startswith("##") or count < 0:
                count += 1
            words.append(count)
        before = side if side is not None else before
    return words, sides


def token_names(ids: Sequence[int], tokenizer: Any) -> list[str]:
    """The tokens of some ids; the ids as text where there is no tokenizer."""
    if tokenizer is None:
        return [str(number) for number in ids]
    return [str(token) for token in tokenizer.convert_ids_to_tokens(list(ids))]


def _padded(
    rows: Sequence[Row],
    of_input: list[int],
    choices: int | None,
    tokenizer: Any,
    device: torch.device,
) -> Inputs:
    """Rows of several lengths side by side, padding behind them."""
    seq = max(len(row.ids) for row in rows)
    pad = tokenizer.pad_token_id

    def filled(values: Sequence[Any], fill: Any) -> list[Any]:
        return [*values, *[fill] * (seq - len(values))]

    ids = torch.tensor([filled(row.ids, pad) for row in rows], device=device)
    mask = torch.tensor([filled([True] * len(row.ids), False) for row in rows], device=device)
    tensors = {
        "input_ids": ids,
        "attention_mask": mask.long(),
        "token_type_ids": torch.tensor([filled(row.types, 0) for row in rows], device=device),
    }
    if choices is not None:
        tensors = {name: tensor.unflatten(0, (-1, choices)) for name, tensor in tensors.items()}
    offsets = [filled(row.offsets, (0, 0)) for row in rows if row.offsets is not None]
    return Inputs(
        tensors,
        mask,
        [token_names(row, tokenizer) for row in ids.tolist()],
        [filled(row.words, None) for row in rows],
        [filled(row.sides, None) for row in rows],
        offsets if len(offsets) == len(rows) else None,
        [row.text for row in rows],
        of_input,
        choices,
    )


def _as_tensors(inputs: Any) -> dict[str, Tensor] | None:
    """The model's arguments in a dictionary; None where the inputs are texts.

    Raises:
        ValueError: rows of several lengths, or a name that no model takes.
    """
    if isinstance(inputs, Tensor):
        inputs = {"input_ids" if not inputs.is_floating_point() else "inputs_embeds": inputs}
    if not isinstance(inputs, Mapping) or not {"input_ids", "inputs_embeds"} & set(inputs):
        return None
    unknown = sorted(set(inputs) - {*MODEL_INPUTS, *LEFT_OUT})
    if unknown:
        raise ValueError(
            f"The inputs hold {', '.join(unknown)}, which a trace does not take. It takes "
            f"{', '.join(MODEL_INPUTS)}."
        )
    tensors = {}
    for name in MODEL_INPUTS:
        if inputs.get(name) is None:
            continue
        try:
            tensor = torch.as_tensor(inputs[name])
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{name} is no rectangle of numbers ({error}). Tokenize with padding=True."
            ) from error
        single = tensor.dim() == (2 if name == "inputs_embeds" else 1)
        tensors[name] = tensor[None] if single else tensor
    return tensors


def _from_tensors(
    tensors: dict[str, Tensor], given: Any, kind: Kind, tokenizer: Any, device: torch.device
) -> Inputs:
    """Rows that were tokenized before.

    Raises:
        ValueError: a tensor has not the axes that the model needs, or there are no rows.
    """
    # copies: a trace keeps them, and whoever gave them may go on writing into them
    tensors = {name: tensor.to(device, copy=True) for name, tensor in tensors.items()}
    main = "input_ids" if "input_ids" in tensors else "inputs_embeds"
    axes = (3 if kind == "choices" else 2) + (main == "inputs_embeds")
    shape = tuple(tensors[main].shape)
    if len(shape) != axes or 0 in shape:
        expected = "(batch, choices, seq" if kind == "choices" else "(batch, seq"
        raise ValueError(
            f"{main} has the shape {shape}; expected {expected}"
            f"{', embedding_size)' if main == 'inputs_embeds' else ')'}, none of them 0."
        )
    choices = shape[1] if kind == "choices" else None
    flat = {n: t if choices is None else t.flatten(0, 1) for n, t in tensors.items()}
    count, seq = flat[main].shape[:2]
    mask = _attended(flat.get("attention_mask"), count, seq, device)
    ids = flat["input_ids"].tolist() if main == "input_ids" else None
    types = flat["token_type_ids"].tolist() if "token_type_ids" in flat else [[0] * seq] * count
    if ids is None:
        tokens = [[f"vector {place}" for place in range(seq)]] * count
        places = [([*range(seq)], list(row)) for row in types]
    else:
        tokens = [token_names(row, tokenizer) for row in ids]
        places = [_places(given, n, ids[n], types[n % len(types)], tokenizer) for n in range(count)]
    return Inputs(
        tensors,
        mask,
        [list(row) for row in tokens],
        [list(words) for words, _ in places],
        [list(sides) for _, sides in places],
        _offsets(given, count, seq),
        None,
        [number // (choices or 1) for number in range(count)],
        choices,
    )


def _offsets(given: Any, count: int, seq: int) -> list[list[tuple[int, int]]] | None:
    offsets = given.get("offset_mapping") if isinstance(given, Mapping) else None
    if offsets is None:
        return None
    offsets = torch.as_tensor(offsets).reshape(-1, seq, 2)
    return [[(a, b) for a, b in row] for row in offsets.tolist()] if len(offsets) == count else None


def _attended(
    attention_mask: Tensor | None, count: int, seq: int, device: torch.device
) -> Bool[Tensor, "batch seq"]:
    """Which tokens are no padding: those that are looked at, by at least one token where each has a
    mask of its own. A row that hides everything counts as unpadded."""
    if attention_mask is None:
        return torch.ones(count, seq, dtype=torch.bool, device=device)
    looked_at = attention_mask != 0
    if looked_at.dim() == 3:
        looked_at = looked_at.any(dim=1)
    return looked_at | ~looked_at.any(dim=-1, keepdim=True)
