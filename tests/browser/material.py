"""What several browser tests use: small models, a hostile text, and what is read off a page."""

import os
from pathlib import Path

import torch

from electra_lab.checkpoints.pair import Pair
from electra_lab.model.config import ElectraConfig
from electra_lab.model.heads import ElectraForMaskedLM, ElectraForPreTraining
from electra_lab.text.tokenization import ElectraTokenizerFast

PICTURES = Path(__file__).parents[2] / "build" / "browser"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "a", "old", "in", "cooked", "ate", "made", "chef", "meal", "house", "dog", "."]
VOCABULARY = SPECIAL + WORDS
EVIL = "<img src=x onerror='window.evil=1'></script><script>window.evil=1</script>"
# From an event to the frame that shows its effect: the frame's callback runs before it is painted,
# the message after that.
TIME = """async ([selector, kind, count]) => {
    const times = [];
    const found = [...document.querySelectorAll(selector)].slice(0, count);
    for (const target of found) {
        const box = target.getBoundingClientRect();
        const began = performance.now();
        target.dispatchEvent(new PointerEvent(kind, {
            bubbles: true, clientX: box.left + box.width / 2, clientY: box.top + box.height / 2,
        }));
        await new Promise((painted) => requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = painted;
            channel.port2.postMessage(0);
        }));
        times.push(performance.now() - began);
    }
    return times.sort((a, b) => a - b);
}"""


def small_config(layers, **changes):
    """A model of this vocabulary whose random weights are large enough to tell words apart."""
    sizes = {
        "vocab_size": len(VOCABULARY),
        "embedding_size": 16,
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 32,
        "initializer_range": 0.3,
    }
    return ElectraConfig(**sizes | changes)


def small_pair(layers=1):
    """A random pair, always the same."""
    config = small_config(layers)
    torch.manual_seed(0)
    generator, discriminator = ElectraForMaskedLM(config), ElectraForPreTraining(config)
    return Pair(generator.eval(), discriminator.eval(), ElectraTokenizerFast(vocab=VOCABULARY))


def texts(scope, selector):
    """What each element of a page, or of a part of it, says."""
    return [found.inner_text() for found in scope.locator(selector).all()]


def in_time(times):
    """Whether half of the events were painted within a tenth of a second, on a core for itself: where
    more wants to run than there are cores, each waits that much longer."""
    busy = max(1, os.getloadavg()[0] / os.cpu_count())
    print(f"median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms, busy {busy:.1f}")
    return times[len(times) // 2] <= 100 * busy


def contrast(page, selector):
    """Contrast of an element's text on the nearest painted background (WCAG 2.1)."""
    ink, paper = page.evaluate(
        """(selector) => {
            const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            const rgb = (colour) => {
                canvas.clearRect(0, 0, 1, 1);
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data];
            };
            let at = document.querySelector(selector);
            const ink = rgb(getComputedStyle(at).color);
            while (at && rgb(getComputedStyle(at).backgroundColor)[3] === 0) at = at.parentElement;
            return [ink, rgb(getComputedStyle(at).backgroundColor)];
        }""",
        selector,
    )
    lights = sorted(map(_luminance, (ink, paper)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour):
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (value / 255 for value in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
