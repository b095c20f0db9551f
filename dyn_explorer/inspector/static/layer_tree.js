// The layer tree: the WAI-ARIA tree pattern, and only the rows in sight are in the page.

const ROW_HEIGHT = 26;
const SPARE_ROWS = 6;
const ARROW_WIDTH = 18;
const INDENT = 8;

/** Rows of the tree in reading order, from flat dotted names; groups exist even where no layer bears their name. */
function treeRows(layers) {
  const rows = [];
  const groups = new Map();
  for (const layer of layers) {
    const parts = layer.name.split(".");
    for (let depth = 0; depth < parts.length; depth++) {
      const path = parts.slice(0, depth + 1).join(".");
      if (depth === parts.length - 1) {
        const known = groups.get(path);
        if (known) Object.assign(known, { layer });
        else groups.set(path, pushRow(rows, path, parts[depth], depth, layer));
      } else if (!groups.has(path)) {
        groups.set(path, pushRow(rows, path, parts[depth], depth, null));
      }
    }
  }
  for (const row of rows) {
    const parent = row.path.includes(".") ? groups.get(row.path.slice(0, row.path.lastIndexOf("."))) : null;
    row.parent = parent ?? null;
    if (parent) parent.isGroup = true;
  }
  return inTreeOrder(rows);
}

function pushRow(rows, path, label, depth, layer) {
  const row = { path, label, depth, layer, isGroup: false, parent: null };
  rows.push(row);
  return row;
}

// Layers come in the order of execution, in which a container ends after its children; a tree shows it before them.
function inTreeOrder(rows) {
  const children = new Map();
  for (const row of rows) {
    if (!children.has(row.parent)) children.set(row.parent, []);
    children.get(row.parent).push(row);
  }
  const ordered = [];
  const visit = (row) => {
    ordered.push(row);
    (children.get(row) ?? []).forEach(visit);
  };
  (children.get(null) ?? []).forEach(visit);
  return ordered;
}

class LayerTree {
  constructor(choose) {
    this.choose = choose;
    this.rows = [];
    this.closed = new Set();
    this.selected = "";
    this.together = [];
    this.focused = 0;
    this.search = h("input", {
      type: "search",
      className: "dx-search",
      placeholder: "Search layers",
      "aria-label": "Search layers",
      "data-lm-suppress-shortcuts": "true",
      oninput: () => this.draw(true),
    });
    // One listener for all rows: a row that is drawn anew between press and release must not lose the click.
    this.inner = h("div", { className: "dx-tree-inner", role: "presentation", onclick: (event) => this.clicked(event) });
    this.list = h(
      "div",
      {
        className: "dx-tree",
        role: "tree",
        tabIndex: 0,
        "aria-label": "Layers in order of execution",
        "data-lm-suppress-shortcuts": "true",
        onscroll: () => this.draw(),
        onkeydown: (event) => this.key(event),
      },
      this.inner,
    );
    this.note = h("p", { className: "dx-tree-note", "aria-live": "polite" });
    this.element = h("section", { className: "dx-layers" }, h("h3", {}, "Layers"), this.search, this.list, this.note);
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(this.list);
  }

  setLayers(layers) {
    this.rows = treeRows(layers);
    this.draw(true);
  }

  setChosen(layer, together) {
    const moved = layer !== this.selected;
    if (!moved && together.join() === this.together.join()) return;
    this.selected = layer;
    this.together = together;
    if (moved) this.reveal(layer);
    this.draw(true);
  }

  reveal(path) {
    for (let row = this.rows.find((candidate) => candidate.path === path)?.parent; row; row = row.parent) {
      this.closed.delete(row.path);
    }
    this.focused = Math.max(0, this.visible().findIndex((row) => row.path === path));
    this.scrollTo(this.focused);
  }

  visible() {
    const wanted = this.search.value.trim().toLowerCase();
    if (wanted) {
      return this.rows.filter(
        (row) => row.layer && `${row.path} ${row.layer.kind}`.toLowerCase().includes(wanted),
      );
    }
    const isOpen = (row) => !row || (!this.closed.has(row.path) && isOpen(row.parent));
    return this.rows.filter((row) => isOpen(row.parent));
  }

  scrollTo(index) {
    const top = index * ROW_HEIGHT;
    const height = this.list.clientHeight;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    else if (top + ROW_HEIGHT > this.list.scrollTop + height) this.list.scrollTop = top + ROW_HEIGHT - height;
  }

