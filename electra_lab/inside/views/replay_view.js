// The course of a number over the snapshots, with a line at the one that is shown.
function courseOf(values, low, high) {
  const svg = drawing("svg", { class: "electra-course", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" });
  const across = (i) => (values.length > 1 ? (100 * i) / (values.length - 1) : 50);
  const up = (value) => 19 - (18 * (value - low)) / (high - low || 1);
  const line = drawing("line", { y1: 0, y2: 20 });
  svg.append(line, drawing("polyline", {
    points: values
      .map((value, i) => (value === null ? null : `${across(i)},${up(value)}`))
      .filter((point) => point !== null)
      .join(" "),
  }));
  const show = (at) => {
    line.setAttribute("x1", across(at));
    line.setAttribute("x2", across(at));
  };
  return { svg, show };
}

function tokenOf(item) {
  const made = element("button", "electra-token", "", { type: "button" });
  if (item.text.startsWith("##")) made.classList.add("electra-piece");
  if (item.original !== null) made.classList.add("electra-replaced");
  const course = courseOf(item.probabilities, 0, 1);
  const number = element("span", "electra-number");
  made.append(
    element("span", "electra-original", item.original ?? ""),
    element("bdi", "electra-text", item.text),
    course.svg,
    number,
  );
  const was = item.original === null ? "" : `, the original is ${item.original}`;
  const show = (at) => {
    made.style.setProperty("--probability", item.probabilities[at]);
    made.classList.toggle("electra-strong", item.probabilities[at] >= 0.5);
    made.setAttribute("aria-label", `${item.text}: probability of being replaced ${item.numbers[at]}${was}`);
    number.textContent = item.numbers[at];
    course.show(at);
  };
  return { made, show };
}

function proposalsOf(state) {
  const part = element("div");
  const bars = element("div", "electra-bars", "", { role: "list", "aria-label": "proposals" });
  part.append(element("div", "electra-replay-masked", state.masked), bars);
  const show = (at) => {
    bars.replaceChildren(...state.proposals[at].map((item) => {
      const made = element("div", "electra-proposal", "", { role: "listitem" });
      if (item.original) made.classList.add("electra-was");
      made.style.setProperty("--probability", item.probability);
      const track = element("span", "electra-track");
      track.append(element("span", "electra-length"));
      if (item.original) track.append(element("span", "electra-tag", "original"));
      made.append(element("bdi", "electra-word", item.text), track, element("span", "electra-number", item.number));
      return made;
    }));
  };
  return { made: part, show };
}

function figureOf(item) {
  const made = element("div", "electra-figure", "", { role: "listitem" });
  const known = item.values.filter((value) => value !== null);
  const course = courseOf(item.values, Math.min(...known), Math.max(...known));
  const number = element("span", "electra-figure-number");
  made.append(element("span", "electra-figure-name", item.name), course.svg, number);
  const show = (at) => {
    number.textContent = item.numbers[at];
    course.show(at);
  };
  return { made, show };
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("replay", state);
    if (!state.steps.length) return root;
    const last = state.steps.length - 1;
    const line = element("label", "electra-replay-line", "Snapshot");
    const slider = element("input", "", "", { type: "range", min: 0, max: last, step: 1, "data-index": "slider" });
    slider.value = state.chosen;
    const step = element("span", "electra-replay-step", "", { role: "status" });
    line.append(slider, step);

    const row = element("div", "electra-tokens", "", { role: "group", "aria-label": state.legend });
    const tokens = state.tokens.map(tokenOf);
    row.append(...tokens.map((token) => token.made));
    rove(tokens.map((token) => token.made));
    if (state.tokens.every((item) => item.original === null)) row.classList.add("electra-no-original");
    root.append(line, row, element("div", "electra-legend", state.legend));

    const parts = [...tokens];
    const lower = element("div", "electra-replay-lower");
    if (state.proposals.length) {
      const proposals = proposalsOf(state);
      parts.push(proposals);
      lower.append(proposals.made);
    }
    if (state.figures.length) {
      const figures = state.figures.map(figureOf);
      const list = element("div", "", "", { role: "list", "aria-label": "figures of the run" });
      list.append(...figures.map((figure) => figure.made));
      parts.push(...figures);
      lower.append(list);
    }
    root.append(lower);

    const show = (at) => {
      const said = `step ${state.steps[at].toLocaleString("en")}`;
      step.textContent = `${said} of ${state.steps[last].toLocaleString("en")}`;
      slider.setAttribute("aria-valuetext", said);
      for (const part of parts) part.show(at);
    };
    slider.addEventListener("input", () => show(Number(slider.value)));
    slider.addEventListener("change", () => {
      if (state.interactive) model.send({ event: "choose", index: Number(slider.value) });
    });
    slideByKeys(slider);
    show(state.chosen);
    return root;
  });
}

export default { render };
