function place(item, index, model, state) {
  const [start, end] = item.numbers;
  const made = element("button", "electra-place", "", {
    type: "button",
    "aria-label": `${item.text}: starts here ${start}, ends here ${end}`,
  });
  if (item.start >= state.strong) made.classList.add("electra-from-here");
  if (item.end >= state.strong) made.classList.add("electra-to-here");
  const first = element("span", "electra-share electra-from");
  first.style.setProperty("--share", Math.min(1, item.start));
  const last = element("span", "electra-share electra-to");
  last.style.setProperty("--share", Math.min(1, item.end));
  made.append(
    element("span", "electra-number electra-first-number", start),
    first,
    element("bdi", "electra-text", item.text),
    last,
    element("span", "electra-number electra-last-number", end),
  );
  if (state.interactive) {
    made.addEventListener("click", () => model.send({ event: "token", index }));
  }
  return made;
}

function answer(item, index, state) {
  const made = element("button", "electra-answer", "", {
    type: "button",
    "aria-label": `${item.text}: ${item.number}${index === state.chosen ? ", chosen" : ""}`,
  });
  if (index === state.chosen) made.classList.add("electra-chosen-answer");
  made.style.setProperty("--probability", Math.min(1, item.score));
  const track = element("span", "electra-track");
  track.append(element("span", "electra-length"));
  made.append(
    element("bdi", "electra-word", item.text),
    track,
    element("span", "electra-number", item.number),
  );
  return made;
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("span-chart", state);
    if (state.interactive) root.classList.add("electra-interactive");
    const passage = element("div", "electra-spans", "", { role: "group", "aria-label": state.legend });
    const places = state.tokens.map((item, index) => place(item, index, model, state));
    passage.append(...places);
    const show = (number) => {
      const { first, last } = state.answers[number] ?? { first: null };
      places.forEach((one, index) => {
        one.classList.toggle("electra-in-answer", first !== null && first <= index && index <= last);
      });
    };
    const list = element("div", "electra-bars", "", { role: "group", "aria-label": "best answers" });
    const answers = state.answers.map((item, index) => answer(item, index, state));
    answers.forEach((one, index) => {
      one.addEventListener("pointerenter", () => show(index));
      one.addEventListener("pointerleave", () => show(state.chosen));
      one.addEventListener("focus", () => show(index));
      one.addEventListener("blur", () => show(state.chosen));
      if (state.interactive) {
        one.addEventListener("click", () => model.send({ event: "choose", index }));
      }
    });
    list.append(...answers);
    rove(places);
    rove(answers);
    // both lists would have a number 0; the place that the keyboard had is found by its own
    places.forEach((one, index) => { one.dataset.index = `token ${index}`; });
    show(state.chosen);
    const legend = element("div", "electra-legend");
    legend.append(element("span", "", state.legend));
    root.append(passage, legend, list);
    return root;
  });
}

export default { render };
