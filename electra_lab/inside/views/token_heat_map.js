function token(item, index, model, state) {
  const said = item.original === null ? "" : `, the original is ${item.original}`;
  const mark = item.replaced ? `, ${state.framed}` : "";
  const made = element("button", "electra-token", "", {
    type: "button",
    "aria-label": `${item.text}: ${state.says} ${item.number}${mark}${said}`,
  });
  if (item.text.startsWith("##")) made.classList.add("electra-piece");
  if (item.negative) made.classList.add("electra-negative");
  if (item.replaced) made.classList.add("electra-replaced");
  if (item.probability >= 0.5) made.classList.add("electra-strong");
  made.style.setProperty("--probability", item.probability);
  made.append(
    element("span", "electra-original", item.original ?? ""),
    element("bdi", "electra-text", item.text),
    element("span", "electra-bar"),
    element("span", "electra-number", item.number),
  );
  if (state.interactive) {
    made.addEventListener("click", () => model.send({ event: "choose", index }));
  }
  return made;
}

function legend(state) {
  const made = element("div", "electra-legend");
  const scale = element("span");
  const colours = element("span", state.signed ? "electra-scale electra-signed" : "electra-scale");
  scale.append(state.ends[0], colours, state.ends[1]);
  made.append(scale, element("span", "", state.legend));
  if (state.tokens.some((item) => item.replaced)) {
    made.append(element("span", "electra-mark"), element("span", "", state.mark));
  }
  return made;
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("heat-map", state);
    if (state.interactive) root.classList.add("electra-interactive");
    const row = element("div", "electra-tokens", "", { role: "group", "aria-label": state.legend });
    const items = state.tokens.map((item, index) => token(item, index, model, state));
    row.append(...items);
    rove(items);
    // where words will change, the room for originals is kept, so that nothing jumps
    if (!state.interactive && state.tokens.every((item) => item.original === null)) {
      row.classList.add("electra-no-original");
    }
    root.append(row, legend(state));
    return root;
  });
}

export default { render };
