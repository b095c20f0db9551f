// The numbers behind the figures, as a table whose rows can be chosen.

class RowTable {
  constructor(set) {
    this.set = set;
    this.values = [];
    this.head = h("tr");
    this.body = h("tbody");
    this.note = h("p", { className: "dx-quiet" });
    this.scroll = h(
      "div",
      {
        className: "dx-table-scroll",
        tabIndex: 0,
        role: "group",
        "aria-label": "Table behind the figures; arrow keys choose a row",
        "data-lm-suppress-shortcuts": "true",
        onkeydown: (event) => this.key(event),
      },
      h("table", { className: "dx-table" }, h("thead", {}, this.head), this.body),
    );
    this.element = h("section", { className: "dx-table-card", hidden: true }, this.scroll, this.note);
    this.chosen = 0;
  }

  update(table) {
    this.element.hidden = table === null;
    this.chooses = table?.chooses;
    this.values = table?.values ?? [];
    if (table === null) return;
    if (table.columns.join() !== this.columns) {
      this.columns = table.columns.join();
      this.head.replaceChildren(...table.columns.map((name) => h("th", { scope: "col" }, name)));
      this.body.replaceChildren();
    }
    // Rows stay and only their text changes, so that a click that meets an update is not lost.
    while (this.body.children.length > table.rows.length) this.body.lastChild.remove();
    table.rows.forEach((cells, k) => this.row(k, cells.length).forEach((cell, c) => setText(cell, cells[c])));
    this.align(table.kinds);
    this.note.textContent = table.hidden ? `${table.hidden} more rows: inspector.table() has them all.` : "";
    this.setChosen(this.chosen);
  }

  row(k, width) {
    if (k >= this.body.children.length) {
      const cells = Array.from({ length: width }, () => h("td"));
      this.body.append(h("tr", { onclick: () => this.choose(k) }, ...cells));
    }
    return [...this.body.children[k].children];
  }

  /** Every column in its style: numbers at the right, words at the left. */
  align(kinds) {
    for (const row of [this.head, ...this.body.children]) {
      [...row.children].forEach((cell, c) => setClass(cell, kinds[c]));
    }
  }

  choose(row) {
    if (row < this.values.length) this.set({ [this.chooses]: this.values[row] });
  }

  /** Mark the row that stands for a choice. */
  follow(choices) {
    const row = this.values.indexOf(choices[this.chooses]);
    if (row !== this.chosen) this.setChosen(row);
  }

  setChosen(row) {
    this.chosen = row;
    [...this.body.children].forEach((element, k) => {
      element.classList.toggle("dx-chosen", k === row);
      if (k === row) element.setAttribute("aria-current", "true");
      else element.removeAttribute("aria-current");
    });
    const element = this.body.children[row];
    if (!element) return;
    const top = element.offsetTop - this.head.offsetHeight;
    const bottom = element.offsetTop + element.offsetHeight - this.scroll.clientHeight;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (bottom > this.scroll.scrollTop) this.scroll.scrollTop = bottom;
  }

  key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const count = Math.min(this.body.children.length, this.values.length);
    if (move === undefined || this.values.length === 0) return; // a table that chooses nothing is only scrolled
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(0, Math.min(count - 1, this.chosen + move));
    this.setChosen(next);
    this.choose(next);
  }
}

// Metrics beside their nulls; grey where the null is, because a metric says nothing without it.

class MetricsTable {
  constructor() {
    this.head = h("tr");
    this.body = h("tbody");
    this.note = h("p", { className: "dx-quiet" });
    this.grid = h("table", { className: "dx-table dx-metrics" }, h("thead", {}, this.head), this.body);
    this.title = h("h3");
    this.terms = h("dl");
    const terms = h("details", { className: "dx-terms" }, h("summary", {}, "What these numbers mean"), this.terms);
    this.element = h("section", { className: "dx-table-card", hidden: true }, this.title, this.grid, this.note, terms);
  }

  update(metrics) {
    this.element.hidden = metrics === null;
    if (metrics === null) return;
    this.head.replaceChildren(...metrics.columns.map((name) => h("th", { scope: "col" }, name)));
    this.body.replaceChildren(
      ...metrics.rows.map(({ label, help, cells }) =>
        h("tr", { title: help }, h("th", { scope: "row" }, label), ...cells.map((cell) => h("td", {}, cell))),
      ),
    );
    const told = metrics.rows.filter(({ help }) => help);
    this.terms.replaceChildren(...told.flatMap(({ label, help }) => [h("dt", {}, label), h("dd", {}, help)]));
    this.terms.parentElement.hidden = told.length === 0;
    this.title.textContent = metrics.title;
    this.grid.classList.toggle("dx-plain", !metrics.nulls);
    this.note.textContent = metrics.note;
  }
}
