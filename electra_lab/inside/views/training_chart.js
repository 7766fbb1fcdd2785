const WIDE = 340, HIGH = 154, LEFT = 44, RIGHT = 16, TOP = 10, BOTTOM = 18;

const forms = {
  loss: (value) => value.toPrecision(3),
  share: (value) => value.toFixed(3),
  count: (value) => Math.round(value).toLocaleString("en"),
};

// Round numbers between low and high, about `wanted` of them.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const apart = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= rough);
  const found = [];
  for (let i = Math.ceil(low / apart); i * apart <= high + apart / 1e6; i++) found.push(i * apart);
  return found.map((value) => Number(value.toPrecision(10)));
}

function panelOf(panel, state) {
  const across = (step) => LEFT + (step / Math.max(1, state.last)) * (WIDE - LEFT - RIGHT);
  const up = (value) =>
    HIGH - BOTTOM - ((value - panel.low) / (panel.high - panel.low)) * (HIGH - TOP - BOTTOM);
  const root = element("div", "electra-panel");
  const head = element("div", "electra-panel-head");
  const values = element("span");
  head.append(element("span", "electra-panel-name", panel.title), values);
  const svg = drawing("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": panel.title });
  for (const tick of ticks(panel.low, panel.high, 4)) {
    svg.append(
      drawing("line", { class: "electra-grid", x1: LEFT, x2: WIDE - RIGHT, y1: up(tick), y2: up(tick) }),
      drawing("text", { x: LEFT - 6, y: up(tick) + 4, "text-anchor": "end" }, tick.toLocaleString("en")),
    );
  }
  for (const tick of ticks(0, Math.max(1, state.last), 4)) {
    svg.append(
      drawing("text", { x: across(tick), y: HIGH - 3, "text-anchor": "middle" }, tick.toLocaleString("en")),
    );
  }
  const cross = drawing("line", { class: "electra-cross", y1: TOP, y2: HIGH - BOTTOM, visibility: "hidden" });
  svg.append(cross);
  const parts = panel.curves.map((curve) => {
    const points = curve.values
      .map((value, i) => (value === null ? null : [across(state.steps[i]), up(value)]))
      .filter((point) => point !== null);
    const line = drawing("polyline", {
      points: points.map((point) => point.join(",")).join(" "),
      fill: "none",
      stroke: curve.colour,
      "stroke-width": 2,
      "stroke-linejoin": "round",
      "stroke-dasharray": curve.dashed ? "5 3" : "none",
    });
    const dot = drawing("circle", { r: 3.5, fill: curve.colour });
    svg.append(line, dot);
    const value = element("span", "electra-value");
    const key = element("span", "electra-key");
    key.style.borderTopColor = curve.colour;
    key.style.borderTopStyle = curve.dashed ? "dashed" : "solid";
    const number = element("span");
    value.append(key, panel.curves.length > 1 ? `${curve.label} ` : "", number);
    values.append(value);
    return { curve, dot, number };
  });
  // The numbers at one row: of the latest measurement up to there.
  const show = (row, pointed) => {
    cross.setAttribute("visibility", pointed ? "visible" : "hidden");
    cross.setAttribute("x1", across(state.steps[row]));
    cross.setAttribute("x2", across(state.steps[row]));
    for (const { curve, dot, number } of parts) {
      let at = row;
      while (at > 0 && curve.values[at] === null) at--;
      const value = curve.values[at];
      number.textContent = value === null ? "–" : forms[panel.form](value);
      dot.setAttribute("visibility", value === null ? "hidden" : "visible");
      if (value !== null) {
        dot.setAttribute("cx", across(state.steps[at]));
        dot.setAttribute("cy", up(value));
      }
    }
  };
  root.append(head, svg);
  return { root, svg, show };
}

function render({ model, el }) {
  let pointed = null; // the row that the reader looks at, kept while rows arrive
  return follow(model, el, (state) => {
    const root = frame("training", state);
    if (state.steps.length === 0) return root;
    const final = state.steps.length - 1;
    const grid = element("div", "electra-panels", "", {
      role: "group",
      tabindex: "0",
      "data-index": "0",
      "aria-label": "training curves; left and right arrow keys move along the steps",
    });
    const step = element("div", "electra-step", "", { role: "status" });
    const panels = state.panels.map((panel) => panelOf(panel, state));
    const look = (row) => {
      pointed = row === null ? null : Math.min(Math.max(row, 0), final);
      const at = pointed ?? final;
      for (const panel of panels) panel.show(at, pointed !== null);
      step.textContent = `${pointed === null ? "latest, " : ""}step ${state.steps[at].toLocaleString("en")}`;
    };
    for (const panel of panels) {
      panel.svg.addEventListener("pointermove", (event) => {
        const box = panel.svg.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * WIDE;
        const wanted = ((x - LEFT) / (WIDE - LEFT - RIGHT)) * state.last;
        let nearest = 0;
        state.steps.forEach((at, row) => {
          if (Math.abs(at - wanted) < Math.abs(state.steps[nearest] - wanted)) nearest = row;
        });
        look(nearest);
      });
    }
    grid.addEventListener("pointerleave", () => look(null));
    grid.addEventListener("blur", () => look(null));
    grid.addEventListener("keydown", (event) => {
      const now = pointed ?? final;
      const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: final, Escape: null }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      look(to);
    });
    grid.append(...panels.map((panel) => panel.root));
    root.append(grid, step);
    look(pointed);
    return root;
  });
}

export default { render };
