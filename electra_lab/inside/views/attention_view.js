const LABEL = 30, HEAD = 18; // room for the numbers of layers and heads, in CSS pixels
const ROW = 20; // of a token in the arcs
const MOST = 400; // arcs that are drawn while nothing is pointed at: the strongest
const NAMES = { mean: "mean", max: "max", rollout: "roll" };
const SAID = { mean: "mean over heads", max: "maximum over heads", rollout: "rollout" };

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const weightOf = (byte) => (byte / 255) ** 2;
const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

// As exact as a byte is: two digits, three for small weights.
function shortNumber(byte) {
  const weight = weightOf(byte);
  if (byte === 0) return "0";
  if (weight < 0.0005) return "<.001";
  if (weight >= 0.995) return "1.0";
  return weight.toFixed(weight < 0.0095 ? 3 : 2).slice(1);
}

// A canvas as fine as the screen, drawn on in CSS pixels.
function fineCanvas(canvas, width, height) {
  const fineness = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * fineness));
  canvas.height = Math.max(1, Math.round(height * fineness));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(fineness, 0, 0, fineness, 0, 0);
  return context;
}

// The data of one state: planes are the heads of a layer, then its summaries.
function dataOf(state, fetched) {
  const count = state.tokens.length;
  const planes = [...Array(state.heads).keys(), ...state.summaries];
  const rows = [...Array(state.layers).keys(), null];
  const small = bytesOf(state.small.bytes);
  const side = state.small.side;
  const step = Math.max(1, Math.ceil(count / Math.max(1, side)));
  const all = bytesOf(state.all);
  for (const [layer, text] of Object.entries(state.packed)) fetched.set(Number(layer), bytesOf(text));
  const placeOf = (layer, head) =>
    layer === null
      ? state.layers * planes.length + planes.indexOf(head) - state.heads
      : layer * planes.length + planes.indexOf(head);
  return {
    count,
    planes,
    rows,
    side,
    has: (layer, head) =>
      layer === null
        ? head === "mean" || head === "max"
        : !state.absent.some(([i, j]) => i === layer && j === head),
    isOff: (layer, head) => state.off.some(([i, j]) => i === layer && j === head),
    thumbnail: (layer, head) => {
      const from = placeOf(layer, head) * side * side;
      return small.subarray(from, from + side * side);
    },
    // the bytes of one head; while its layer is on its way, what the small picture says of it
    plane(layer, head) {
      const size = count * count;
      if (layer === null) {
        const from = state.summaries.indexOf(head) * size;
        return { exact: true, bytes: all.subarray(from, from + size) };
      }
      const layerBytes = fetched.get(layer);
      if (layerBytes) {
        const from = planes.indexOf(head) * size;
        return { exact: true, bytes: layerBytes.subarray(from, from + size) };
      }
      const rough = this.thumbnail(layer, head);
      const bytes = new Uint8Array(size);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) {
          bytes[i * count + j] = rough[Math.floor(i / step) * side + Math.floor(j / step)];
        }
      }
      return { exact: step === 1, bytes };
    },
  };
}

const nameOf = (layer, head) => {
  const where = layer === null ? "all layers" : `layer ${layer}`;
  return typeof head === "number" ? `${where}, head ${head}` : `${where}, ${SAID[head]}`;
};

