const WIDE = 340, HIGH = 154, LEFT = 44, RIGHT = 16, TOP = 10, BOTTOM = 18;

const forms = {
  loss: (value) => value.toPrecision(3),
  share: (value) => value.toFixed(3),
  count: (value) => Math.round(value).toLocaleString("en"),
};

// Corners of the shapes that tell runs apart, around 0; a circle has none.
const CORNERS = {
  square: [[-3.4, -3.4], [3.4, -3.4], [3.4, 3.4], [-3.4, 3.4]],
  triangle: [[0, -4.4], [4.2, 3.4], [-4.2, 3.4]],
  diamond: [[0, -4.6], [4.6, 0], [0, 4.6], [-4.6, 0]],
  cross: [
    [-4, -2], [-2, -4], [0, -2], [2, -4], [4, -2], [2, 0],
    [4, 2], [2, 4], [0, 2], [-2, 4], [-4, 2], [-2, 0],
  ],
};

function markOf(shape, colour) {
  return CORNERS[shape]
    ? drawing("polygon", { points: CORNERS[shape].map((corner) => corner.join(",")).join(" "), fill: colour })
    : drawing("circle", { r: 3.6, fill: colour });
}

function move(mark, x, y) {
  mark.setAttribute("transform", `translate(${x} ${y})`);
}

// A piece of a run's line with its mark.
function swatch(look) {
  const svg = drawing("svg", { width: 30, height: 12, viewBox: "0 0 30 12", "aria-hidden": "true" });
  const mark = markOf(look.shape, look.colour);
  move(mark, 15, 6);
  svg.append(
    drawing("line", { x1: 0, x2: 30, y1: 6, y2: 6, stroke: look.colour, "stroke-width": 2, "stroke-dasharray": look.dash || "none" }),
    mark,
  );
  return svg;
}

// Round numbers between low and high, about `wanted` of them.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const apart = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= rough);
  const found = [];
  for (let i = Math.ceil(low / apart); i * apart <= high + apart / 1e6; i++) found.push(i * apart);
  return found.map((value) => Number(value.toPrecision(10)));
}

// 1, 2 and 5 times powers of ten; powers alone where that would be too many.
function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const times of [1, 2, 5]) found.push(Number((times * 10 ** power).toPrecision(10)));
  }
  const inside = found.filter((value) => value >= low && value <= high);
  return inside.length <= 6 ? inside : inside.filter((value) => Math.log10(value) % 1 === 0);
}

// Means of the values up to each, the weight of one `amount` times that of the one after it.
function smoothed(values, amount) {
  let total = 0, weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    total = amount * total + value;
    weight = amount * weight + 1;
    return total / weight;
  });
}

function panelOf(panel, state, chosen) {
  const log = chosen.log && panel.lowest !== null;
  const scale = log ? Math.log : (value) => value;
  const low = scale(log ? panel.lowest / 1.1 : panel.low), high = scale(panel.high);
  const across = (step) => LEFT + (step / Math.max(1, state.last)) * (WIDE - LEFT - RIGHT);
  const up = (value) => HIGH - BOTTOM - ((scale(value) - low) / (high - low)) * (HIGH - TOP - BOTTOM);
  const root = element("div", "electra-panel");
  const head = element("div", "electra-panel-head");
  const values = element("span");
  head.append(element("span", "electra-panel-name", panel.title), values);
  const svg = drawing("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": panel.title });
  for (const tick of log ? logTicks(panel.lowest / 1.1, panel.high) : ticks(panel.low, panel.high, 4)) {
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
  if (state.marked !== null) {
    const at = across(state.marked);
    svg.append(drawing("line", { class: "electra-marked", x1: at, x2: at, y1: TOP, y2: HIGH - BOTTOM }));
  }
  const cross = drawing("line", { class: "electra-cross", y1: TOP, y2: HIGH - BOTTOM, visibility: "hidden" });
  svg.append(cross);
  const several = state.runs.length > 0;
  const parts = panel.curves.filter((curve) => !chosen.hidden.has(curve.run)).map((curve) => {
    const line = (heights, more) => {
      const points = heights
        .map((value, i) => (value === null ? null : [across(state.steps[i]), up(value)]))
        .filter((point) => point !== null);
      svg.append(drawing("polyline", {
        points: points.map((point) => point.join(",")).join(" "),
        fill: "none",
        stroke: curve.colour,
        "stroke-linejoin": "round",
        ...more,
      }));
      return points;
    };
    const drawn = smoothed(curve.values, chosen.smoothing);
    if (chosen.smoothing > 0) line(curve.values, { "stroke-width": 1, class: "electra-behind-curve" });
    const points = line(drawn, { "stroke-width": 2, "stroke-dasharray": curve.dash || "none" });
    if (curve.shape) {
      const apart = Math.max(1, Math.floor(points.length / 6));
      for (let i = Math.min(curve.run % 3, points.length - 1); i < points.length; i += apart) {
        const mark = markOf(curve.shape, curve.colour);
        move(mark, ...points[i]);
        svg.append(mark);
      }
    }
    const dot = markOf(curve.shape, curve.colour);
    dot.classList.add("electra-dot");
    svg.append(dot);
    const value = element("span", "electra-value");
    const number = element("span");
    if (several) {
      const look = drawing("svg", { width: 10, height: 10, viewBox: "-5 -5 10 10", role: "img", "aria-label": curve.label });
      look.append(markOf(curve.shape, curve.colour));
      value.append(look, number);
    } else {
      const key = element("span", "electra-key");
      key.style.borderTopColor = curve.colour;
      key.style.borderTopStyle = curve.dash ? "dashed" : "solid";
      value.append(key, panel.curves.length > 1 ? `${curve.label} ` : "", number);
    }
    values.append(value);
    return { values: curve.values, drawn, dot, number };
  });
  // The numbers at one row: of the latest measurement up to there.
  const show = (row, pointed) => {
    cross.setAttribute("visibility", pointed ? "visible" : "hidden");
    cross.setAttribute("x1", across(state.steps[row]));
    cross.setAttribute("x2", across(state.steps[row]));
    for (const { values, drawn, dot, number } of parts) {
      let at = row;
      while (at > 0 && values[at] === null) at--;
      number.textContent = values[at] === null ? "–" : forms[panel.form](values[at]);
      dot.setAttribute("visibility", values[at] === null ? "hidden" : "visible");
      if (values[at] !== null) move(dot, across(state.steps[at]), up(drawn[at]));
    }
  };
  root.append(head, svg);
  return { root, svg, show };
}

