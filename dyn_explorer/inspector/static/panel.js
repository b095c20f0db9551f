// The open panel: tabs, its cards with their figures, the numbers, and what to say when there is nothing to see.

const STEPS = {
  ArrowRight: (mark) => mark + 1,
  ArrowDown: (mark) => mark + 1,
  ArrowLeft: (mark) => mark - 1,
  ArrowUp: (mark) => mark - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};

class PanelFrame {
  constructor(choosePanel) {
    this.choosePanel = choosePanel;
    this.tabs = h("div", {
      className: "dx-tabs",
      role: "tablist",
      "aria-label": "Panels",
      "data-lm-suppress-shortcuts": "true",
      onkeydown: (event) => this.key(event),
    });
    this.about = h("p", { className: "dx-about" });
    this.meaning = h("p", { className: "dx-meaning", "aria-live": "polite" });
    this.numbers = h("dl", { className: "dx-numbers" });
    this.empty = h("p", { className: "dx-empty", hidden: true });
    this.cards = h("div", { className: "dx-cards" });
    this.content = h(
      "section",
      { role: "tabpanel", id: `${this.id}-panel` },
      h("details", { className: "dx-help" }, h("summary", {}, "About this panel"), this.about),
      this.meaning,
      this.numbers,
      this.empty,
      this.cards,
    );
    this.element = h("div", { className: "dx-panel" }, this.tabs, this.content);
    this.places = new Map();
    this.open = null;
  }

  /** Show the frame of a panel; true if its cards are new and want a document. */
  update({ tabs, open, about, cards }) {
    if (this.tabs.children.length !== tabs.length) this.tabs.replaceChildren(...tabs.map((tab) => this.tab(tab)));
    this.about.textContent = about;
    this.content.setAttribute("aria-labelledby", `${this.id}-tab-${open}`);
    const isNew = open !== this.open;
    this.open = open;
    this.select(open);
    if (!isNew) {
      for (const { figure, legend } of cards) this.places.get(figure)?.legend.replaceChildren(...this.marks(legend));
      return false;
    }
    this.places = new Map();
    this.cards.replaceChildren(...cards.map((card) => this.card(card)));
    this.cards.setAttribute("data-panel", open);
    return true;
  }

  tab({ key, title }) {
    const choose = () => {
      this.select(key); // at once: the kernel may be busy with what is to be left
      this.choosePanel(key);
    };
    const button = h("button", { type: "button", role: "tab", className: "dx-tab", onclick: choose }, title);
    button.id = `${this.id}-tab-${key}`;
    button.dataset.key = key;
    button.setAttribute("aria-controls", `${this.id}-panel`);
    return button;
  }

  /** Mark a tab; it is the one that the Tab key reaches, and the arrow keys go on to the others. */
  select(key) {
    for (const tab of this.tabs.children) {
      tab.setAttribute("aria-selected", String(tab.dataset.key === key));
      tab.tabIndex = tab.dataset.key === key ? 0 : -1;
    }
    this.content.setAttribute("aria-busy", String(key !== this.open));
  }

  key(event) {
    const tabs = [...this.tabs.children];
    const place = tabs.indexOf(event.target);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined || place < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const tab = tabs[(next + tabs.length) % tabs.length];
    for (const other of tabs) other.tabIndex = other === tab ? 0 : -1;
    tab.focus(); // Enter or Space opens it: panels that are only passed on the way are not computed
  }

  card({ figure, title, help, square, half, wide, legend }) {
    const plot = h("div", { className: "dx-plot", role: "figure" });
    const summary = h("p", { className: "dx-summary", id: `${this.id}-${figure}` });
    plot.setAttribute("aria-label", title);
    plot.setAttribute("aria-describedby", summary.id);
    const classes = `dx-card dx-card-${figure}${square ? " dx-square" : ""}${half ? " dx-half" : ""}${wide ? " dx-wide" : ""}`;
    const reset = h(
      "button",
      { type: "button", className: "dx-reset", hidden: true, title: "Show everything again", onclick: () => this.resetZoom(figure) },
      "Reset zoom",
    );
    const shownLegend = h("span", { className: "dx-legend" }, ...this.marks(legend));
    this.places.set(figure, { plot, summary, reset, legend: shownLegend });
    const reading = h("p", { className: "dx-reading", id: `${summary.id}-reading`, hidden: true }, help);
    const header = h("header", {}, h("h3", {}, title), this.explain(title, reading), reset, shownLegend);
    return h("article", { className: classes }, header, reading, plot, summary);
  }

  marks(legend) {
    return legend.map(([symbol, color, meaning]) =>
      h("span", {}, h("span", { className: "dx-mark", style: `color: ${color}`, "aria-hidden": "true" }, symbol), ` ${meaning}`),
    );
  }

  /** A button that tells how to read a figure: what only a pointer can hover over is lost to everyone else. */
  explain(title, reading) {
    const button = h("button", { type: "button", className: "dx-explain", title: reading.textContent }, "?");
    button.setAttribute("aria-label", `How to read: ${title}`);
    button.setAttribute("aria-controls", reading.id);
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      reading.hidden = !reading.hidden;
      button.setAttribute("aria-expanded", String(!reading.hidden));
    });
    return button;
  }

  /** Follow a figure: the way back from a zoom is offered after one, and what shows nothing takes no room. */
  watch(root) {
    const { plot, reset } = this.places.get(root.name);
    const isHome = ({ start, end, reset_start, reset_end }) =>
      start === (reset_start ?? start) && end === (reset_end ?? end);
    const follow = () => {
      reset.hidden = isHome(root.x_range) && isHome(root.y_range);
      plot.hidden = !root.visible;
    };
    for (const model of [root, root.x_range, root.y_range]) model.change.connect(follow);
    follow();
    const tap = root.toolbar.tools.find((tool) => tool.type === "TapTool");
    if (tap) this.takeKeys(root.name, tap.renderers[0].data_source);
  }

  /** Let the arrow keys go through the marks that a pointer can tap, and read out what the figure then says. */
  takeKeys(figure, source) {
    const { plot, summary } = this.places.get(figure);
    let mark = -1;
    plot.setAttribute("data-lm-suppress-shortcuts", "true");
    plot.setAttribute("aria-description", "Arrow keys choose a mark.");
    plot.addEventListener("focusin", () => summary.setAttribute("aria-live", "polite"));
    plot.addEventListener("focusout", () => summary.removeAttribute("aria-live"));
    plot.addEventListener("keydown", (event) => {
      const next = STEPS[event.key]?.(mark, source.length);
      if (next === undefined || source.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      mark = Math.max(0, Math.min(source.length - 1, next));
      source.selected.indices = [mark];
    });
  }

  id = randomName();
  resetZoom = () => {};

  setSummaries(summaries) {
    for (const [figure, text] of Object.entries(summaries)) {
      const place = this.places.get(figure);
      if (place) place.summary.textContent = text;
    }
  }

  setNumbers(numbers) {
    this.numbers.replaceChildren(
      ...numbers.map(({ label, value, help }) => h("div", { title: help }, h("dt", {}, label), h("dd", {}, value))),
    );
  }

  setEmpty(reason) {
    this.empty.hidden = reason === null;
    this.empty.textContent = reason ?? "";
    this.cards.classList.toggle("dx-hidden", reason !== null);
  }
}
