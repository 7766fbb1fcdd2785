const SORTS = [
  ["loss", "highest loss first", (rows) => (a, b) => rows.loss[b] - rows.loss[a]],
  ["sure", "surest first", (rows) => (a, b) => rows.sure[b] - rows.sure[a]],
  ["unsure", "least sure first", (rows) => (a, b) => rows.sure[a] - rows.sure[b]],
  ["number", "as in the data", (rows) => (a, b) => rows.number[a] - rows.number[b]],
];

// As numbers are written in Python: .87, 1.00, 12.30
function twoDigits(number) {
  const text = number.toFixed(2);
  return text.startsWith("0.") ? text.slice(1) : text;
}

const grouped = (number) => number.toLocaleString("en");

// One stop of the Tab key for a table of buttons; the four arrow keys move in it.
function roveTable(cells, columns) {
  cells.forEach((cell, position) => {
    cell.tabIndex = position === 0 ? 0 : -1;
    cell.addEventListener("focus", () => {
      for (const other of cells) other.tabIndex = other === cell ? 0 : -1;
    });
    cell.addEventListener("keydown", (event) => {
      const column = position % columns;
      const to = {
        ArrowRight: column < columns - 1 ? position + 1 : position,
        ArrowLeft: column > 0 ? position - 1 : position,
        ArrowDown: position + columns,
        ArrowUp: position - columns,
        Home: position - column,
        End: position - column + columns - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      cells[to]?.focus();
    });
  });
}

// The confusion matrix: a button for each cell.
function matrixOf(table, look, filter) {
  const root = element("div", "electra-confusion");
  if (table.said.length > 6) root.classList.add("electra-close");
  const grid = element("table", "", "", {
    "aria-label": `confusion matrix, ${table.unit}: lines are what is right, columns what was said`,
  });
  const head = element("thead");
  const names = element("tr");
  names.append(element("th", "electra-corner", "right ↓ said →"));
  for (const name of table.said) {
    const cell = element("th", "", "", { scope: "col" });
    cell.append(element("bdi", "electra-error-name", name, { title: name }));
    names.append(cell);
  }
  head.append(names);
  const body = element("tbody");
  const cells = [];
  table.gold.forEach((gold, i) => {
    const line = element("tr");
    const title = element("th", "", "", { scope: "row" });
    title.append(element("bdi", "electra-error-name", gold, { title: gold }));
    line.append(title);
    const total = table.counts[i].reduce((sum, count) => sum + count, 0) || 1;
    table.said.forEach((said, j) => {
      const count = table.counts[i][j];
      const right = table.right[i][j];
      const key = `${i},${j}`;
      const made = element("button", "electra-cell", count ? grouped(count) : "·", {
        type: "button",
        "aria-pressed": String(look.cell === key),
        "aria-label": `right ${gold}, said ${said}: ${count}${right ? "" : ", errors"}`,
        title: `right: ${gold}, said: ${said}`,
        "data-cell": key,
      });
      if (right) made.classList.add("electra-is-right");
      if (!count) made.classList.add("electra-none");
      made.style.setProperty("--share", count / total);
      made.addEventListener("click", () => {
        if (count) filter("cell", key);
      });
      cells.push(made);
      const cell = element("td");
      cell.append(made);
      line.append(cell);
    });
    body.append(line);
  });
  roveTable(cells, table.said.length);
  grid.append(head, body);
  root.append(grid);
  return { root, mark: () => cells.forEach((cell) =>
    cell.setAttribute("aria-pressed", String(cell.dataset.cell === look.cell))) };
}

// The slices: each with its size, its figure and the interval around it.
function slicesOf(state, look, filter) {
  const root = element("div", "electra-slices");
  const head = element("div", "electra-note", `${state.metric}, with its 95 % interval; a line marks all examples`);
  const list = element("div", "electra-slices-list", "", {
    role: "group",
    "aria-label": `slices: size and ${state.metric} with its interval`,
  });
  let kind = null;
  const items = state.slices.map((part, number) => {
    if (part.kind !== kind) {
      kind = part.kind;
      list.append(element("div", "electra-slice-kind", `by ${kind}`));
    }
    const made = element("button", "electra-slice", "", {
      type: "button",
      "aria-pressed": String(look.slice === number),
      "aria-label": `${part.kind}: ${part.name}, ${part.size}: ${state.metric} ${part.said}`,
      title: part.name,
    });
    const track = element("span", "electra-slice-track", "", { "aria-hidden": "true" });
    if (part.low !== null) {
      const reach = element("span", "electra-reach");
      reach.style.left = `${100 * part.low}%`;
      reach.style.width = `${100 * (part.high - part.low)}%`;
      track.append(reach);
    }
    if (state.overall !== null) {
      const all = element("span", "electra-of-all");
      all.style.left = `${100 * state.overall}%`;
      track.append(all);
    }
    const at = element("span", "electra-at");
    at.style.left = `${100 * part.value}%`;
    track.append(at);
    made.append(
      element("bdi", "", part.name),
      element("span", "electra-size", grouped(part.size)),
      track,
      element("span", "", part.said),
    );
    made.addEventListener("click", () => filter("slice", number));
    list.append(made);
    return made;
  });
  rove(items);
  root.append(head, list);
  return { root, mark: () => items.forEach((item, number) =>
    item.setAttribute("aria-pressed", String(look.slice === number))) };
}

function detailOf(state, position) {
  const root = element("div", "electra-error-detail", "", { role: "status" });
  if (position < 0) {
    root.append(element("div", "electra-error-said", "Click an example to see all of it."));
    return root;
  }
  const { rows } = state;
  root.append(element("bdi", "electra-error-text", rows.text[position]));
  for (const note of rows.notes[position]) root.append(element("bdi", "", note));
  const said = element("div", "electra-error-said", "");
  said.append("right: ", element("bdi", "", rows.gold[position]), ", said: ", element("bdi", "", rows.said[position]));
  if (rows.sure) said.append(` with a probability of ${twoDigits(rows.sure[position])}`);
  said.append(`; loss ${twoDigits(rows.loss[position])}; example ${rows.number[position]}`);
  root.append(said);
  return root;
}

function errors(model, state, look) {
  const root = frame("errors", state);
  const { rows } = state;
  if (rows.number.length === 0) return root;
  root.append(element("div", "electra-error-summary", state.summary));
  const found = rows.text.map((text, i) =>
    [text, ...rows.notes[i], rows.gold[i], rows.said[i]].join("\n").toLowerCase());

  const filter = (kind, value) => {
    look[kind] = look[kind] === value ? null : value;
    look.shown = state.page;
    show();
  };
  const top = element("div", "electra-error-top");
  const matrix = state.confusion ? matrixOf(state.confusion, look, filter) : null;
  const slices = state.slices.length ? slicesOf(state, look, filter) : null;
  for (const part of [matrix, slices]) if (part) top.append(part.root);

  const tools = element("div", "electra-error-tools");
  const field = element("input", "electra-error-find", "", {
    type: "search",
    placeholder: "Find in the examples",
    "aria-label": "Find examples that hold these words",
    spellcheck: "false",
  });
  field.value = look.words;
  field.addEventListener("input", () => {
    look.words = field.value;
    look.shown = state.page;
    show();
  });
  field.addEventListener("keydown", (event) => event.stopPropagation());
  const sort = element("select", "electra-error-sort", "", { "aria-label": "Order of the examples" });
  for (const [name, says] of SORTS) {
    if (rows.sure || !name.endsWith("sure")) sort.append(element("option", "", says, { value: name }));
  }
  sort.value = look.sort;
  sort.addEventListener("change", () => {
    look.sort = sort.value;
    look.shown = state.page;
    show();
  });
  sort.addEventListener("keydown", (event) => event.stopPropagation());
  const wrong = element("button", "electra-error-tool", "Wrong only", { type: "button" });
  wrong.hidden = !rows.right;
  wrong.addEventListener("click", () => {
    look.wrong = !look.wrong;
    look.shown = state.page;
    show();
  });
  const reset = element("button", "electra-error-tool", "Show all", { type: "button" });
  reset.addEventListener("click", () => {
    Object.assign(look, { cell: null, slice: null, words: "", wrong: false, shown: state.page });
    field.value = "";
    show();
    field.focus();
  });
  const count = element("span", "electra-error-count", "", { role: "status" });
  tools.append(field, sort, wrong, reset, count);

  const heads = element("div", "electra-example-head", "", { "aria-hidden": "true" });
  for (const text of ["loss", rows.sure ? "sure" : "", "right / said", "example"]) {
    heads.append(element("span", "", text));
  }
  const list = element("div", "electra-examples", "", {
    role: "group",
    "aria-label": "examples; arrow keys move, Enter chooses",
  });
  let detail = element("div");
  const choose = (position) => {
    look.selected = rows.number[position];
    for (const item of list.querySelectorAll(".electra-example")) {
      item.setAttribute("aria-pressed", String(Number(item.dataset.position) === position));
    }
    explain();
    if (state.interactive) model.send({ event: "choose", index: look.selected });
  };
  const explain = () => {
    const made = detailOf(state, look.selected === null ? -1 : rows.number.indexOf(look.selected));
    detail.replaceWith(made);
    detail = made;
  };

  const chosen = () => {
    let members = rows.number.map((_, position) => position);
    const keep = (positions) => {
      const kept = new Set(positions);
      members = members.filter((position) => kept.has(position));
    };
    if (look.cell !== null && state.confusion) keep(state.confusion.rows[look.cell] ?? []);
    if (look.slice !== null) keep(state.slices[look.slice].rows);
    if (look.wrong) members = members.filter((position) => !rows.right[position]);
    const words = look.words.trim().toLowerCase();
    if (words) members = members.filter((position) => found[position].includes(words));
    const order = SORTS.find(([name]) => name === look.sort)[2](rows);
    return members.sort((a, b) => order(a, b) || a - b);
  };

  const lineOf = (position) => {
    const made = element("button", "electra-example", "", {
      type: "button",
      "aria-pressed": String(rows.number[position] === look.selected),
      "data-position": position,
    });
    if (rows.right && !rows.right[position]) made.classList.add("electra-is-wrong");
    const verdict = element("span", "electra-verdict");
    const said = element("bdi", "electra-said-line", rows.said[position]);
    // said by words as well as by colour
    if (rows.right) said.textContent = `${rows.right[position] ? "✓" : "✗"} ${rows.said[position]}`;
    verdict.append(element("bdi", "", rows.gold[position]), said);
    made.append(
      element("span", "electra-figure", twoDigits(rows.loss[position])),
      element("span", "electra-figure", rows.sure ? twoDigits(rows.sure[position]) : ""),
      verdict,
      element("bdi", "", rows.text[position]),
    );
    made.addEventListener("click", () => choose(position));
    return made;
  };

  function show() {
    const members = chosen();
    const lines = members.slice(0, look.shown).map(lineOf);
    list.replaceChildren(...lines);
    rove(lines);
    const left = members.length - lines.length;
    if (left > 0) {
      const more = element("button", "electra-error-more", `Show ${grouped(Math.min(left, state.page))} more of ${grouped(left)}`, { type: "button" });
      more.addEventListener("click", () => {
        const at = list.scrollTop;
        const next = look.shown;
        look.shown += state.page;
        show();
        list.scrollTop = at;
        list.querySelectorAll(".electra-example")[next]?.focus({ preventScroll: true });
      });
      list.append(more);
    }
    wrong.setAttribute("aria-pressed", String(look.wrong));
    const all = look.cell === null && look.slice === null && !look.wrong && !look.words.trim();
    reset.hidden = all;
    count.textContent = all
      ? `${grouped(members.length)} examples. ${state.left_out}`
      : `${grouped(members.length)} of ${grouped(rows.number.length)} examples. ${state.left_out}`;
    matrix?.mark();
    slices?.mark();
  }

  root.append(top, tools, heads, list, detail);
  show();
  explain();
  return root;
}

function render({ model, el }) {
  const look = { version: null };
  return follow(model, el, (state) => {
    // what the reader filtered stays filtered, until the data are others
    if (state.version !== look.version) {
      Object.assign(look, {
        version: state.version, cell: null, slice: null, words: "", wrong: false, sort: "loss",
        shown: state.page,
      });
    }
    look.selected = state.selected;
    return errors(model, state, look);
  });
}

export default { render };