function render({ model, el }) {
  // what the reader looks at and chose, kept while rows arrive; null until then
  const kept = { row: null, smoothing: null, log: null, hidden: new Set() };
  return follow(model, el, (state) => {
    const root = frame("training", state);
    if (state.steps.length === 0) return root;
    const final = state.steps.length - 1;
    let rest = final;
    if (state.marked !== null) {
      rest = Math.max(0, state.steps.findLastIndex((step) => step <= state.marked));
    }
    const grid = element("div", "electra-panels", "", {
      role: "group",
      tabindex: "0",
      "data-index": "0",
      "aria-label": "training curves; left and right arrow keys move along the steps",
    });
    const step = element("div", "electra-step", "", { role: "status" });
    let panels = [];
    const look = (row) => {
      kept.row = row === null ? null : Math.min(Math.max(row, 0), final);
      const at = kept.row ?? rest;
      for (const panel of panels) panel.show(at, kept.row !== null);
      const which = kept.row !== null ? "" : state.marked === null ? "latest, " : "marked, ";
      step.textContent = `${which}step ${state.steps[at].toLocaleString("en")}`;
    };
    const build = () => {
      const chosen = {
        smoothing: kept.smoothing ?? state.smoothing,
        log: kept.log ?? state.log,
        hidden: kept.hidden,
      };
      panels = state.panels.map((panel) => panelOf(panel, state, chosen));
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
      grid.replaceChildren(...panels.map((panel) => panel.root));
      look(kept.row);
    };
    grid.addEventListener("pointerleave", () => look(null));
    grid.addEventListener("blur", () => look(null));
    grid.addEventListener("keydown", (event) => {
      const now = kept.row ?? rest;
      const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: final, Escape: null }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      look(to);
    });
    if (state.runs.length) root.append(legendOf(state, kept, build));
    root.append(grid, step, toolsOf(state, kept, build));
    build();
    return root;
  });
}

function legendOf(state, kept, build) {
  const legend = element("div", "electra-runs", "", { role: "group", "aria-label": "runs" });
  const entries = state.runs.map((run, number) => {
    const entry = element("button", "electra-run", "", {
      type: "button",
      "aria-pressed": String(!kept.hidden.has(number)),
    });
    entry.append(swatch(run), element("bdi", "", run.name));
    entry.addEventListener("click", () => {
      if (!kept.hidden.delete(number)) kept.hidden.add(number);
      entry.setAttribute("aria-pressed", String(!kept.hidden.has(number)));
      build();
    });
    return entry;
  });
  rove(entries);
  for (const entry of entries) entry.dataset.index = `run ${entry.dataset.index}`;
  legend.append(...entries);
  return legend;
}

function toolsOf(state, kept, build) {
  const tools = element("div", "electra-tools-line");
  const range = element("label", "electra-range", "Smoothing");
  const now = kept.smoothing ?? state.smoothing;
  const slider = element("input", "", "", { type: "range", min: 0, max: 0.98, step: 0.02, "data-index": "smoothing" });
  slider.value = now;
  const value = element("span", "electra-range-value", now.toFixed(2));
  slider.addEventListener("input", () => {
    kept.smoothing = Number(slider.value);
    value.textContent = kept.smoothing.toFixed(2);
    build();
  });
  slideByKeys(slider);
  range.append(slider, value);
  const log = element("button", "electra-toggle", "Log scale", {
    type: "button",
    "data-index": "log",
    "aria-pressed": String(kept.log ?? state.log),
  });
  log.addEventListener("click", () => {
    kept.log = !(kept.log ?? state.log);
    log.setAttribute("aria-pressed", String(kept.log));
    build();
  });
  tools.append(range, log);
  return tools;
}

export default { render };
