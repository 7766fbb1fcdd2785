// Shared by all views, and put before the module of each.
// Strings from a model or a reader enter the page only as text or as attribute values: nothing
// here, or in any view, reads HTML.

function element(tag, className = "", text = "", attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function drawing(tag, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

// The frame of a view: title, note, then what the view adds.
function frame(kind, state) {
  // JupyterLab would take arrow keys for itself
  const root = element("div", `electra-view electra-${kind}`, "", {
    "data-lm-suppress-shortcuts": "true",
  });
  if (state.title) root.append(element("div", "electra-title", state.title));
  if (state.note) root.append(element("div", "electra-note", state.note, { role: "status" }));
  return root;
}

// Draw now and whenever the data changes; the keyboard's place survives a redraw.
function follow(model, el, draw) {
  const redraw = () => {
    const index = el.contains(document.activeElement)
      ? document.activeElement.dataset.index
      : undefined;
    el.replaceChildren(draw(model.get("state")));
    if (index !== undefined) el.querySelector(`[data-index="${index}"]`)?.focus();
  };
  model.on("change:state", redraw);
  redraw();
  return () => model.off("change:state", redraw);
}

// One stop of the Tab key for a whole row of items; arrow keys, Home and End move within it.
function rove(items) {
  items.forEach((item, position) => {
    item.dataset.index = position;
    item.tabIndex = position === 0 ? 0 : -1;
    item.addEventListener("focus", () => {
      for (const other of items) other.tabIndex = other === item ? 0 : -1;
    });
    item.addEventListener("keydown", (event) => {
      const to = {
        ArrowRight: position + 1,
        ArrowDown: position + 1,
        ArrowLeft: position - 1,
        ArrowUp: position - 1,
        Home: 0,
        End: items.length - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      items[to]?.focus();
    });
  });
}

// JupyterLab prevents what arrow keys do to a slider, so it is done here.
function slideByKeys(slider) {
  slider.addEventListener("keydown", (event) => {
    const now = Number(slider.value), step = Number(slider.step);
    const to = {
      ArrowRight: now + step,
      ArrowUp: now + step,
      ArrowLeft: now - step,
      ArrowDown: now - step,
      Home: slider.min,
      End: slider.max,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    slider.value = to; // which keeps it within the range
    for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind));
  });
}