  draw(force = false) {
    const rows = this.visible();
    this.focused = Math.min(this.focused, Math.max(rows.length - 1, 0));
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW_HEIGHT) - SPARE_ROWS);
    const last = Math.min(rows.length, first + Math.ceil((this.list.clientHeight || 300) / ROW_HEIGHT) + 2 * SPARE_ROWS);
    if (!force && first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    this.inner.style.height = `${rows.length * ROW_HEIGHT}px`;
    const searching = this.search.value.trim() !== "";
    this.inner.replaceChildren(...rows.slice(first, last).map((row, k) => this.row(row, first + k, rows, searching)));
    const active = this.inner.querySelector(".dx-focused");
    if (active) this.list.setAttribute("aria-activedescendant", active.id);
    this.describe(rows);
  }

  row(row, index, rows, searching) {
    const { layer } = row;
    const chosen = layer && (layer.name === this.selected || this.together.includes(layer.name));
    const off = layer ? layer.reason : null;
    const classes = ["dx-row"];
    if (chosen) classes.push("dx-chosen");
    if (off || !layer) classes.push("dx-off");
    if (index === this.focused) classes.push("dx-focused");
    const arrow = row.isGroup && !searching ? (this.closed.has(row.path) ? "▸" : "▾") : "";
    const element = h(
      "div",
      {
        className: classes.join(" "),
        role: "treeitem",
        id: `${this.id}-${index}`,
        "aria-level": String(row.depth + 1),
        "aria-selected": chosen ? "true" : "false",
        "aria-disabled": off ? "true" : null,
        "aria-expanded": row.isGroup ? String(!this.closed.has(row.path)) : null,
        "aria-setsize": String(rows.length),
        "aria-posinset": String(index + 1),
        "data-index": String(index),
        title: off ? `${row.path}: ${off}` : [row.path, layer?.kind, layer?.shape].filter(Boolean).join(" · "),
      },
      h("span", { className: "dx-arrow" }, arrow),
      h("span", { className: "dx-name" }, searching ? row.path : row.label),
      h("span", { className: "dx-kind" }, layer ? layer.kind : ""),
    );
    element.style.top = `${index * ROW_HEIGHT}px`;
    element.style.paddingLeft = `${4 + (searching ? 0 : INDENT * row.depth)}px`;
    return element;
  }

  id = randomName();

  describe(rows) {
    const off = this.rows.filter((row) => row.layer?.reason).length;
    const row = rows[this.focused];
    if (rows.length === 0) this.note.textContent = "No layer matches. Clear the search to see all.";
    else if (row?.layer?.reason) this.note.textContent = `${row.path}: ${row.layer.reason}`;
    else if (this.together.length > 1) this.note.textContent = `${this.together.length} layers taken together`;
    else this.note.textContent = off ? `${off} layers cannot be shown; point at one to see why.` : "";
  }

  clicked(event) {
    const box = this.inner.getBoundingClientRect();
    // A click that a program makes has no place; its row is then the one it was made on.
    const at = event.target.closest(".dx-row")?.dataset.index;
    const index = at === undefined ? Math.floor((event.clientY - box.top) / ROW_HEIGHT) : Number(at);
    const row = this.visible()[index];
    if (!row) return;
    const onArrow = row.isGroup && event.detail > 0 && event.clientX - box.left < 4 + INDENT * row.depth + ARROW_WIDTH;
    if (onArrow && !this.search.value.trim()) this.fold(row);
    else this.pick(row, index, event);
  }

  fold(row) {
    if (!row.isGroup) return;
    if (!this.closed.delete(row.path)) this.closed.add(row.path);
    this.draw(true);
  }

  // With Ctrl, Cmd or Shift layers are taken together; a plain click takes one.
  pick(row, index, event) {
    this.focused = index;
    if (!row.layer) {
      this.fold(row);
    } else if (row.layer.reason === null) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) this.toggleTogether(row.layer.name);
      else this.pickOne(row.layer.name);
    }
    this.draw(true);
  }

  pickOne(name) {
    this.choose(this.together.length ? { layer: name, layers: [] } : { layer: name });
    this.selected = name;
    this.together = [];
  }

  toggleTogether(name) {
    const now = this.together.length ? this.together : [this.selected];
    const next = now.includes(name) ? now.filter((other) => other !== name) : [...now, name];
    const names = this.rows.map((row) => row.layer?.name).filter((other) => next.includes(other));
    this.together = names.length > 1 ? names : [];
    this.choose({ layers: this.together });
  }

  key(event) {
    const rows = this.visible();
    const row = rows[this.focused];
    const move = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (move !== undefined) this.focused = Math.max(0, Math.min(rows.length - 1, this.focused + move));
    else if (event.key === "ArrowLeft" && row?.isGroup && !this.closed.has(row.path)) this.closed.add(row.path);
    else if (event.key === "ArrowLeft" && row?.parent) this.focused = rows.indexOf(row.parent);
    else if (event.key === "ArrowRight" && row?.isGroup) this.closed.delete(row.path);
    else if ((event.key === "Enter" || event.key === " ") && row) this.pick(row, this.focused, event);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.scrollTo(this.focused);
    this.draw(true);
  }

  dispose() {
    this.resize.disconnect();
  }
}
