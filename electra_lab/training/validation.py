"""A part of train to choose by, where the data has no validation split."""

from __future__ import annotations

from dataclasses import replace

from electra_lab.text.tasks.dividing import set_aside, text_of
from electra_lab.text.tasks.schema import TaskData


def with_validation(data: TaskData, share: float, seed: int = 0) -> TaskData:
    """The data with a validation split: its own, or a part of train.

    What has the same text, and questions on one context, stay together; of each class the same share
    is taken.

    Args:
        share: of train; 0 leaves the data as it is.

    Raises:
        ValueError: ``share`` is not from 0 to below 1, or train cannot be divided.
    """
    if not 0 <= share < 1:
        raise ValueError(
            f"validation_share is {share}; expected 0 or a part of train, such as 0.1."
        )
    if data.validation is not None or share == 0:
        return data
    single = data.problem_type == "single_label_classification"
    classes = list(data.train["label"]) if single else None
    chosen = set_aside([text_of(row) for row in data.train], classes, share, seed)
    rest = [i for i in range(len(data.train)) if i not in chosen]
    if not chosen or not rest:
        raise ValueError(
            f"{data.name} has {len(data.train)} rows of train, too few different ones to keep a part "
            "for validation. Give more, or train without: FinetuningSettings(validation_share=0)."
        )
    return replace(
        data, train=data.train.select(rest), validation=data.train.select(sorted(chosen))
    )
