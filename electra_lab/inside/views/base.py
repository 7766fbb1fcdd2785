"""What every view has in common: one picture of some data, in four forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .alt_text import alt_text
from .display import display_mode
from .page import frame, page
from .palette import css_variables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .widget import ViewWidget

WIDTH = 720  # CSS pixels of a page and of a picture
_HERE = Path(__file__).parent

Handler = Callable[[dict[str, Any]], None]


@cache
def source(name: str) -> str:
    """A file beside this one, as text."""
    return (_HERE / name).read_text(encoding="utf-8")


class View:
    """Draws its data and says when the reader chose something. It never calls a model.

    A kind of view says four things: ``module_name`` (its ES module beside this file), ``state``
    (what that module draws), ``figure`` (the picture) and ``__repr__`` (the text). All the rest is
    here.
    """

    module_name = ""
    style_name = (
        ""  # a style sheet beside this file, for a kind of view that needs more than views.css
    )

    def __init__(self) -> None:
        self._handlers: list[Handler] = []
        self._widget: ViewWidget | None = None

    # What a kind of view says

    def state(self) -> dict[str, Any]:
        """What the ES module draws, ready for JSON. Strings in it are shown as text, never as
        HTML."""
        raise NotImplementedError

    def figure(self) -> Figure:
        """The picture, as a matplotlib figure ``WIDTH`` pixels wide."""
        raise NotImplementedError

    def height(self) -> int:
        """About how many CSS pixels the page needs."""
        raise NotImplementedError

    # What all views have

    def module(self) -> str:
        """The ES module: what the views share, then this one's own."""
        return source("shared.js") + source(f"{self.module_name}.js")

    def style(self) -> str:
        """The style sheet of all views, then what this one needs besides."""
        return style_sheet([self])

    def on_event(self, handler: Handler) -> None:
        """Call ``handler`` with each event of the live widget: a dict with ``"event"`` and
        ``"index"``, the number of the token or bar that the reader chose."""
        self._handlers.append(handler)
        self._push()

    @property
    def widget(self) -> ViewWidget:
        """The live form; made when first asked for, and then always the same one.

        Raises:
            ImportError: anywidget is not installed.
        """
        if self._widget is None:
            from .widget import widget_class

            name = type(self).__name__
            self._widget = widget_class(name)(
                name,
                _esm=self.module(),
                _css=self.style(),
                state=self._live_state(),
            )
            self._widget.on_msg(lambda widget, content, buffers: self._receive(content))
        return self._widget

    def to_html(self, scheme: str = "light dark") -> str:
        """A complete, self-contained page: no kernel, no network.

        Args:
            scheme: ``"light"``, ``"dark"``, or ``"light dark"``: what the reader's system prefers.

        Raises:
            ValueError: there is no such scheme.
        """
        return page([self], type(self).__name__, scheme=scheme)

    def to_png(self) -> bytes:
        """The picture as a PNG, twice as fine as the page."""
        from .picture import png

        return png(self.figure)

    def save(self, path: str | Path) -> None:
        """Write the page (``.html``) or the picture (``.png``).

        Raises:
            ValueError: ``path`` ends otherwise.
        """
        save(self, path)

    def _live_state(self) -> dict[str, Any]:
        return {**self.state(), "interactive": bool(self._handlers)}

    def _push(self) -> None:
        """Let the live form, if there is one, draw what the data is now."""
        if self._widget is not None:
            self._widget.state = self._live_state()

    def _receive(self, content: object) -> None:
        if isinstance(content, dict) and isinstance(content.get("event"), str):
            for handler in self._handlers:
                handler(content)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return mime_bundle(self, lambda: self.widget)


def style_sheet(views: Iterable[View]) -> str:
    """What all views share, then what each kind among ``views`` needs besides."""
    names = dict.fromkeys(view.style_name for view in views if view.style_name)
    return css_variables() + source("views.css") + "".join(map(source, names))


def save(shown: Any, path: str | Path) -> None:
    """Write the page or the picture of a view or an explorer, by the ending of ``path``."""
    path = Path(path)
    match path.suffix.lower():
        case ".html":
            path.write_text(shown.to_html(), encoding="utf-8")
        case ".png":
            path.write_bytes(shown.to_png())
        case ending:
            raise ValueError(
                f"{path} ends in {ending!r}; a view is saved as a page (.html) or a picture (.png)."
            )


def mime_bundle(
    shown: Any, live: Callable[[], Any], picture: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a cell's output holds of ``shown``: picture and text, and what the mode adds.

    The front end takes the richest form that it can show, so the picture is seen where widgets and
    pages are not.
    """
    text = repr(shown)
    data: dict[str, Any] = {"text/plain": text}
    metadata: dict[str, Any] = {}
    if picture:
        data["image/png"] = shown.to_png()
        metadata["image/png"] = {"alt": alt_text(text), "width": WIDTH}
    match display_mode():
        case "live":
            widget_data, widget_metadata = _widget_bundle(live())
            data = {**widget_data, **data}
            metadata = {**widget_metadata, **metadata}
        case "page":
            # exported notebooks are light, whatever the reader's system prefers
            data["text/html"] = frame(shown.to_html("light"), shown.height())
        case "static":
            pass
    return data, metadata


def _widget_bundle(widget: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    bundle = widget._repr_mimebundle_()
    return bundle if isinstance(bundle, tuple) else (bundle, {})
