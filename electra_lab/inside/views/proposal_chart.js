function proposal(item, index, model, state) {
  const made = element("button", "electra-proposal", "", {
    type: "button",
    "aria-label": `${item.text}: probability ${item.number}${item.tag ? `, ${item.tag}` : ""}`,
  });
  if (item.tag) made.classList.add("electra-was");
  made.style.setProperty("--probability", item.probability / state.longest);
  const track = element("span", "electra-track");
  track.append(element("span", "electra-length"));
  if (item.tag) track.append(element("span", "electra-tag", item.tag));
  made.append(
    element("bdi", "electra-word", item.text),
    track,
    element("span", "electra-number", item.number),
  );
  if (state.interactive) {
    made.addEventListener("click", () => model.send({ event: "choose", index }));
  }
  return made;
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("proposals", state);
    if (state.interactive) root.classList.add("electra-interactive");
    const bars = element("div", "electra-bars", "", { role: "group", "aria-label": "proposals" });
    const items = state.proposals.map((item, index) => proposal(item, index, model, state));
    bars.append(...items);
    rove(items);
    root.append(bars);
    return root;
  });
}

export default { render };
