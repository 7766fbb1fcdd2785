// What bertviz's scripts find around them: their parameters, and d3 and jQuery without require.js.
const told = JSON.parse(document.getElementById("data").textContent);

// Whole numbers of 16 bits, the largest of which stands for `largest`, as nested arrays of `shape`.
function numbers({ shape, largest, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const values = Array.from(new Int16Array(bytes.buffer), (whole) => (whole / 32767) * largest);
  return shape.slice(1).reduceRight((flat, size) => {
    const rows = [];
    for (let start = 0; start < flat.length; start += size) {
      rows.push(flat.slice(start, start + size));
    }
    return rows;
  }, values);
}

const everything = Object.fromEntries(
  Object.entries(told.numbers).map(([name, packed]) => [name, numbers(packed)]),
);

const inEachHead = (layers, change) => layers.map((heads) => heads.map(change));

// Attention from some tokens to some: both are [start, stop].
function between(name, left, right) {
  const part = {
    name,
    attn: inEachHead(everything.attention, (rows) =>
      rows.slice(...left).map((row) => row.slice(...right)),
    ),
    left_text: told.tokens.slice(...left),
    right_text: told.tokens.slice(...right),
  };
  if (everything.queries) {
    part.queries = inEachHead(everything.queries, (vectors) => vectors.slice(...left));
    part.keys = inEachHead(everything.keys, (vectors) => vectors.slice(...right));
  }
  return part;
}

window.bertviz_params = {
  ...told.parameters,
  root_div_id: "bertviz",
  attention: Object.fromEntries(
    told.parts.map(({ key, name, left, right }) => [key, between(name, left, right)]),
  ),
};

window.requirejs = (names, start) => start(window.jQuery, window.d3);

// then bertviz's script

for (const [id, names] of Object.entries(told.names)) {
  document.querySelectorAll(`#${id} option`).forEach((option, index) => {
    option.textContent = names[index];
  });
}
