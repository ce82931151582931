// Live updates, local times, the details beside the timeline, folding, and keyboard control. Every page is complete
// without this script: the reader then reloads the page to see new traces, and a bar opens the details on a page of
// their own.
//
// Server and script agree on these attributes:
//   data-live             a part of the page that is replaced when the data changes
//   data-changes          (body) the address of the revision number, a number that grows when the data changes
//   data-revision         (body) the revision that the page was rendered from
//   data-live-switch      the button that pauses live updates
//   data-scrolls          an element that scrolls by itself, and keeps its position when the page is updated
//   data-list             a list whose links the arrow keys move through
//   data-search           the field that the key "/" moves to
//   data-age, data-local  (time) shown as an age, or as local date and time
//   data-copy             the text that a button copies
//   data-copy-of          the id of the element whose text a button copies
//   data-script           a button that only works with this script
//   data-help             a part of the page that the key "?" opens and closes
//   data-details          the panel beside the timeline
//   data-segment          the details of a segment on a page of their own, which the panel shows too
//   data-depth            the depth of a row in the timeline
//   data-first            the row of the timeline that is selected at the start
//   data-failed           a row with an error, which the key "e" moves to
//   data-complete-words   the field whose words are completed from its list
//   data-fit              a text of the service map that is cut to the width of its box
//   data-complete         a link to the same page with numbers that take longer to compute
//   data-next-error, data-previous-error
//                         (list) the address of the next and previous error, if it is on another page of rows
"use strict";

const PERIOD = 1000; // milliseconds
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

async function load(address) {
  const response = await fetch(address, { cache: "no-store", credentials: "omit", redirect: "error" });
  if (!response.ok) throw new Error(`${address} responded with status ${response.status}`);
  return response.text();
}

// DOMParser runs no scripts and loads no images of the page that it parses.
async function loadPage(address) {
  return new DOMParser().parseFromString(await load(address), "text/html");
}

// ---- Live updates ----

const updates = {
  button: one("[data-live-switch]"),
  parts: all("[data-live]"),
  revision: document.body.dataset.revision,
  isChecking: false,
  notBefore: 0,
  // The address of new versions of the page, if it is not that of the page.
  address: "",

  start() {
    // A page without live parts, such as the details of a segment, needs no button either.
    if (!this.parts.length || !this.button) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.setOn(!this.isOn()));
    // The choice lasts as long as the tab, also when the reader opens another page.
    this.setOn(sessionStorage.getItem("live") !== "off");
    setInterval(() => this.check(), PERIOD);
    this.complete();
  },
  // Replaces the live parts by those of the page with all numbers. The reader sees this page in the meantime.
  async complete() {
    const link = one("[data-complete]");
    if (!link || !this.isOn()) return;
    this.address = link.href;
    this.isChecking = true;
    try {
      this.replaceParts(await loadPage(this.address));
    } catch {
      this.setConnected(false);
    } finally {
      this.isChecking = false;
    }
  },
  isOn() {
    return this.button.getAttribute("aria-pressed") === "true";
  },
  setOn(on) {
    sessionStorage.setItem("live", on ? "on" : "off");
    this.button.setAttribute("aria-pressed", on);
    this.button.textContent = on ? "Live" : "Paused";
  },

  // Asks for the revision, and replaces the live parts if it has changed.
  async check() {
    const started = performance.now();
    if (this.isChecking || started < this.notBefore || !this.isOn() || document.hidden || this.hasSelection()) return;
    this.isChecking = true;
    try {
      const revision = await load(document.body.dataset.changes);
      this.setConnected(true);
      if (revision !== this.revision) {
        this.replaceParts(await loadPage(this.address || location.href));
        this.revision = revision;
      }
    } catch {
      this.setConnected(false);
    } finally {
      // Wait four times as long as the check took: a page that is slow to render takes at most a fifth of the time.
      this.notBefore = performance.now() + 4 * (performance.now() - started);
      this.isChecking = false;
    }
  },
  // Replacing the text that the reader selects would end the selection.
  hasSelection() {
    const selection = getSelection();
    return selection && !selection.isCollapsed && this.contain(selection.anchorNode);
  },
  contain(node) {
    return this.parts.some((part) => part.contains(node));
  },
  setConnected(isConnected) {
    this.button.classList.toggle("disconnected", !isConnected);
    // The reader may have paused while the check was running.
    if (this.isOn()) this.button.textContent = isConnected ? "Live" : "Disconnected";
  },
  // Takes the live parts and the navigation from a new version of the page. The keyboard focus, opened details and scroll
  // positions belong to the elements that are replaced, so they are saved before and restored afterwards.
  replaceParts(page) {
    const focused = this.contain(document.activeElement) ? document.activeElement.id : "";
    const open = all("[data-live] details[open][id]").map((element) => element.id);
    const scrolled = all("[data-scrolls]").map((element) => [element.scrollLeft, element.scrollTop]);
    const fresh = all("[data-live], .top nav", page);
    all("[data-live], .top nav").forEach((part, index) => part.replaceChildren(...(fresh[index]?.childNodes ?? [])));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    all("[data-scrolls]").forEach((element, index) => {
      [element.scrollLeft, element.scrollTop] = scrolled[index] ?? [0, 0];
    });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    prepareNewElements();
  },
};

