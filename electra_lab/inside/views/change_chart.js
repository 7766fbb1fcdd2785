function changeRow(item, index, model, state) {
  const made = state.interactive
    ? element("button", "electra-change", "", { type: "button" })
    : element("div", "electra-change", "", { role: "listitem" });
  const chosen = index === state.chosen;
  made.setAttribute("aria-label", `${item.name}: ${item.number}${chosen ? ", chosen" : ""}`);
  if (chosen) made.classList.add("electra-chosen-line");
  if (state.interactive) {
    made.addEventListener("click", () => model.send({ event: "choose", index }));
  }
  const track = element("span", "electra-change-track");
  const now = element("span", "electra-change-now");
  now.style.setProperty("--share", item.share);
  track.append(now);
  if (item.before !== null) {
    const before = element("span", "electra-change-before");
    before.style.setProperty("--share", item.before);
    track.append(before);
  }
  made.append(
    element("bdi", "electra-word", item.name),
    track,
    element("span", "electra-change-number", item.number),
  );
  return made;
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("changes", state);
    if (state.interactive) root.classList.add("electra-interactive");
    const rows = element("div", "electra-bars", "", {
      role: state.interactive ? "group" : "list",
      "aria-label": "what the model says",
    });
    const items = state.rows.map((item, index) => changeRow(item, index, model, state));
    if (state.interactive) rove(items);
    rows.append(...items);
    root.append(rows);
    if (state.rows.some((item) => item.before !== null)) {
      const legend = element("div", "electra-legend");
      legend.append(
        element("span", "electra-change-mark electra-was-before"),
        element("span", "", state.was),
        element("span", "electra-change-mark electra-is-now"),
        element("span", "", state.now),
      );
      root.append(legend);
    }
    return root;
  });
}

export default { render };
