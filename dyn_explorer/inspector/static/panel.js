// The open panel: tabs, its cards with their figures, the numbers, and what to say when there is nothing to see.

class PanelFrame {
  constructor(choosePanel) {
    this.choosePanel = choosePanel;
    this.tabs = h("div", { className: "dx-tabs", role: "tablist", "aria-label": "Panels" });
    this.about = h("p", { className: "dx-about" });
    this.meaning = h("p", { className: "dx-meaning", "aria-live": "polite" });
    this.numbers = h("dl", { className: "dx-numbers" });
    this.empty = h("p", { className: "dx-empty", hidden: true });
    this.cards = h("div", { className: "dx-cards" });
    this.element = h(
      "section",
      { className: "dx-panel", role: "tabpanel" },
      this.tabs,
      h("details", { className: "dx-help" }, h("summary", {}, "About this panel"), this.about),
      this.meaning,
      this.numbers,
      this.empty,
      this.cards,
    );
    this.places = new Map();
    this.open = null;
  }

  /** Show the frame of a panel; true if its cards are new and want a document. */
  update({ tabs, open, about, cards }) {
    this.tabs.replaceChildren(
      ...tabs.map(({ key, title }) =>
        h(
          "button",
          {
            type: "button",
            role: "tab",
            className: "dx-tab",
            "aria-selected": String(key === open),
            onclick: () => this.choosePanel(key),
          },
          title,
        ),
      ),
    );
    this.about.textContent = about;
    this.element.setAttribute("aria-label", tabs.find((tab) => tab.key === open).title);
    if (open === this.open) {
      for (const { figure, legend } of cards) this.places.get(figure)?.legend.replaceChildren(...this.marks(legend));
      return false;
    }
    this.open = open;
    this.places = new Map();
    this.cards.replaceChildren(...cards.map((card) => this.card(card)));
    this.cards.setAttribute("data-panel", open);
    return true;
  }

  card({ figure, title, help, square, half, wide, legend }) {
    const plot = h("div", { className: "dx-plot", role: "img" });
    const summary = h("p", { className: "dx-summary", id: `${this.id}-${figure}` });
    plot.setAttribute("aria-label", title);
    plot.setAttribute("aria-describedby", summary.id);
    const shownLegend = h("span", { className: "dx-legend" }, ...this.marks(legend));
    this.places.set(figure, { plot, summary, legend: shownLegend });
    const classes = `dx-card dx-card-${figure}${square ? " dx-square" : ""}${half ? " dx-half" : ""}${wide ? " dx-wide" : ""}`;
    const reset = h(
      "button",
      { type: "button", className: "dx-reset", title: "Show everything again", onclick: () => this.resetZoom(figure) },
      "Reset zoom",
    );
    const header = h("header", { title: help }, h("h3", {}, title), shownLegend, reset);
    return h("article", { className: classes }, header, plot, summary);
  }

  marks(legend) {
    return legend.map(([symbol, color, meaning]) =>
      h("span", {}, h("span", { style: `color: ${color}`, "aria-hidden": "true" }, symbol), ` ${meaning}`),
    );
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
