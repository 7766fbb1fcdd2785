"""Heads of the downstream tasks: classify a sequence, tag its tokens, answer from it, choose."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from .config import ElectraConfig
from .dropout import Dropout
from .electra import ElectraModel
from .encoder import activation
from .heads import IGNORED_LABEL, check_labels, first_is_hidden, labels_on_padding
from .outputs import (
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from .pretrained import PreTrainedModel


def classifier_dropout(config: ElectraConfig) -> Dropout:
    """Dropout of a task head: ``classifier_dropout``, or the encoder's where that is None."""
    if config.classifier_dropout is None:
        return Dropout(config.hidden_dropout_prob)
    return Dropout(config.classifier_dropout)


class SequenceClassificationHead(nn.Module):
    """Dropout, dense, GELU, dropout, dense, on the state of [CLS].

    (google-research/electra has only the last dropout and dense layer here.)
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        assert config.num_labels is not None
        self.dropout = classifier_dropout(config)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.score = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, states: Float[Tensor, "batch seq hidden"]) -> Float[Tensor, "batch labels"]:
        first = self.dropout(states[:, 0])
        return self.score(self.dropout(F.gelu(self.dense(first))))


class TokenHead(nn.Module):
    """Dropout and one linear layer on every token: tags, or the start and end of an answer."""

    def __init__(self, config: ElectraConfig, labels: int, dropout: bool = True) -> None:
        super().__init__()
        self.dropout = classifier_dropout(config) if dropout else Dropout(0.0)
        self.score = nn.Linear(config.hidden_size, labels)

    def forward(
        self, states: Float[Tensor, "batch seq hidden"]
    ) -> Float[Tensor, "batch seq labels"]:
        return self.score(self.dropout(states))


class SequenceSummary(nn.Module):
    """One vector for a sequence, as the ``summary_*`` fields of the configuration say.

    Raises:
        ValueError: ``summary_type`` is not one of first, last, mean and cls_index.
    """

    TYPES = ("first", "last", "mean", "cls_index")

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        if config.summary_type not in self.TYPES:
            raise ValueError(
                f"summary_type is {config.summary_type!r}; expected one of {', '.join(self.TYPES)}."
            )
        self.summary_type = config.summary_type
        self.dense = (
            nn.Linear(config.hidden_size, config.hidden_size) if config.summary_use_proj else None
        )
        self.activation: Callable[[Tensor], Tensor] | None = (
            activation(config.summary_activation) if config.summary_activation else None
        )
        self.dropout = Dropout(config.summary_last_dropout)

    def forward(
        self,
        states: Float[Tensor, "batch seq hidden"],
    ) -> Float[Tensor, "batch hidden"]:
        if self.summary_type == "first":
            summary = states[:, 0]
        elif self.summary_type == "mean":
            summary = states.mean(dim=1)
        else:  # "cls_index" with no index given, as here, means the last token in transformers too
            summary = states[:, -1]
        if self.dense is not None:
            summary = self.dense(summary)
        if self.activation is not None:
            summary = self.activation(summary)
        return self.dropout(summary)


class MultipleChoiceHead(nn.Module):
    """A summary of question and choice together, and one score for it."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.summary = SequenceSummary(config)
        self.score = nn.Linear(config.hidden_size, 1)

    def forward(self, states: Float[Tensor, "rows seq hidden"]) -> Float[Tensor, " rows"]:
        return self.score(self.summary(states)).squeeze(-1)


def sequence_classification_loss(
    logits: Float[Tensor, "batch labels"], labels: Shaped[Tensor, "..."], problem_type: str
) -> Float[Tensor, ""]:
    """Mean squared error, cross-entropy or binary cross-entropy, by the problem's type.

    Raises:
        ValueError: the labels have another shape than the problem's type asks for.
    """
    if problem_type == "multi_label_classification":
        check_labels(labels, logits.shape)
        return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
    if problem_type == "single_label_classification" or logits.shape[1] == 1:
        if labels.numel() != len(logits):
            check_labels(labels, logits.shape[:1])
        if problem_type == "regression":
            return F.mse_loss(logits.flatten(), labels.flatten().to(logits.dtype))
        return F.cross_entropy(logits, labels.flatten())
    check_labels(labels, logits.shape)
    return F.mse_loss(logits, labels.to(logits.dtype))