// The small pictures: one canvas under a grid of buttons.
function overview(state, data, look, choose, turn) {
  const { planes, rows, side } = data;
  const cell = Math.max(
    12,
    Math.min(46, Math.floor(Math.min((330 - LABEL) / planes.length, 440 / rows.length))),
  );
  const root = element("div", "electra-heads", "", {
    role: "group",
    "aria-label": "all heads, a line for each layer; arrow keys move, X switches a head off",
  });
  root.style.width = `${LABEL + planes.length * cell}px`;
  root.style.height = `${HEAD + rows.length * cell}px`;
  const canvas = element("canvas");
  root.append(canvas);
  const every = Math.ceil(16 / cell); // labels that would touch are left out
  const label = (text, left, top, width, height, kind) => {
    const made = element("span", `electra-axis ${kind}`, text, { "aria-hidden": "true" });
    Object.assign(made.style, {
      left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
    });
    root.append(made);
  };
  planes.forEach((plane, column) => {
    const short = typeof plane === "number" ? String(plane) : NAMES[plane];
    if (cell >= 28 || (column < state.heads - 44 / cell && column % every === 0)) {
      label(short, LABEL + column * cell + (column < state.heads ? 0 : 4), 0, cell, HEAD, "");
    } else if (column === state.heads) {
      label("mean, max, roll", LABEL + column * cell - 36, 0, 3 * cell + 40, HEAD, "electra-to-end");
    }
  });
  const buttons = new Map();
  const key = (layer, head) => `${layer} ${head}`;
  rows.forEach((layer, row) => {
    if (layer === null || row % every === 0) {
      label(layer === null ? "all" : String(layer), 0, HEAD + row * cell, LABEL - 6, cell, "electra-line");
    }
    planes.forEach((head, column) => {
      if (!data.has(layer, head)) return;
      const off = data.isOff(layer, head);
      const made = element("button", "electra-head", "", {
        type: "button",
        "data-index": key(layer, head),
        "data-row": row,
        "data-column": column,
        "aria-label": nameOf(layer, head) + (off ? ", switched off" : ""),
        title: nameOf(layer, head) + (off ? ", switched off" : ""),
      });
      if (off) made.classList.add("electra-off");
      made.tabIndex = -1;
      const gap = typeof head === "number" ? 0 : 4;
      Object.assign(made.style, {
        left: `${LABEL + column * cell + gap}px`,
        top: `${HEAD + row * cell + (layer === null ? 4 : 0)}px`,
        width: `${cell - 2}px`,
        height: `${cell - 2}px`,
      });
      made.addEventListener("click", () => choose(layer, head));
      buttons.set(key(layer, head), made);
      root.append(made);
    });
  });
  root.addEventListener("keydown", (event) => {
    const at = event.target.dataset;
    if (at.row === undefined) return;
    if (event.key === "x" || event.key === "X" || event.key === "Delete") {
      turn();
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const row = Number(at.row), from = Number(at.column);
    const to = {
      ArrowRight: [row, from + 1],
      ArrowLeft: [row, from - 1],
      ArrowDown: [row + 1, from],
      ArrowUp: [row - 1, from],
      Home: [row, 0],
      End: [row, planes.length - 1],
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    // the last line is short: its nearest picture
    const column = rows[to[0]] === null ? Math.min(Math.max(to[1], state.heads), state.heads + 1) : to[1];
    const there = buttons.get(key(rows[to[0]], planes[column]));
    if (there === undefined) return;
    choose(rows[to[0]], planes[column]);
    there.focus();
  });
  const paint = () => {
    const context = fineCanvas(canvas, LABEL + planes.length * cell + 4, HEAD + rows.length * cell + 4);
    context.imageSmoothingEnabled = side > cell;
    if (side === 0) return;
    const picture = new OffscreenCanvas(side, side);
    const pen = picture.getContext("2d");
    rows.forEach((layer, row) => {
      planes.forEach((head, column) => {
        if (!data.has(layer, head)) return;
        const gap = typeof head === "number" ? 0 : 4;
        pen.putImageData(coloured(state, data.thumbnail(layer, head), side, segmentsOf(state, side)), 0, 0);
        context.drawImage(
          picture,
          LABEL + column * cell + gap,
          HEAD + row * cell + (layer === null ? 4 : 0),
          cell - 2,
          cell - 2,
        );
      });
    });
  };
  const mark = () => {
    for (const [name, button] of buttons) {
      const chosen = name === key(look.layer, look.head);
      button.classList.toggle("electra-chosen", chosen);
      button.setAttribute("aria-current", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  };
  return { root, paint, mark };
}

// The segments of the points of a picture that is `side` points wide.
function segmentsOf(state, side) {
  const step = Math.max(1, Math.ceil(state.tokens.length / Math.max(1, side)));
  return Array.from({ length: side }, (_, i) => state.segments[i * step]);
}

// Bytes as pixels: the pair of segments is the colour, the weight is how opaque it is.
function coloured(state, bytes, side, segments) {
  const colours = state.colours.map(rgb);
  const pixels = new ImageData(side, side);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const at = 4 * (i * side + j);
      pixels.data.set(colours[2 * segments[i] + segments[j]], at);
      pixels.data[at + 3] = bytes[i * side + j];
    }
  }
  return pixels;
}

function tokenLabel(state, index, side) {
  const made = element("span", "electra-end", "", { "data-side": side, "data-token": index });
  made.append(element("bdi", "", state.tokens[index]), element("span", "electra-number"));
  if (state.segments.includes(1)) {
    made.prepend(element("span", "electra-segment", "AB"[state.segments[index]]));
  }
  return made;
}

// One head as arcs: queries on the left, keys on the right. Only what is in sight is painted, on two
// canvases: the strong arcs, which stay while the pointer moves, and over them those that are meant.
function arcs(state, look, shown, point) {
  const root = element("div", "electra-arcs");
  const ends = ["query", "key"].map((side) => {
    const column = element("div", `electra-ends electra-of-${side}`);
    column.append(...shown.map((index) => tokenLabel(state, index, side)));
    return column;
  });
  const between = element("div", "electra-between");
  const sight = element("div", "electra-sight");
  const canvases = [element("canvas"), element("canvas")];
  sight.append(...canvases);
  between.append(sight);
  root.append(ends[0], between, ends[1]);
  const middle = (row) => (row + 0.5) * ROW;
  const size = state.tokens.length;
  const weak = Math.sqrt(state.faintest) * 255;
  let bytes, strong, width, height, pens;
  // how high an arc is at a share of its way: a Bézier curve that leaves and arrives level
  const rise = (share) => share * share * (3 - 2 * share);
  const byteOf = ([i, j]) => bytes[shown[i] * size + shown[j]];
  const choose = () => {
    strong = [];
    for (let i = 0; i < shown.length; i++) {
      for (let j = 0; j < shown.length; j++) if (byteOf([i, j]) >= weak) strong.push([i, j]);
    }
    strong = strong.sort((a, b) => byteOf(b) - byteOf(a)).slice(0, MOST).reverse();
  };
  const draw = (pen, pairs) => {
    const top = root.parentElement.scrollTop;
    pen.clearRect(0, 0, width, height);
    for (const [i, j] of pairs) {
      const from = middle(i) - top, to = middle(j) - top;
      if (Math.max(from, to) < -4 || Math.min(from, to) > height + 4) continue;
      const byte = byteOf([i, j]);
      pen.globalAlpha = Math.max(0.05, byte / 255);
      pen.lineWidth = 0.6 + 3.4 * weightOf(byte);
      pen.strokeStyle = state.colours[2 * state.segments[shown[i]] + state.segments[shown[j]]];
      pen.beginPath();
      pen.moveTo(0, from);
      pen.bezierCurveTo(width / 3, from, (2 * width) / 3, to, width, to);
      pen.stroke();
    }
  };
  const paint = () => {
    // as wide as they are now, whatever numbers come and go
    for (const column of ends) column.style.width = "";
    const widths = ends.map((column) => column.getBoundingClientRect().width);
    ends.forEach((column, side) => { column.style.width = `${widths[side]}px`; });
    width = Math.max(60, root.clientWidth - ends[0].offsetWidth - ends[1].offsetWidth);
    height = Math.min(root.parentElement.clientHeight, shown.length * ROW);
    sight.style.height = `${height}px`;
    pens = canvases.map((canvas) => fineCanvas(canvas, width, height));
    draw(pens[0], strong);
    paintPointed();
  };
  const paintPointed = () => {
    const { query, key } = look.cursor;
    const rows = query === null ? shown.keys() : [shown.indexOf(query)];
    const columns = key === null ? [...shown.keys()] : [shown.indexOf(key)];
    const meant = [];
    if (query !== null || key !== null) {
      for (const i of rows) for (const j of columns) if (byteOf([i, j]) > 7) meant.push([i, j]);
    }
    canvases[0].classList.toggle("electra-behind", query !== null || key !== null);
    draw(pens[1], meant);
  };
  const mark = () => {
    const { query, key } = look.cursor;
    ends.forEach((column, side) => {
      for (const made of column.children) {
        const index = Number(made.dataset.token);
        const self = side === 0 ? query : key, other = side === 0 ? key : query;
        let byte = 0;
        if (other !== null && (self === null || self === index)) {
          byte = side === 0 ? bytes[index * size + other] : bytes[other * size + index];
        }
        made.classList.toggle("electra-pointed", index === self);
        const number = byte > 12 ? shortNumber(byte) : "";
        if (made.lastChild.textContent !== number) made.lastChild.textContent = number;
        if (made.weight === byte) continue;
        made.weight = byte;
        made.style.setProperty("--weight", byte / 255);
      }
    });
  };
  root.addEventListener("pointermove", (event) => {
    const label = event.target.closest?.("[data-token]");
    if (label) {
      const index = Number(label.dataset.token);
      point(label.dataset.side === "query" ? { query: index, key: null } : { query: null, key: index });
      return;
    }
    // the arc under the pointer, if one is near
    const box = between.getBoundingClientRect();
    const share = rise(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    const y = event.clientY - box.top;
    let best = 7, found = null;
    for (const [i, j] of strong) {
      // of arcs that lie on each other the strongest is meant
      const away = Math.abs(middle(i) + (middle(j) - middle(i)) * share - y) - byteOf([i, j]) / 255;
      if (away < best) [best, found] = [away, { query: shown[i], key: shown[j] }];
    }
    point(found ?? { query: null, key: null });
  });
  return {
    root,
    paint(fresh) {
      bytes = fresh;
      choose();
      paint();
      mark();
    },
    pointed() {
      paintPointed();
      mark();
    },
    scrolled() {
      draw(pens[0], strong);
      paintPointed();
    },
    rowOf: (index) => ends[0].children[shown.indexOf(index)],
  };
}

// One head as a matrix: queries are rows, keys are columns.
function matrix(state, look, shown, point) {
  const root = element("div", "electra-matrix");
  const canvas = element("canvas");
  const row = element("div", "electra-strip"), column = element("div", "electra-strip");
  const labels = { query: element("div", "electra-rows"), key: element("div", "electra-columns") };
  const rim = element("div", "electra-rim");
  const room = element("div", "electra-room");
  room.append(canvas, rim, row, column);
  const size = state.tokens.length;
  for (const side of ["query", "key"]) {
    labels[side].append(...shown.map((index) => tokenLabel(state, index, side)));
  }
  root.append(labels.key, labels.query, room);
  let bytes, cell = 10;
  const borders = shown.slice(1).flatMap((index, i) =>
    state.segments[index] !== state.segments[shown[i]] ? [i + 1] : [],
  );
  const paint = () => {
    const free = root.clientWidth - labels.query.offsetWidth - 4;
    cell = Math.min(26, Math.max(5, Math.floor(free / Math.max(1, shown.length))));
    root.classList.toggle("electra-close", cell < 12);
    root.style.setProperty("--cell", `${cell}px`);
    const side = cell * shown.length;
    const pen = fineCanvas(canvas, side, side);
    room.style.width = room.style.height = `${side}px`;
    if (shown.length === 0) return;
    const chosen = new Uint8Array(shown.length ** 2);
    shown.forEach((i, at) => shown.forEach((j, to) => {
      chosen[at * shown.length + to] = bytes[i * size + j];
    }));
    const picture = new OffscreenCanvas(shown.length, shown.length);
    const segments = shown.map((index) => state.segments[index]);
    picture.getContext("2d").putImageData(coloured(state, chosen, shown.length, segments), 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, 0, 0, side, side);
    pen.strokeStyle = "#808080";
    pen.globalAlpha = 0.8;
    for (const border of borders) {
      pen.beginPath();
      pen.moveTo(0, border * cell);
      pen.lineTo(side, border * cell);
      pen.moveTo(border * cell, 0);
      pen.lineTo(border * cell, side);
      pen.stroke();
    }
  };
  const mark = () => {
    const at = [shown.indexOf(look.cursor.query), shown.indexOf(look.cursor.key)];
    Object.assign(row.style, {
      display: at[0] < 0 ? "none" : "block",
      top: `${at[0] * cell}px`, left: "0", width: "100%", height: `${cell}px`,
    });
    Object.assign(column.style, {
      display: at[1] < 0 ? "none" : "block",
      left: `${at[1] * cell}px`, top: "0", height: "100%", width: `${cell}px`,
    });
    ["query", "key"].forEach((side, n) => {
      [...labels[side].children].forEach((made, i) => {
        made.classList.toggle("electra-pointed", i === at[n]);
      });
    });
  };
  root.addEventListener("pointermove", (event) => {
    const label = event.target.closest?.("[data-token]");
    if (label) {
      const index = Number(label.dataset.token);
      point(label.dataset.side === "query" ? { query: index, key: null } : { query: null, key: index });
      return;
    }
    const box = canvas.getBoundingClientRect();
    const i = Math.floor((event.clientY - box.top) / cell);
    const j = Math.floor((event.clientX - box.left) / cell);
    const inside = shown[i] !== undefined && shown[j] !== undefined;
    point(inside ? { query: shown[i], key: shown[j] } : { query: null, key: null });
  });
  return {
    root,
    paint(fresh) {
      bytes = fresh;
      paint();
      mark();
    },
    pointed: mark,
    scrolled() {},
    rowOf: (index) => labels.query.children[shown.indexOf(index)],
  };
}

// What is pointed at, in words and numbers.
function readout(state, bytes, { query, key }, shown) {
  const made = document.createDocumentFragment();
  const name = (index) => element("bdi", "electra-said", state.tokens[index]);
  const size = state.tokens.length;
  if (query === null && key === null) {
    made.append("Point at a token or a pair, or use the arrow keys.");
  } else if (query !== null && key !== null) {
    made.append(name(query), " looks at ", name(key), ` with ${shortNumber(bytes[query * size + key])}`);
  } else {
    const at = (index) => (key === null ? bytes[query * size + index] : bytes[index * size + key]);
    const best = shown.filter((index) => at(index) > 0).sort((a, b) => at(b) - at(a)).slice(0, 3);
    const words = key === null ? ["looks most at ", "looks at nothing"] :
      ["is looked at most by ", "is looked at by nothing"];
    made.append(name(query ?? key), ` ${words[best.length ? 0 : 1]}`);
    best.forEach((index, n) => {
      if (n) made.append(", ");
      made.append(name(index), ` ${shortNumber(at(index))}`);
    });
  }
  return made;
}

function legendOf(state) {
  const made = element("div", "electra-legend");
  const pairs = state.segments.includes(1)
    ? [["A to A", 0], ["A to B", 1], ["B to A", 2], ["B to B", 3]]
    : [["", 0]];
  for (const [name, colour] of pairs) {
    const scale = element("span", "electra-pair");
    scale.style.setProperty("--colour", state.colours[colour]);
    const pair = element("span", "electra-pair-of");
    pair.append(scale, name);
    made.append(pair);
  }
  made.append(element("span", "", "0 to 1, a stronger colour is more; scale of square roots"));
  return made;
}

function attention(model, state, look, fetched) {
  const data = dataOf(state, fetched);
  const root = frame("attention", state);
  const body = element("div", "electra-attention-body");
  const detail = element("div", "electra-detail");
  const heading = element("div", "electra-detail-head");
  const name = element("span", "electra-panel-name", "", { role: "status" });
  const tools = element("span", "electra-tools");
  const said = element("div", "electra-readout", "", { role: "status" });
  const stage = element("div", "electra-stage", "", {
    tabindex: "0",
    role: "group",
    "data-index": "stage",
    "aria-label": "one head: up and down move over the tokens that look, left and right over those looked at",
  });
  const tool = (text, index, press, pressed) => {
    const made = element("button", "electra-tool", text, { type: "button", "data-index": index });
    if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
    made.addEventListener("click", press);
    tools.append(made);
    return made;
  };
  let drawn, shown;
  const ask = () => {
    if (!state.live || look.layer === null || fetched.has(look.layer)) return;
    model.send({ event: "fetch", layer: look.layer, version: state.version });
  };
  const say = () => {
    const { exact, bytes } = data.plane(look.layer, look.head);
    const missing = state.live ? "The layer is on its way; this is a rough picture." :
      "This page holds the chosen layer only; of the others it has rough pictures.";
    said.replaceChildren(exact ? readout(state, bytes, look.cursor, shown) : missing);
  };
  const show = () => {
    const { bytes } = data.plane(look.layer, look.head);
    name.textContent = nameOf(look.layer, look.head);
    drawn.paint(bytes);
    say();
    const off = data.isOff(look.layer, look.head);
    offButton.hidden = !state.interactive || typeof look.head !== "number";
    offButton.textContent = off ? "Switch on" : "Switch off";
    heading.classList.toggle("electra-is-off", off);
  };
  const point = (cursor) => {
    if (cursor.query === look.cursor.query && cursor.key === look.cursor.key) return;
    look.cursor = cursor;
    drawn.pointed();
    say();
  };
  const choose = (layer, head) => {
    if (layer === look.layer && head === look.head) return;
    Object.assign(look, { layer, head });
    model.send({ event: "choose", layer, head });
    ask();
    small.mark();
    show();
  };
  const turn = () => {
    if (!state.interactive || typeof look.head !== "number") return;
    const off = !data.isOff(look.layer, look.head);
    model.send({ event: "switch", layer: look.layer, head: look.head, off });
  };
  const stand = () => {
    shown = [...state.tokens.keys()].filter((index) => look.special || !state.special[index]);
    look.cursor = { query: null, key: null };
    drawn = (look.form === "arcs" ? arcs : matrix)(state, look, shown, point);
    stage.replaceChildren(drawn.root);
    for (const [form, button] of Object.entries(forms)) button.setAttribute("aria-pressed", form === look.form);
    special.setAttribute("aria-pressed", look.special);
  };
  const change = (values) => {
    Object.assign(look, values);
    stand();
    show();
  };
  const forms = {
    arcs: tool("Arcs", "arcs", () => change({ form: "arcs" })),
    matrix: tool("Matrix", "matrix", () => change({ form: "matrix" })),
  };
  const special = tool("Special tokens", "special", () => change({ special: !look.special }));
  special.hidden = !state.special.includes(true);
  const offButton = tool("Switch off", "switch", turn);
  const restore = tool("All heads on", "restore", () => model.send({ event: "restore" }));
  restore.hidden = !state.interactive || state.off.length === 0;
  stage.addEventListener("pointerleave", () => point({ query: null, key: null }));
  stage.addEventListener("scroll", () => requestAnimationFrame(() => drawn.scrolled()));
  stage.addEventListener("blur", () => point({ query: null, key: null }));
  stage.addEventListener("keydown", (event) => {
    const { query, key } = look.cursor;
    const move = (index, by) =>
      index === null
        ? shown[by > 0 ? 0 : shown.length - 1]
        : shown[Math.min(Math.max(shown.indexOf(index) + by, 0), shown.length - 1)];
    const to = {
      ArrowDown: () => ({ query: move(query, 1), key }),
      ArrowUp: () => ({ query: move(query, -1), key }),
      ArrowRight: () => ({ query, key: move(key, 1) }),
      ArrowLeft: () => ({ query, key: move(key, -1) }),
      Home: () => ({ query: shown[0], key }),
      End: () => ({ query: shown[shown.length - 1], key }),
      Escape: () => ({ query: null, key: null }),
    }[event.key];
    if (to === undefined || shown.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    point(to());
    drawn.rowOf(look.cursor.query)?.scrollIntoView({ block: "nearest" });
  });
  const small = overview(state, data, look, choose, turn);
  heading.append(name, tools);
  detail.append(heading, said, stage, legendOf(state));
  body.append(small.root, detail);
  root.append(body);
  stand();
  small.mark();
  ask();
  const paint = () => {
    small.paint();
    show();
  };
  // drawn when it has a size: when it is put into the page, and when the page changes its width
  let wide = 0;
  new ResizeObserver(() => {
    if (detail.clientWidth === wide) return;
    wide = detail.clientWidth;
    if (wide) paint();
  }).observe(detail);
  look.arrived = (layer) => {
    if (layer === look.layer) show();
  };
  return root;
}

function render({ model, el }) {
  const look = { special: true, form: model.get("state").form, chosen: null };
  let version = null, fetched = new Map();
  const hear = (message, buffers) => {
    if (message.event !== "layer" || message.version !== version) return;
    const { buffer, byteOffset, byteLength } = buffers[0];
    fetched.set(message.layer, new Uint8Array(buffer, byteOffset, byteLength));
    look.arrived(message.layer);
  };
  model.on("msg:custom", hear);
  const stop = follow(model, el, (state) => {
    if (state.version !== version) [version, fetched] = [state.version, new Map()];
    // what the reader chose stays chosen, until code chooses
    if (state.chosen !== look.chosen) {
      Object.assign(look, { layer: state.layer, head: state.head, chosen: state.chosen });
    }
    return attention(model, state, look, fetched);
  });
  return () => {
    stop();
    model.off("msg:custom", hear);
  };
}

export default { render };
