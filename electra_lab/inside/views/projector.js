const MARGIN = 16, REACH = 14, MOST_LABELS = 60, TRIED = 3000, MOST_FOUND = 8;
const STEP = 1.4; // of one zoom step

// Whole numbers that arrived as bytes in base64 (little-endian, as all browsers' machines are).
function unpacked(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

// Corners of a shape one wide, around 0; a circle has none.
const CORNERS = {
  circle: [],
  square: [[-0.45, -0.45], [0.45, -0.45], [0.45, 0.45], [-0.45, 0.45]],
  triangle: [[0, -0.52], [0.52, 0.42], [-0.52, 0.42]],
  diamond: [[0, -0.58], [0.58, 0], [0, 0.58], [-0.58, 0]],
  cross: [
    [-0.5, -0.26], [-0.26, -0.5], [0, -0.24], [0.26, -0.5], [0.5, -0.26], [0.24, 0],
    [0.5, 0.26], [0.26, 0.5], [0, 0.24], [-0.26, 0.5], [-0.5, 0.26], [-0.24, 0],
  ],
};

function trace(context, shape, x, y, size) {
  context.beginPath();
  if (shape === "circle") context.arc(x, y, size / 2, 0, 2 * Math.PI);
  CORNERS[shape].forEach(([dx, dy], corner) => {
    if (corner) context.lineTo(x + dx * size, y + dy * size);
    else context.moveTo(x + dx * size, y + dy * size);
  });
  context.closePath();
}

// A mark of the legend.
function swatch(category) {
  const svg = drawing("svg", { width: 12, height: 12, viewBox: "-0.65 -0.65 1.3 1.3", "aria-hidden": "true" });
  svg.append(
    category.shape === "circle"
      ? drawing("circle", { r: Math.min(0.5, category.size / 13 + 0.12), fill: category.colour })
      : drawing("polygon", {
          points: CORNERS[category.shape].map((corner) => corner.join(",")).join(" "),
          fill: category.colour,
        }),
  );
  return svg;
}

// As numbers are written in Python: .87, -.12, 1.0
function short(cosine) {
  const text = Math.abs(cosine).toFixed(2);
  const digits = text.startsWith("1") ? "1.0" : text.slice(1);
  return cosine < 0 && digits !== ".00" ? `-${digits}` : digits;
}

function panelOf(cloud, number, data, shared) {
  const packed = unpacked(cloud.points, Uint16Array);
  const count = data.labels.length;
  const neighbours = unpacked(cloud.neighbours, Uint16Array);
  const cosines = unpacked(cloud.cosines, Int16Array);
  const x = new Float32Array(count), y = new Float32Array(count);
  let [left, right, low, high] = [1, 0, 1, 0];
  for (let i = 0; i < count; i++) {
    x[i] = packed[2 * i] / 65535;
    y[i] = packed[2 * i + 1] / 65535;
    left = Math.min(left, x[i]);
    right = Math.max(right, x[i]);
    low = Math.min(low, y[i]);
    high = Math.max(high, y[i]);
  }

  const root = element("div", "electra-cloud");
  const head = element("div", "electra-cloud-head");
  const names = element("div");
  names.append(
    element("div", "electra-panel-name", cloud.title),
    element("div", "electra-how", cloud.how),
  );
  const buttons = element("div", "electra-zoom");
  const canvas = element("canvas", "electra-canvas", "", {
    tabindex: "0",
    role: "application",
    "aria-label":
      `${cloud.title}: ${count} points. Arrow keys go to the nearest point in their direction, ` +
      "Enter chooses it, Shift with arrows moves the picture, plus and minus enlarge and reduce, " +
      "0 shows all, Escape lets go.",
  });
  head.append(names, buttons);
  root.append(head, canvas);

  // Points and names are drawn on the ground, which stays while the pointer moves from point to point.
  const ground = document.createElement("canvas");
  let context = ground.getContext("2d");
  const view = { zoom: 1, x: 0.5, y: 0.5 };
  let wide = 0, tall = 0, fine = 1, sprites = [], waiting = false, stale = true;
  let ink = "", paper = "", font = "";
  const widths = new Float32Array(count);
  const alike = count > 1 && new Set(data.labels).size === 1; // one name everywhere would say nothing

  const factor = () => {
    const fit = Math.min(
      (wide - 2 * MARGIN) / Math.max(right - left, 1e-6),
      (tall - 2 * MARGIN) / Math.max(high - low, 1e-6),
    );
    return fit * view.zoom;
  };
  const across = (i) => wide / 2 + (x[i] - view.x) * factor();
  const down = (i) => tall / 2 - (y[i] - view.y) * factor();

  // One little picture for each category and strength: thousands of them are copied in no time.
  function makeSprites() {
    const smaller = (count <= 800 ? 1 : count <= 3000 ? 0.8 : 0.6) * Math.min(1.8, view.zoom ** 0.25);
    sprites = data.categories.map((category) =>
      [0.78, 0.22].map((opacity) => {
        const size = category.size * smaller;
        const room = Math.ceil((size + 3) * fine);
        const picture = document.createElement("canvas");
        picture.width = picture.height = room;
        const pen = picture.getContext("2d");
        pen.scale(fine, fine);
        pen.globalAlpha = opacity;
        pen.fillStyle = category.colour;
        trace(pen, category.shape, room / fine / 2, room / fine / 2, size);
        pen.fill();
        return { picture, half: room / fine / 2 };
      }),
    );
  }

  // Write a name beside its point, on the first side that has room; a strong one in any case.
  function write(i, px, py, strong, taken) {
    const text = data.labels[i];
    context.font = `${strong ? "600 13" : "11.5"}px ${font}`;
    // measuring takes long, and weak names are measured again and again
    if (strong || !widths[i]) widths[i] = context.measureText(text).width;
    const width = widths[i];
    if (strong) widths[i] = 0;
    const gap = strong ? 10 : 7;
    const sides = [[px + gap, py], [px - gap - width, py], [px - width / 2, py - 13], [px - width / 2, py + 13]];
    const boxes = sides.map(([at, middle]) => [at, middle - 7, at + width, middle + 7]);
    const free = boxes.find((box) =>
      box[0] >= 2 && box[1] >= 2 && box[2] <= wide - 2 && box[3] <= tall - 2
      && !taken.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3]));
    if (!free && !strong) return;
    const box = free ?? boxes[0];
    taken.push(box);
    context.lineWidth = 3.5;
    context.lineJoin = "round";
    context.strokeStyle = paper;
    context.fillStyle = ink;
    context.strokeText(text, box[0], box[1] + 7);
    context.fillText(text, box[0], box[1] + 7);
  }

  function ring(i, size, width) {
    const category = data.categories[data.category[i]];
    context.fillStyle = category.colour;
    context.strokeStyle = ink;
    context.lineWidth = width;
    trace(context, category.shape, across(i), down(i), size);
    context.fill();
    context.stroke();
  }

  function paintGround() {
    context = ground.getContext("2d");
    context.setTransform(fine, 0, 0, fine, 0, 0);
    context.clearRect(0, 0, wide, tall);
    context.textBaseline = "middle";
    const { chosen, found, hidden } = shared;
    const near = chosen === null ? [] : nearOf(chosen).map(([other]) => other);
    const quiet = chosen !== null || found !== null;
    const scale = factor(), shiftX = wide / 2 - view.x * scale, shiftY = tall / 2 + view.y * scale;
    for (let i = count - 1; i >= 0; i--) {
      if (hidden.has(data.category[i])) continue;
      const px = shiftX + x[i] * scale, py = shiftY - y[i] * scale;
      if (px < -9 || py < -9 || px > wide + 9 || py > tall + 9) continue;
      const { picture, half } = sprites[data.category[i]][quiet && !found?.has(i) ? 1 : 0];
      context.drawImage(picture, px - half, py - half, 2 * half, 2 * half);
    }
    const taken = [];
    if (found && found.size <= MOST_LABELS) {
      for (const i of found) if (!hidden.has(data.category[i])) ring(i, 8, 1);
    }
    if (chosen !== null) {
      for (const other of near) ring(other, 9, 1);
      ring(chosen, 12, 2.5);
      write(chosen, across(chosen), down(chosen), true, taken);
    }
    // as many names as have room, the important ones first; points come in order of importance
    const named = new Set([chosen]);
    const wanted = function* () {
      yield* near;
      if (found) yield* found;
      if (!quiet && !alike) for (let i = 0; i < Math.min(count, TRIED * view.zoom); i++) yield i;
    };
    let tried = 0;
    for (const i of wanted()) {
      if (taken.length >= MOST_LABELS || tried > TRIED) break;
      if (named.has(i) || hidden.has(data.category[i])) continue;
      const px = shiftX + x[i] * scale, py = shiftY - y[i] * scale;
      if (px < 0 || py < 0 || px > wide || py > tall) continue;
      named.add(i);
      tried++;
      write(i, px, py, false, taken);
    }
  }

  function paint() {
    waiting = false;
    if (!wide) return;
    const style = getComputedStyle(canvas);
    if (stale || ink !== style.color || paper !== style.backgroundColor) {
      [ink, paper, font] = [style.color, style.backgroundColor, style.fontFamily];
      paintGround();
      stale = false;
    }
    context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(ground, 0, 0);
    const { pointed, chosen } = shared;
    if (pointed === null || pointed === chosen) return;
    context.setTransform(fine, 0, 0, fine, 0, 0);
    context.textBaseline = "middle";
    ring(pointed, 11, 2);
    write(pointed, across(pointed), down(pointed), true, []);
  }

  const draw = (anew = true) => {
    stale ||= anew;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(paint);
  };

  function fit() {
    const box = canvas.getBoundingClientRect();
    [wide, tall, fine] = [box.width, box.height, window.devicePixelRatio || 1];
    canvas.width = ground.width = Math.round(wide * fine);
    canvas.height = ground.height = Math.round(tall * fine);
    stale = true;
    makeSprites();
    paint(); // at once: an empty canvas would be seen
  }

  function home() {
    Object.assign(view, { zoom: 1, x: (left + right) / 2, y: (low + high) / 2 });
    makeSprites();
    draw();
  }

  // Enlarge around a place of the canvas, which stays where it is.
  function zoom(by, px = wide / 2, py = tall / 2) {
    const before = factor();
    view.zoom = Math.min(Math.max(view.zoom * by, 1), 200);
    const gain = 1 / before - 1 / factor();
    view.x += (px - wide / 2) * gain;
    view.y -= (py - tall / 2) * gain;
    if (view.zoom === 1) home();
    makeSprites();
    draw();
  }

  function move(dx, dy) {
    view.x -= dx / factor();
    view.y += dy / factor();
    draw();
  }

  function nearOf(i) {
    const row = [];
    for (let n = i * cloud.k; n < (i + 1) * cloud.k; n++) row.push([neighbours[n], cosines[n] / 10000]);
    return row;
  }

  function pointAt(px, py) {
    let best = null, distance = REACH ** 2;
    const scale = factor(), shiftX = wide / 2 - view.x * scale, shiftY = tall / 2 + view.y * scale;
    for (let i = 0; i < count; i++) {
      const d = (shiftX + x[i] * scale - px) ** 2 + (shiftY - y[i] * scale - py) ** 2;
      if (d < distance && !shared.hidden.has(data.category[i])) [best, distance] = [i, d];
    }
    return best;
  }

  // The nearest point in a direction: what lies to the side of it counts as twice as far.
  function beyond(dx, dy) {
    const from = shared.pointed ?? shared.chosen;
    const px = from === null ? wide / 2 : across(from);
    const py = from === null ? tall / 2 : down(from);
    let best = null, distance = Infinity;
    for (let i = 0; i < count; i++) {
      if (i === from || shared.hidden.has(data.category[i])) continue;
      const ahead = (across(i) - px) * dx + (down(i) - py) * dy;
      const aside = Math.abs((across(i) - px) * dy) + Math.abs((down(i) - py) * dx);
      if (ahead <= 0.5 || aside > 2 * ahead) continue;
      if (ahead + 2 * aside < distance) [best, distance] = [i, ahead + 2 * aside];
    }
    return best;
  }

  function show(i) {
    const px = across(i), py = down(i);
    if (px < 8 || py < 8 || px > wide - 8 || py > tall - 8) {
      [view.x, view.y] = [x[i], y[i]];
      draw();
    }
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = { at: place(event), moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [px, py] = place(event);
    if (!held) {
      const point = pointAt(px, py);
      canvas.style.cursor = point === null ? "grab" : "pointer";
      shared.point(point);
      return;
    }
    const [dx, dy] = [px - held.at[0], py - held.at[1]];
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    held.moved = true;
    held.at = [px, py];
    canvas.style.cursor = "grabbing";
    move(dx, dy);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (held && !held.moved) shared.choose(pointAt(...place(event)));
    held = null;
  });
  canvas.addEventListener("pointercancel", () => { held = null; });
  canvas.addEventListener("pointerleave", () => shared.point(null));
  canvas.addEventListener("dblclick", (event) => zoom(STEP ** 2, ...place(event)));
  // without Ctrl the wheel moves the page, as everywhere
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), ...place(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const direction = {
      ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    }[event.key];
    const done = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (direction && event.shiftKey) move(-40 * direction[0], -40 * direction[1]);
    else if (direction) {
      const next = beyond(...direction);
      if (next !== null) {
        shared.point(next);
        show(next);
      }
    } else if (event.key === "Enter" || event.key === " ") {
      if (shared.pointed !== null) shared.choose(shared.pointed);
    } else if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "0") home();
    else if (event.key === "Escape") {
      shared.point(null);
      shared.choose(null);
    } else return;
    done();
  });
  for (const [text, says, act] of [
    ["−", "reduce", () => zoom(1 / STEP)],
    ["+", "enlarge", () => zoom(STEP)],
    ["⤢", "show all", home],
  ]) {
    const made = element("button", "electra-step-button", text, {
      type: "button",
      title: says,
      "aria-label": `${says}: ${cloud.title}`,
    });
    made.addEventListener("click", act);
    buttons.append(made);
  }
  home();
  return { root, canvas, cloud, number, draw, fit, show, nearOf };
}

