function changeRow(item) {
  const made = element("div", "electra-change", "", { role: "listitem" });
  made.setAttribute("aria-label", `${item.name}: ${item.number}`);
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
    const rows = element("div", "electra-bars", "", { role: "list", "aria-label": "what the model says" });
    rows.append(...state.rows.map(changeRow));
    root.append(rows);
    if (state.rows.some((item) => item.before !== null)) {
      const legend = element("div", "electra-legend");
      legend.append(
        element("span", "electra-change-mark electra-was-before"),
        element("span", "", state.was),
        element("span", "electra-change-mark electra-is-now"),
        element("span", "", "now"),
      );
      root.append(legend);
    }
    return root;
  });
}

export default { render };
