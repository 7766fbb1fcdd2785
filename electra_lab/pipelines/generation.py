"""Text that goes on where a text ends."""

from __future__ import annotations

from typing import Any

import torch

from electra_lab.model.causal_lm import ElectraForCausalLM

from .base import Pipeline


class TextGeneration(Pipeline):
    """``[{"generated_text": ...}]`` for a text; takes the options of ``ElectraForCausalLM.generate``."""

    task = "text-generation"
    model_class = "ElectraForCausalLM"

    def answer(
        self, inputs: list[Any], return_full_text: bool = True, **options: Any
    ) -> list[list[dict[str, str]]]:
        """Args:
        return_full_text: the text and its continuation; False: only the continuation.
        options: ``max_new_tokens``, ``do_sample``, ``temperature``, ``top_k``, ``top_p``,
            ``seed``, ``eos_token_id``.
        """
        assert isinstance(self.model, ElectraForCausalLM)
        results = []
        for text in inputs:
            # no [SEP]: the text is to go on
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            prompt = torch.tensor([[self.tokenizer.cls_token_id, *ids]], device=self.model.device)
            generated = self.model.generate(prompt, **options)[0, prompt.shape[1] :]
            new = self.tokenizer.decode(generated.tolist(), skip_special_tokens=True)
            results.append([{"generated_text": f"{text} {new}" if return_full_text else new}])
        return results