// The neighbours of the chosen point in one panel; those that all panels name are marked.
function listOf(panel, panels, data, shared) {
  const root = element("div", "electra-near");
  const { chosen } = shared;
  if (chosen === null) return root;
  const others = panels.filter((other) => other !== panel);
  const common = new Set(others.flatMap((other) => other.nearOf(chosen).map(([i]) => i)));
  const head = element("div", "electra-how", "");
  head.append(element("bdi", "electra-near-of", data.labels[chosen]), " and its nearest, by cosine");
  const list = element("div", "electra-near-list", "", {
    role: "group",
    "aria-label": `neighbours in ${panel.cloud.title}`,
  });
  const items = panel.nearOf(chosen).map(([other, cosine]) => {
    const made = element("button", "electra-neighbour", "", { type: "button" });
    made.append(
      element("span", "electra-cosine", short(cosine)),
      element("bdi", "", data.labels[other]),
    );
    if (common.has(other)) {
      made.append(element("span", "electra-common", "•", { title: "a neighbour in both panels" }));
    }
    made.addEventListener("click", () => shared.choose(other));
    made.addEventListener("pointerenter", () => shared.point(other));
    made.addEventListener("pointerleave", () => shared.point(null));
    made.addEventListener("focus", () => shared.point(other));
    return made;
  });
  list.append(...items);
  rove(items);
  root.append(head, list);
  return root;
}

