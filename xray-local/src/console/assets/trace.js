
// ==== The page of a trace: the keys of its tools, its matches, folding of whole trees, and the overview ====
//
// Server and script agree on these attributes:
//   data-key              a link that is followed when its key is pressed
//   data-keeps-row        a link to another view of the trace, in which the selected row stays selected
//   data-match            a row that contains the text that is searched for, which the key "n" moves to
//   data-next-match, data-previous-match
//                         (list) the address of the next and previous match, if it is on another page of rows
//   data-stop, data-step  a link to the next (1) or previous (-1) error or match
//   data-overview         the drawing of the whole trace, and the length of the trace in seconds
//   data-drag             the part of the drawing that marks the range between the pointer's start and its place

function moveToMatch(step) {
  moveToStop("[data-match]", "Match", step);
}

// Folds or unfolds a row with all rows below it, or all rows.
function foldTree(row, isFolded) {
  const rows = all(".rows li");
  const start = row ? rows.indexOf(row) : 0;
  const depth = row ? Number(row.dataset.depth) : -1;
  const isBelow = (other) => other === row || Number(other.dataset.depth) > depth;
  for (const other of rows.slice(start)) {
    if (!isBelow(other)) break;
    if (!one(".fold", other)) continue;
    const { id } = one("a", other);
    if (isFolded) folded.add(id);
    else folded.delete(id);
  }
  applyFolds();
}

function handleTraceKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.matches("input, textarea, select")) return;
  const row = event.target.closest(".rows li");
  const actions = one(".rows") && {
    n: () => moveToMatch(1),
    N: () => moveToMatch(-1),
    c: () => foldTree(row, true),
    C: () => foldTree(row, false),
  };
  const link = one(`[data-key="${CSS.escape(event.key)}"]`);
  const action = Object.hasOwn(actions ?? {}, event.key) ? actions[event.key] : link && (() => link.click());
  if (!action) return;
  event.preventDefault();
  action();
}

function handleTraceClick(event) {
  const isPlainClick = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  if (event.target.closest("#collapse-all")) foldTree(null, true);
  if (event.target.closest("#expand-all")) foldTree(null, false);
  const kept = event.target.closest("[data-keeps-row]");
  if (kept && location.hash) kept.hash = location.hash;
  const stop = event.target.closest("[data-stop]");
  if (!stop || !isPlainClick) return;
  event.preventDefault();
  // The click has moved the focus away from the row that the reader selected.
  if (location.hash) one(".rows a[aria-current]")?.focus({ preventScroll: true });
  if (stop.dataset.stop === "match") moveToMatch(Number(stop.dataset.step));
  else moveToError(Number(stop.dataset.step));
}

// A drag over the overview chooses a range of time.
const drag = {
  overview: null,
  start: 0,

  // Returns the pointer's place in the overview, as a share of its width.
  place(event) {
    const { left, width } = this.overview.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - left) / width, 0), 1);
  },
  range(event) {
    return [this.start, this.place(event)].sort((a, b) => a - b);
  },
  down(event) {
    this.overview = event.target.closest?.("[data-overview]") ?? null;
    if (!this.overview || event.button) return;
    event.preventDefault();
    this.start = this.place(event);
  },
  move(event) {
    if (!this.overview) return;
    const [from, to] = this.range(event);
    const mark = one("[data-drag]", this.overview);
    mark.setAttribute("x", `${from * 100}%`);
    mark.setAttribute("width", `${(to - from) * 100}%`);
  },
  up(event) {
    if (!this.overview) return;
    const [from, to] = this.range(event);
    const length = Number(this.overview.dataset.overview);
    this.overview = null;
    // A click without a drag chooses nothing.
    if ((to - from) * length < 1e-6 || to - from < 0.002) return;
    const address = new URL(location.href);
    address.searchParams.set("from", (from * length).toFixed(6));
    address.searchParams.set("to", (to * length).toFixed(6));
    address.searchParams.delete("at");
    location.assign(address);
  },
};

document.addEventListener("keydown", handleTraceKey);
document.addEventListener("click", handleTraceClick);
document.addEventListener("pointerdown", (event) => drag.down(event));
document.addEventListener("pointermove", (event) => drag.move(event));
document.addEventListener("pointerup", (event) => drag.up(event));

// The row that the address names has the focus, so that the keys go on from there.
if (new URLSearchParams(location.search).has("at")) one(".rows a[data-first]")?.focus();