// ---- Ages and local times ----

function updateTimes() {
  for (const time of all("time[data-age]")) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    time.textContent = formatAge(seconds);
    time.title = new Date(time.dateTime).toLocaleString();
  }
  for (const time of all("time[data-local]")) {
    const date = new Date(time.dateTime);
    time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
}

// Must return the texts that `age` in `format.rs` returns.
function formatAge(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

// ---- The details beside the timeline ----

const details = {
  async select(link) {
    // The reader's selection is part of the address, so that a reload or a shared link shows it again. `replaceState` adds
    // no entry to the history: the Back button leads to the list at once.
    history.replaceState(null, "", `#${encodeURIComponent(link.id)}`);
    await this.show(link);
  },
  async show(link) {
    const panel = one("[data-details]");
    this.id = link.id;
    this.mark();
    this.wanted = link.href;
    const page = await loadPage(link.href);
    // The reader may have selected another bar while the page was loading.
    if (this.wanted !== link.href) return;
    panel.replaceChildren(...one("[data-segment]", page).childNodes);
    // The page has one first-level heading, which names the trace.
    const heading = one("h1", panel);
    const smaller = document.createElement("h2");
    smaller.append(...heading.childNodes);
    heading.replaceWith(smaller);
    prepareNewElements();
  },
  // The style sheet hides the panel on a narrow screen. A bar then opens a page of its own.
  isPanelVisible() {
    const panel = one("[data-details]");
    return panel && getComputedStyle(panel).display !== "none";
  },
  // Marks the row whose details the panel shows.
  mark() {
    all(".rows a[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    if (this.id) document.getElementById(this.id)?.setAttribute("aria-current", "true");
  },
  idInAddress() {
    const fragment = location.hash.slice(1);
    try {
      return decodeURIComponent(fragment);
    } catch {
      // The reader has typed an address with a `%` that is not escaped.
      return fragment;
    }
  },
  // Shows the row that the address names, or else the row that the server chose.
  showFirst() {
    const named = document.getElementById(this.idInAddress());
    const link = named?.matches(".rows a") ? named : one(".rows a[data-first]");
    if (!link || !this.isPanelVisible()) return;
    this.show(link);
    // A row far down is not visible at the start. Rows near the top need no scrolling, which would hide the facts.
    if (link.getBoundingClientRect().bottom > innerHeight) link.scrollIntoView({ block: "center" });
  },
};

// ---- Folding in the timeline ----

// The ids of rows whose children are hidden. They are kept here because an update replaces the rows.
const folded = new Set();

function applyFolds() {
  // Rows deeper than this are hidden, until a row that is not deeper ends the folded part.
  let foldedDepth = Infinity;
  for (const row of all(".rows li")) {
    const depth = Number(row.dataset.depth);
    if (depth <= foldedDepth) foldedDepth = Infinity;
    row.hidden = depth > foldedDepth;
    const id = one("a", row).id;
    one(".fold", row)?.setAttribute("aria-expanded", !folded.has(id));
    if (!row.hidden && folded.has(id)) foldedDepth = depth;
  }
}

function setFolded(row, isFolded) {
  if (!one(".fold", row)) return;
  const id = one("a", row).id;
  if (isFolded) folded.add(id);
  else folded.delete(id);
  applyFolds();
}

// ---- Keyboard and pointer ----

function moveFocus(step) {
  // A hidden element has no `offsetParent`.
  const links = all("[data-list] a[id]").filter((link) => link.offsetParent !== null);
  const current = links.indexOf(document.activeElement);
  const next = links[current < 0 ? 0 : Math.min(Math.max(current + step, 0), links.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

// Moves to the next or previous row with an error, and from the last one to the first.
function moveToError(step) {
  moveToStop("[data-failed]", "Error", step);
}

// Moves to the next or previous row that matches a selector, and from the last one to the first. `name` is the name of
// the attribute that leads to another page of rows. Shows the details of the row if there is a panel for them.
function moveToStop(selector, name, step) {
  const links = all(`[data-list] ${selector} a[id]`);
  const current = links.indexOf(document.activeElement);
  const index = current < 0 ? (step > 0 ? 0 : links.length - 1) : current + step;
  const beyond = one("[data-list]")?.dataset[(step > 0 ? "next" : "previous") + name];
  if (beyond && !links[index]) return location.assign(beyond);
  if (links.length) showRow(links[(index + links.length) % links.length]);
}

function showRow(link) {
  if (link.offsetParent === null) {
    folded.clear();
    applyFolds();
  }
  link.focus();
  link.scrollIntoView({ block: "nearest" });
  if (link.matches(".rows a") && details.isPanelVisible()) details.select(link).catch(() => {});
}

function toggleHelp() {
  const help = one("#grammar, [data-help]");
  if (!help) return;
  help.open = !help.open;
  one("summary", help).focus();
}

function handleKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const inList = event.target.closest("[data-list]");
  const row = event.target.closest(".rows li");
  // Outside of a list the arrow keys scroll the page as usual.
  const actions = {
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
    e: () => moveToError(1),
    E: () => moveToError(-1),
    "/": () => one("[data-search]")?.focus(),
    "?": toggleHelp,
    ...(inList && { ArrowDown: () => moveFocus(1), ArrowUp: () => moveFocus(-1) }),
    ...(row && { ArrowLeft: () => setFolded(row, true), ArrowRight: () => setFolded(row, false) }),
  };
  if (Object.hasOwn(actions, event.key)) {
    event.preventDefault();
    actions[event.key]();
  }
}

function handleClick(event) {
  const copyButton = event.target.closest("[data-copy], [data-copy-of]");
  if (copyButton) {
    const { copy, copyOf } = copyButton.dataset;
    const label = (copyButton.dataset.label ??= copyButton.textContent);
    navigator.clipboard.writeText(copy ?? document.getElementById(copyOf).textContent).then(() => {
      copyButton.textContent = "Copied";
      setTimeout(() => (copyButton.textContent = label), 1500);
    });
  }
  const foldButton = event.target.closest(".fold");
  if (foldButton) setFolded(foldButton.closest("li"), foldButton.getAttribute("aria-expanded") === "true");
  const link = event.target.closest(".rows a");
  // With a modifier key or another button the browser opens the link in a new tab or window.
  const isPlainClick = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  if (link && isPlainClick && details.isPanelVisible()) {
    event.preventDefault();
    details.select(link).catch(() => location.assign(link.href));
  }
}

// ---- Start ----

// Prepares elements that come from the server: when the page is loaded, and when a part of it is replaced.
function prepareNewElements() {
  updateTimes();
  // Buttons that only work with this script are hidden in the markup.
  for (const button of all("[data-copy], [data-copy-of], [data-script], .fold")) button.hidden = false;
  if (folded.size) applyFolds();
  details.mark();
  fitTexts();
}

prepareNewElements();
setInterval(updateTimes, 5 * PERIOD);
document.addEventListener("keydown", handleKey);
document.addEventListener("click", handleClick);
updates.start();
details.showFirst();