function render({ model, el }) {
  let ends = []; // what a redraw has to stop first
  const stop = follow(model, el, (state) => {
    for (const end of ends) end();
    ends = [];
    const root = frame("projector", state);
    const data = {
      labels: state.labels,
      categories: state.categories,
      category: unpacked(state.category, Uint8Array),
    };
    if (data.labels.length === 0) return root;

    const status = element("div", "electra-point", "", { role: "status" });
    const lists = element("div", "electra-nears");
    const shared = { chosen: state.selected, pointed: null, found: null, hidden: new Set() };
    const panels = [];
    const drawAll = (anew = true) => panels.forEach((panel) => panel.draw(anew));
    const say = () => {
      const i = shared.pointed ?? shared.chosen;
      status.replaceChildren();
      if (i === null) {
        status.textContent = "Point at a point, click it for its neighbours. Drag to move, Ctrl and wheel to zoom.";
        return;
      }
      const category = state.categories[data.category[i]];
      status.append(element("bdi", "electra-point-name", data.labels[i]));
      if (state.kind) status.append(` (${category.name})`);
      if (state.details?.[i]) status.append(element("bdi", "electra-detail", state.details[i]));
    };
    const list = () => {
      lists.replaceChildren(...panels.map((panel) => listOf(panel, panels, data, shared)));
    };
    shared.point = (i) => {
      if (shared.pointed === i) return;
      shared.pointed = i;
      say();
      drawAll(false);
    };
    shared.choose = (i) => {
      if (shared.chosen === i) return;
      // the list is made anew; whoever is in it stays in it
      const inside = panels.findIndex((_, n) => lists.children[n]?.contains(document.activeElement));
      shared.chosen = i;
      shared.pointed = null;
      say();
      list();
      if (i !== null) panels.forEach((panel) => panel.show(i));
      drawAll();
      lists.children[inside]?.querySelector("button")?.focus();
      if (state.interactive) model.send({ event: "choose", index: i });
    };

    const grid = element("div", `electra-clouds electra-clouds-${state.clouds.length}`);
    state.clouds.forEach((cloud, number) => panels.push(panelOf(cloud, number, data, shared)));
    grid.append(...panels.map((panel) => panel.root));
    root.append(searchOf(data, shared, drawAll), grid, status, legendOf(state, shared, drawAll), lists);
    say();
    list();

    // a canvas has no size before it is on the page, and another when the page changes
    const sizes = new ResizeObserver(() => panels.forEach((panel) => panel.fit()));
    panels.forEach((panel) => sizes.observe(panel.canvas));
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const recolour = () => drawAll();
    dark.addEventListener("change", recolour);
    const theme = new MutationObserver(recolour);
    theme.observe(document.body, { attributes: true });
    ends.push(
      () => sizes.disconnect(),
      () => theme.disconnect(),
      () => dark.removeEventListener("change", recolour),
    );
    return root;
  });
  return () => {
    for (const end of ends) end();
    stop();
  };
}

