
// ---- Completion in the search box ----
//
// The suggestions are the options of the field's list, which a browser offers without this script, too. It compares them
// with the whole text. Here they complete the word at the cursor. (ARIA Authoring Practices, "Combobox with list
// autocomplete".)

const completion = {
  most: 10,

  start() {
    this.input = one("[data-complete-words]");
    if (!this.input) return;
    this.options = all("option", this.input.list).map(({ value, label }) => ({ value, label, lower: value.toLowerCase() }));
    this.input.removeAttribute("list");
    this.list = document.createElement("ul");
    this.list.id = "completions";
    this.list.className = "completions";
    this.list.hidden = true;
    for (const [name, value] of [["role", "listbox"], ["aria-label", "Suggestions"]]) this.list.setAttribute(name, value);
    const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "completions" };
    for (const [name, value] of Object.entries(attributes)) this.input.setAttribute(name, value);
    this.input.after(this.list);
    this.input.addEventListener("input", () => this.update());
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (event) => this.handleKey(event));
    // A press would move the focus away from the field before the click arrives.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.accept(this.shown[[...this.list.children].indexOf(item)]);
    });
  },

  // Returns the options that continue the text before the cursor, and where the part that they replace starts. The longest
  // part comes first: `service("che` is more than `"che`.
  find(text) {
    const starts = [0, ...[...text.matchAll(/[\s(!{,]+/g)].map((gap) => gap.index + gap[0].length)];
    for (const start of starts) {
      const typed = text.slice(start).toLowerCase();
      const found = typed && this.options.filter(({ lower }) => lower.startsWith(typed) && lower !== typed);
      if (found?.length) return { start, found };
    }
    const start = starts.at(-1);
    const word = text.slice(start).toLowerCase();
    return { start, found: word.length < 2 ? [] : this.options.filter(({ lower }) => lower.includes(word) && lower !== word) };
  },

  update() {
    const { start, found } = this.find(this.input.value.slice(0, this.input.selectionStart));
    this.show(start, found);
  },
  show(start, found) {
    this.start = start;
    this.shown = found.slice(0, this.most);
    this.list.replaceChildren(...this.shown.map(({ value, label }, index) => {
      const item = document.createElement("li");
      item.id = `completion-${index}`;
      item.setAttribute("role", "option");
      const [text, meaning] = [document.createElement("span"), document.createElement("small")];
      [text.textContent, meaning.textContent] = [value, label === value ? "" : label];
      item.append(text, " ", meaning);
      return item;
    }));
    this.list.hidden = !this.shown.length;
    this.input.setAttribute("aria-expanded", !this.list.hidden);
    this.mark(-1);
  },
  close() {
    this.show(0, []);
  },
  mark(index) {
    this.index = index;
    [...this.list.children].forEach((item, number) => item.setAttribute("aria-selected", number === index));
    const item = this.list.children[index];
    if (item) {
      this.input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  },
  accept({ value }) {
    const { value: text, selectionStart: end } = this.input;
    // The reader goes on typing behind an opening parenthesis or a dot.
    const gap = /[(.]$/.test(value) || text[end] === " " ? "" : " ";
    this.input.setRangeText(value + gap, this.start, end, "end");
    this.update();
  },
  handleKey(event) {
    const isOpen = !this.list.hidden;
    const count = this.shown?.length ?? 0;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      // In an empty field the arrow shows what there is.
      if (!isOpen) return this.input.value ? this.update() : this.show(0, this.options);
      const step = event.key === "ArrowDown" ? 1 : -1;
      // One step beyond the ends leads back to the field itself.
      this.mark(((this.index + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Enter" && isOpen && this.index >= 0) {
      event.preventDefault();
      this.accept(this.shown[this.index]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  },
};

completion.start();
