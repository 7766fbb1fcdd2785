const WIDE = 360, LEFT = 52, RIGHT = 10, TOP = 8, SQUARE = 270, GAP = 24, BARS = 76, BOTTOM = 36;
const HIGH = TOP + SQUARE + GAP + BARS + BOTTOM;

const CORNERS = {
  square: [[-3.6, -3.6], [3.6, -3.6], [3.6, 3.6], [-3.6, 3.6]],
  triangle: [[0, -4.6], [4.4, 3.6], [-4.4, 3.6]],
  diamond: [[0, -4.8], [4.8, 0], [0, 4.8], [-4.8, 0]],
  cross: [
    [-4.2, -2], [-2, -4.2], [0, -2.2], [2, -4.2], [4.2, -2], [2.2, 0],
    [4.2, 2], [2, 4.2], [0, 2.2], [-2, 4.2], [-4.2, 2], [-2.2, 0],
  ],
};

function markOf(series) {
  return CORNERS[series.shape]
    ? drawing("polygon", {
        points: CORNERS[series.shape].map((corner) => corner.join(",")).join(" "),
        fill: series.colour,
      })
    : drawing("circle", { r: 3.8, fill: series.colour });
}

const across = (share) => LEFT + share * (WIDE - LEFT - RIGHT);
const up = (share) => TOP + (1 - share) * SQUARE;
const floor = TOP + SQUARE + GAP + BARS;
const written = (share) => String(Number(share.toFixed(2))).replace(/^0\./, ".");

function ground(svg, tall, most) {
  for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    svg.append(
      drawing("line", { class: "electra-grid", x1: LEFT, x2: WIDE - RIGHT, y1: up(tick), y2: up(tick) }),
      drawing("text", { x: LEFT - 6, y: up(tick) + 4, "text-anchor": "end" }, written(tick)),
      drawing("line", { class: "electra-grid", x1: across(tick), x2: across(tick), y1: TOP, y2: floor }),
      drawing("text", { x: across(tick), y: floor + 14, "text-anchor": "middle" }, written(tick)),
    );
  }
  for (let count = 1; count <= most; count *= 10) {
    const y = floor - tall(count);
    svg.append(
      drawing("line", { class: "electra-grid", x1: LEFT, x2: WIDE - RIGHT, y1: y, y2: y }),
      drawing("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, count.toLocaleString("en")),
    );
  }
  const name = (x, y, text) =>
    drawing("text", { class: "electra-axis-name", x, y, "text-anchor": "middle", transform: `rotate(-90 ${x} ${y})` }, text);
  svg.append(
    drawing("line", { class: "electra-diagonal", x1: across(0), y1: up(0), x2: across(1), y2: up(1) }),
    name(12, TOP + SQUARE / 2, "really replaced"),
    name(12, floor - BARS / 2, "tokens"),
    drawing(
      "text",
      { class: "electra-axis-name", x: across(0.5), y: floor + 31, "text-anchor": "middle" },
      "probability of being replaced, as it was said",
    ),
  );
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("calibration", state);
    const body = element("div", "electra-calibration-body");
    const svg = drawing("svg", {
      viewBox: `0 0 ${WIDE} ${HIGH}`,
      role: "group",
      tabindex: "0",
      "data-index": "0",
      "aria-label": "reliability diagram; left and right arrow keys move along the bins, up and down between the series",
    });
    // a bar of one token is to be seen, too
    const top = Math.log(Math.max(10, state.most)) + 0.4;
    const tall = (count) => ((Math.log(count) + 0.4) / top) * BARS;
    ground(svg, tall, state.most);
    const side = element("div", "electra-calibration-side");
    const points = [];
    state.series.forEach((series, number) => {
      const x = (bin) => across(bin.said), y = (bin) => up(bin.happened);
      svg.append(drawing("polyline", {
        points: series.bins.map((bin) => `${x(bin)},${y(bin)}`).join(" "),
        fill: "none",
        stroke: series.colour,
        "stroke-width": 2,
        "stroke-dasharray": series.dash || "none",
      }));
      const marks = series.bins.map((bin) => {
        const wide = (across(bin.to) - across(bin.from)) * 0.9;
        const part = wide / state.series.length;
        const mark = markOf(series);
        mark.setAttribute("transform", `translate(${x(bin)} ${y(bin)})`);
        svg.append(
          drawing("line", { x1: x(bin), x2: x(bin), y1: up(bin.low), y2: up(bin.high), stroke: series.colour, "stroke-width": 1.4 }),
          mark,
          drawing("rect", {
            x: across(bin.from) + wide * 0.055 + part * number,
            y: floor - tall(bin.count),
            width: Math.max(1, part),
            height: tall(bin.count),
            fill: series.colour,
          }),
        );
        return { bin, mark };
      });
      points.push(marks);
      const entry = element("div", "electra-series");
      const name = element("div", "electra-series-name");
      const swatch = drawing("svg", { width: 30, height: 12, viewBox: "0 0 30 12", "aria-hidden": "true" });
      const mark = markOf(series);
      mark.setAttribute("transform", "translate(15 6)");
      swatch.append(
        drawing("line", { x1: 0, x2: 30, y1: 6, y2: 6, stroke: series.colour, "stroke-width": 2, "stroke-dasharray": series.dash || "none" }),
        mark,
      );
      name.append(swatch, element("bdi", "", series.name));
      entry.append(name);
      for (const line of series.summary.split("; ")) entry.append(element("div", "electra-series-line", line));
      side.append(entry);
    });
    const hint = "Point at a bin. On the diagonal, what was said came true.";
    const readout = element("div", "electra-bin", hint, { role: "status" });
    side.append(readout);
    let at = null; // series and bin that are looked at
    const look = (place) => {
      for (const marks of points) for (const { mark } of marks) mark.classList.remove("electra-pointed");
      at = place;
      readout.textContent = hint;
      if (!at) return;
      const { bin, mark } = points[at[0]][at[1]];
      mark.classList.add("electra-pointed");
      readout.textContent = bin.text;
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const px = ((event.clientX - box.left) / box.width) * WIDE;
      const py = ((event.clientY - box.top) / box.height) * HIGH;
      const inBars = py > TOP + SQUARE + GAP / 2;
      let nearest = null, distance = Infinity;
      points.forEach((marks, series) => marks.forEach(({ bin }, number) => {
        const part = (series + 0.5) / points.length;
        const dx = (inBars ? across(bin.from + (bin.to - bin.from) * part) : across(bin.said)) - px;
        const dy = inBars ? 0 : up(bin.happened) - py;
        if (dx * dx + dy * dy < distance) [nearest, distance] = [[series, number], dx * dx + dy * dy];
      }));
      look(nearest);
    });
    svg.addEventListener("pointerleave", () => look(null));
    svg.addEventListener("blur", () => look(null));
    svg.addEventListener("keydown", (event) => {
      if (!points.length) return;
      const [series, bin] = at ?? [0, -1];
      const last = points.length - 1;
      const to = {
        ArrowRight: [series, bin + 1],
        ArrowLeft: [series, bin - 1],
        ArrowDown: [Math.min(series + 1, last), bin],
        ArrowUp: [Math.max(series - 1, 0), bin],
        Home: [series, 0],
        End: [series, Infinity],
        Escape: null,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      look(to && [to[0], Math.min(Math.max(to[1], 0), points[to[0]].length - 1)]);
    });
    body.append(svg, side);
    root.append(body);
    return root;
  });
}

export default { render };