function searchOf(data, shared, drawAll) {
  const root = element("div", "electra-search");
  const field = element("input", "electra-find", "", {
    type: "search",
    placeholder: "Find a point",
    "aria-label": "Find a point by its label",
    spellcheck: "false",
  });
  const said = element("span", "electra-how", "", { role: "status" });
  const matches = element("span", "electra-matches");
  let first = null;
  const look = () => {
    const wanted = field.value.trim().toLowerCase();
    matches.replaceChildren();
    first = null;
    if (!wanted) {
      shared.found = null;
      said.textContent = "";
      drawAll();
      return;
    }
    const ranked = [[], [], []]; // the label itself, labels that begin so, labels that hold it
    data.labels.forEach((label, i) => {
      const at = label.toLowerCase().indexOf(wanted);
      if (at >= 0) ranked[at > 0 ? 2 : label.length === wanted.length ? 0 : 1].push(i);
    });
    const found = ranked.flat();
    shared.found = new Set(found);
    first = found[0] ?? null;
    said.textContent = `${found.length.toLocaleString("en")} found`;
    for (const i of found.slice(0, MOST_FOUND)) {
      const made = element("button", "electra-match", "", { type: "button" });
      made.append(element("bdi", "", data.labels[i]));
      made.addEventListener("click", () => choose(i));
      matches.append(made);
    }
    drawAll();
  };
  const choose = (i) => {
    field.value = "";
    look();
    shared.choose(i);
  };
  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && first !== null) choose(first);
    if (event.key === "Escape") {
      field.value = "";
      look();
    }
  });
  root.append(field, said, matches);
  return root;
}

function legendOf(state, shared, drawAll) {
  const root = element("div", "electra-legend", "", { role: "group", "aria-label": state.kind });
  if (!state.kind) return root;
  root.append(element("span", "", `${state.kind}:`));
  const items = state.categories.map((category, number) => {
    const made = element("button", "electra-category", "", {
      type: "button",
      "aria-pressed": "true",
      title: "hide or show",
    });
    made.append(swatch(category), element("bdi", "", category.name), element("span", "electra-how", `(${category.count.toLocaleString("en")})`));
    made.addEventListener("click", () => {
      if (!shared.hidden.delete(number)) shared.hidden.add(number);
      made.setAttribute("aria-pressed", String(!shared.hidden.has(number)));
      drawAll();
    });
    return made;
  });
  root.append(...items);
  rove(items);
  return root;
}

export default { render };
