function mistakeOf(mistake, model, state) {
  const was = mistake.original === null ? "" : `, was ${mistake.original}`;
  const made = element("button", "electra-mistake", "", {
    type: "button",
    "aria-label": `${mistake.before} ${mistake.token}${was} ${mistake.after}: probability of being replaced ${mistake.number}`,
  });
  const text = element("span", "electra-mistake-text");
  text.append(`${mistake.before} `, element("bdi", "electra-mistake-token", mistake.token));
  if (mistake.original !== null) text.append(element("bdi", "electra-mistake-was", mistake.original));
  text.append(` ${mistake.after}`);
  made.append(text, element("span", "electra-mistake-number", mistake.number));
  if (state.interactive) {
    made.addEventListener("click", () => model.send({ event: "choose", index: mistake.text }));
  }
  return made;
}

function render({ model, el }) {
  // which tokens the reader opened; the first of each list is open until then
  let open = null;
  return follow(model, el, (state) => {
    const root = frame("fooled", state);
    if (state.interactive) root.classList.add("electra-interactive");
    const first = state.lists.filter((list) => list.rows.length).map((list) => `${list.kind} ${list.rows[0].token}`);
    const now = open ?? new Set(first);
    const lists = element("div", "electra-fooled-lists");
    for (const list of state.lists) {
      const part = element("div", `electra-fooled-list electra-${list.kind}`, "", { role: "group", "aria-label": list.heading });
      part.append(element("div", "electra-fooled-heading", list.heading));
      const tokens = [];
      for (const row of list.rows) {
        const key = `${list.kind} ${row.token}`;
        const token = element("button", "electra-fooled-token", "", {
          type: "button",
          "aria-expanded": String(now.has(key)),
          "aria-label": `${row.token}: ${row.number} judged wrongly`,
        });
        const bar = element("span", "electra-fooled-bar");
        bar.style.setProperty("--share", row.share);
        const track = element("span");
        track.append(bar);
        token.append(element("bdi", "electra-word", row.token), track, element("span", "electra-fooled-number", row.number));
        const mistakes = element("div", "electra-mistakes");
        mistakes.hidden = !now.has(key);
        mistakes.append(...row.mistakes.map((mistake) => mistakeOf(mistake, model, state)));
        token.addEventListener("click", () => {
          open = now;
          if (!open.delete(key)) open.add(key);
          mistakes.hidden = !open.has(key);
          token.setAttribute("aria-expanded", String(open.has(key)));
        });
        tokens.push(token);
        part.append(token, mistakes);
      }
      if (!tokens.length) part.append(element("div", "electra-note", "None."));
      rove(tokens);
      for (const token of tokens) token.dataset.index = `${list.kind} ${token.dataset.index}`;
      lists.append(part);
    }
    root.append(lists, element("div", "electra-legend", state.legend));
    return root;
  });
}

export default { render };
