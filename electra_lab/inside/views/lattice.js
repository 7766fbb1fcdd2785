const POINT = "Point at a cell, or walk with the arrow keys.";

function cell(state, row, column) {
  const found = state.cells[row][column];
  if (found === null) return element("span");
  const [amount, text, number] = found;
  const made = element("button", "electra-cell", text, { type: "button" });
  const onPath = state.path.some(([i, j]) => i === row && j === column);
  const isTarget = state.target !== null && state.target[0] === row && state.target[1] === column;
  const what = text === number || /^[-+−]?[\d.]*$/.test(text) ? "" : `${text} `;
  const marks = `${onPath ? ", chosen" : ""}${isTarget ? ", explained" : ""}`;
  made.setAttribute("aria-label", `${state.columns[column]}, ${state.rows[row]}: ${what}${number}${marks}`);
  if (amount < 0) made.classList.add("electra-below");
  if (onPath) made.classList.add("electra-on-path");
  if (isTarget) made.classList.add("electra-target");
  made.style.setProperty("--amount", Math.min(1, Math.abs(amount)));
  made.dataset.row = row;
  made.dataset.column = column;
  return made;
}

function band(state, [start, stop], items) {
  const made = element("div", "electra-band");
  const columns = state.widths.slice(start, stop).map((width) => `${width - 2}px`);
  made.style.gridTemplateColumns = `${state.head}px ${columns.join(" ")}`;
  made.append(element("span"));
  for (let column = start; column < stop; column += 1) {
    made.append(element("bdi", "electra-across", state.columns[column], { title: state.columns[column] }));
  }
  state.rows.forEach((name, row) => {
    made.append(element("bdi", "electra-down", name, { title: name }));
    for (let column = start; column < stop; column += 1) {
      const one = cell(state, row, column);
      if (one.dataset.row !== undefined) items.set(`${row},${column}`, one);
      made.append(one);
    }
  });
  return made;
}

// One stop of the Tab key for the grid; arrow keys move up, down and across, over empty cells too.
function walk(items, state) {
  let stop = [...items.values()].find((one) => one.classList.contains("electra-on-path"));
  stop ??= items.values().next().value;
  for (const [place, one] of items) {
    one.tabIndex = one === stop ? 0 : -1;
    one.dataset.index = place;
  }
  return (event) => {
    const step = {
      ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0],
    }[event.key];
    const from = event.target.dataset;
    if (step === undefined || from.row === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    let [row, column] = [Number(from.row), Number(from.column)];
    do {
      row += step[0];
      column += step[1];
    } while (row in state.rows && column in state.columns && !items.has(`${row},${column}`));
    items.get(`${row},${column}`)?.focus();
  };
}

function render({ model, el }) {
  return follow(model, el, (state) => {
    const root = frame("lattice", state);
    if (state.interactive) root.classList.add("electra-interactive");
    const grid = element("div", "electra-lattice-grid", "", { role: "group", "aria-label": state.legend });
    const items = new Map();
    grid.append(...state.bands.map((range) => band(state, range, items)));
    const said = element("div", "electra-cell-said", POINT, { role: "status" });
    const say = (one) => {
      said.textContent = one?.dataset.row === undefined ? POINT : one.getAttribute("aria-label");
    };
    const move = walk(items, state);
    grid.addEventListener("keydown", move);
    grid.addEventListener("pointerover", (event) => say(event.target));
    grid.addEventListener("pointerleave", () => say(null));
    grid.addEventListener("focusin", (event) => {
      for (const one of items.values()) if (one.tabIndex === 0) one.tabIndex = -1;
      event.target.tabIndex = 0;
      say(event.target);
    });
    if (state.interactive) {
      grid.addEventListener("click", ({ target }) => {
        if (target.dataset.row === undefined) return;
        model.send({ event: "choose", row: Number(target.dataset.row), column: Number(target.dataset.column) });
      });
    }
    const legend = element("div", "electra-legend");
    legend.append(element("span", "", state.legend));
    root.append(grid, said, legend);
    return root;
  });
}

export default { render };