class ElectraForSequenceClassification(PreTrainedModel):
    """Says which class a sequence, or a pair of them, belongs to; or gives it a number."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.head = SequenceClassificationHead(config)
        self.init_weights(self.head)

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        labels: Shaped[Tensor, "..."] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> SequenceClassifierOutput:
        """Args:
            labels: (batch,) class numbers or, for regression, targets; (batch, labels) of 0 and 1,
                as floats, where each sequence may have several labels.
            (The others as in ``ElectraModel.forward``.)

        Raises:
            ValueError: as ``ElectraModel.forward``, or labels of another shape.
        """
        states = self.electra(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            keep_padding=first_is_hidden(attention_mask),
            first_only=True,
            return_dict=True,
        )
        logits = self.head(states.last_hidden_state)
        loss = None
        if labels is not None:
            if self.config.problem_type is None:
                self.config.problem_type = self._tell_problem_type(labels)
            loss = sequence_classification_loss(logits, labels, self.config.problem_type)
        return SequenceClassifierOutput(loss, logits, states.hidden_states, states.attentions)

    def _tell_problem_type(self, labels: Tensor) -> str:
        if self.config.num_labels == 1:
            return "regression"
        if labels.is_floating_point():
            return "multi_label_classification"
        return "single_label_classification"


class ElectraForTokenClassification(PreTrainedModel):
    """Gives every token a label: parts of speech, names, and the like."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        assert config.num_labels is not None
        self.electra = ElectraModel(config)
        self.head = TokenHead(config, config.num_labels)
        self.init_weights(self.head)

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        labels: Int[Tensor, "..."] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> TokenClassifierOutput:
        """Args:
            labels: (batch, seq) class numbers, -100 where no loss is wanted.
            (The others as in ``ElectraModel.forward``.)

        Raises:
            ValueError: as ``ElectraModel.forward``, or labels of another shape than the input.
        """
        states = self.electra(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            keep_padding=labels_on_padding(labels, attention_mask),
            return_dict=True,
        )
        logits = self.head(states.last_hidden_state)
        loss = None
        if labels is not None:
            check_labels(labels, logits.shape[:2])
            loss = F.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED_LABEL
            )
        return TokenClassifierOutput(loss, logits, states.hidden_states, states.attentions)


class ElectraForQuestionAnswering(PreTrainedModel):
    """Finds the answer to a question as a span of the text.

    Start and end are scored independently of each other. (The head that google-research/electra
    uses on SQuAD 2 scores the end given the start.)
    """

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.head = TokenHead(config, labels=2, dropout=False)
        self.init_weights(self.head)

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        start_positions: Int[Tensor, "..."] | None = None,
        end_positions: Int[Tensor, "..."] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> QuestionAnsweringModelOutput:
        """Args:
            start_positions, end_positions: (batch,) first and last token of the answer; one that
                lies beyond the input takes no part in the loss, the mean of both cross-entropies.
            (The others as in ``ElectraModel.forward``.)

        Raises:
            ValueError: as ``ElectraModel.forward``, or only one of the two positions was given.
        """
        if (start_positions is None) != (end_positions is None):
            given = "end_positions" if start_positions is None else "start_positions"
            raise ValueError(f"Only {given} was given; the loss needs start and end. Give both.")
        states = self.electra(
            input_ids,
            attention_mask,
            token_type_ids,
            position_ids,
            inputs_embeds,
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            # the softmax over positions counts those of padding too
            keep_padding=True,
            return_dict=True,
        )
        start_logits, end_logits = self.head(states.last_hidden_state).unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            start_loss = _position_loss(start_logits, start_positions)
            loss = (start_loss + _position_loss(end_logits, end_positions)) / 2
        return QuestionAnsweringModelOutput(
            loss, start_logits, end_logits, states.hidden_states, states.attentions
        )


def _position_loss(
    logits: Float[Tensor, "batch seq"], positions: Int[Tensor, "..."]
) -> Float[Tensor, ""]:
    """Cross-entropy over the positions; what lies beyond the input is ignored."""
    seq = logits.shape[1]
    return F.cross_entropy(logits, positions.flatten().clamp(0, seq), ignore_index=seq)


class ElectraForMultipleChoice(PreTrainedModel):
    """Chooses between continuations or answers: each choice is read together with its context."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.head = MultipleChoiceHead(config)
        self.init_weights(self.head)

    def forward(
        self,
        input_ids: Int[Tensor, "..."] | None = None,
        attention_mask: Shaped[Tensor, "..."] | None = None,
        token_type_ids: Int[Tensor, "..."] | None = None,
        position_ids: Int[Tensor, "..."] | None = None,
        inputs_embeds: Float[Tensor, "..."] | None = None,
        labels: Int[Tensor, "..."] | None = None,
        head_mask: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> MultipleChoiceModelOutput:
        """Args:
            input_ids and the other inputs: (batch, choices, seq).
            labels: (batch,) the number of the right choice.

        Raises:
            ValueError: as ``ElectraModel.forward``, an input without the choices' axis, or labels of
                another shape.
        """
        given = input_ids if input_ids is not None else inputs_embeds
        if given is None or given.dim() != (3 if given is input_ids else 4):
            raise ValueError(
                f"The input has the shape {None if given is None else tuple(given.shape)}; expected "
                "input_ids of (batch, choices, seq) or inputs_embeds of one more axis."
            )
        choices = given.shape[1]
        states = self.electra(
            *(
                None if tensor is None else tensor.flatten(0, 1)
                for tensor in (
                    input_ids,
                    attention_mask,
                    token_type_ids,
                    position_ids,
                    inputs_embeds,
                )
            ),
            head_mask=head_mask,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
            # any other summary reads positions that may be padding
            keep_padding=self.config.summary_type != "first" or first_is_hidden(attention_mask),
            first_only=self.config.summary_type == "first",
            return_dict=True,
        )
        logits = self.head(states.last_hidden_state).unflatten(0, (-1, choices))
        loss = None
        if labels is not None:
            check_labels(labels, logits.shape[:1])
            loss = F.cross_entropy(logits, labels)
        return MultipleChoiceModelOutput(loss, logits, states.hidden_states, states.attentions)
