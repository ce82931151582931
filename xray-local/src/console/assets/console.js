// What is live on a page: new content, ages, keys, details beside the timeline. Without it the pages are the same,
// and are loaded anew by hand.
"use strict";

const PERIOD = 1000;
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

async function load(address) {
  const response = await fetch(address, { cache: "no-store", credentials: "omit", redirect: "error" });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.text();
}

async function loadPage(address) {
  return new DOMParser().parseFromString(await load(address), "text/html");
}

// ---- new content, once a second, if anything has changed ----

const live = {
  button: one("[data-live-switch]"),
  parts: all("[data-live]"),
  seen: document.body.dataset.revision,
  rest: 0,

  start() {
    if (!this.parts.length || !this.button) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.set(!this.on()));
    this.set(sessionStorage.getItem("live") !== "off");
    setInterval(() => this.look(), PERIOD);
  },
  on() {
    return this.button.getAttribute("aria-pressed") === "true";
  },
  set(on) {
    sessionStorage.setItem("live", on ? "on" : "off");
    this.button.setAttribute("aria-pressed", on);
    this.button.textContent = on ? "Live" : "Paused";
  },
  async look() {
    const begun = performance.now();
    if (this.looking || begun < this.rest || !this.on() || document.hidden || this.reading()) return;
    this.looking = true;
    try {
      const revision = await load(document.body.dataset.changes);
      this.lost(false);
      if (revision !== this.seen) {
        this.take(await loadPage(location.href));
        this.seen = revision;
      }
    } catch {
      this.lost(true);
    } finally {
      // A page that is long work is not made all the time.
      this.rest = performance.now() + 4 * (performance.now() - begun);
      this.looking = false;
    }
  },
  // Text that is being selected stays.
  reading() {
    const selection = getSelection();
    return selection && !selection.isCollapsed && this.has(selection.anchorNode);
  },
  has(node) {
    return this.parts.some((part) => part.contains(node));
  },
  lost(lost) {
    this.button.classList.toggle("lost", lost);
    this.button.textContent = lost ? "Not reached" : "Live";
  },
  take(page) {
    const focused = this.has(document.activeElement) ? document.activeElement.id : "";
    const open = all("[data-live] details[open][id]").map((details) => details.id);
    const scrolled = all("[data-scrolls]").map((element) => [element.scrollLeft, element.scrollTop]);
    const fresh = all("[data-live], .top nav", page);
    all("[data-live], .top nav").forEach((part, index) => part.replaceChildren(...(fresh[index]?.childNodes ?? [])));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    all("[data-scrolls]").forEach((element, index) => {
      [element.scrollLeft, element.scrollTop] = scrolled[index] ?? [0, 0];
    });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    prepare();
  },
};

// ---- ages and times, in the reader's words ----

function tellTimes() {
  for (const time of all("time[data-age]")) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    time.textContent = age(seconds);
    time.title = new Date(time.dateTime).toLocaleString();
  }
  for (const time of all("time[data-local]")) {
    const date = new Date(time.dateTime);
    time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
}

function age(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

// ---- details beside the timeline, where there is room for them ----

const details = {
  async show(link) {
    const panel = one("[data-details]");
    all(".rows a[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", `#${link.id}`);
    this.wanted = link.href;
    const page = await loadPage(link.href);
    if (this.wanted !== link.href) return;
    panel.replaceChildren(...one("[data-segment]", page).childNodes);
    prepare();
  },
  hasRoom() {
    const panel = one("[data-details]");
    return panel && getComputedStyle(panel).display !== "none";
  },
  selected() {
    const element = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    return element?.matches(".rows a") ? element : null;
  },
  restore() {
    const link = this.selected();
    if (link && this.hasRoom()) this.show(link);
  },
};

// ---- parts of the timeline that are folded away ----

const folded = new Set();

function applyFolds() {
  let hiddenBelow = Infinity;
  for (const row of all(".rows li")) {
    const depth = Number(row.dataset.depth);
    if (depth <= hiddenBelow) hiddenBelow = Infinity;
    row.hidden = depth > hiddenBelow;
    const id = one("a", row).id;
    const button = one(".fold", row);
    button?.setAttribute("aria-expanded", !folded.has(id));
    if (!row.hidden && folded.has(id)) hiddenBelow = depth;
  }
}

function fold(row, away) {
  if (!one(".fold", row)) return;
  const id = one("a", row).id;
  if (away) folded.add(id);
  else folded.delete(id);
  applyFolds();
}

// ---- keys ----

function move(step) {
  const links = all("[data-list] a[id]").filter((link) => link.offsetParent !== null);
  const now = links.indexOf(document.activeElement);
  const next = links[now < 0 ? 0 : Math.min(Math.max(now + step, 0), links.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function press(event) {
  const typing = event.target.matches("input, textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const inList = event.target.closest("[data-list]");
  const row = event.target.closest(".rows li");
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => one("[data-search]")?.focus(),
    ...(inList && { ArrowDown: () => move(1), ArrowUp: () => move(-1) }),
    ...(row && { ArrowLeft: () => fold(row, true), ArrowRight: () => fold(row, false) }),
  };
  if (Object.hasOwn(actions, event.key)) {
    event.preventDefault();
    actions[event.key]();
  }
}

function click(event) {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(copy.dataset.copy).then(() => {
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
  }
  const button = event.target.closest(".fold");
  if (button) fold(button.closest("li"), button.getAttribute("aria-expanded") === "true");
  const link = event.target.closest(".rows a");
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  if (link && plain && details.hasRoom()) {
    event.preventDefault();
    details.show(link).catch(() => location.assign(link.href));
  }
}

function prepare() {
  tellTimes();
  for (const button of all("[data-copy], .fold")) button.hidden = false;
  if (folded.size) applyFolds();
  if (details.hasRoom()) details.selected()?.setAttribute("aria-current", "true");
}

prepare();
setInterval(tellTimes, 5 * PERIOD);
document.addEventListener("keydown", press);
document.addEventListener("click", click);
live.start();
details.restore();
