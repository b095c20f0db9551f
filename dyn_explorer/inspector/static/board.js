// A population of models: two plots, and a sentence below each. The kernel holds all state.

const BOARD_CARDS = [
  ["scatter", "One measure against another", [["●", "#0072B2", "model"], ["×", "#8C8C8C", "the same model by chance"], ["○", "#E69F00", "open below"]]],
  ["parallel", "All measures at once", [["━", "#E69F00", "open below"]]],
];

class BoardView {
  constructor(model, element) {
    this.model = model;
    this.name = randomName();
    this.queue = Promise.resolve(); // messages are worked off one after the other, some of them asynchronous
    this.places = new Map();
    this.summaries = new Map();
    this.root = h("div", { className: "dx-board" });
    for (const [name, title, legend] of BOARD_CARDS) {
      const summary = h("p", { className: "dx-summary", id: `${this.name}-${name}`, "aria-live": "polite" });
      const plot = h("div", { className: "dx-board-plot", role: "img", "aria-label": title, "aria-describedby": summary.id });
      const marks = legend.map(([symbol, color, meaning]) =>
        h("span", {}, h("span", { style: `color: ${color}`, "aria-hidden": "true" }, symbol), ` ${meaning}`),
      );
      const head = h("header", {}, h("h3", {}, title), h("span", { className: "dx-legend" }, ...marks));
      this.places.set(name, plot);
      this.summaries.set(name, summary);
      this.root.append(h("section", { className: `dx-board-${name}` }, head, plot, summary));
    }
    element.append(this.root);
  }

  start() {
    this.onMessage = (content, buffers) => this.receive(content, buffers);
    this.onSummaries = () => this.drawSummaries();
    this.model.on("msg:custom", this.onMessage);
    this.model.on("change:summaries", this.onSummaries);
    this.themes = new MutationObserver(() => this.tell("theme", { theme: themeOf(this.root) }));
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    this.drawSummaries();
    this.tell("hello", { theme: themeOf(this.root) });
  }

  tell(kind, content = {}) {
    this.model.send({ kind, view: this.name, ...content });
  }

  receive(content, buffers) {
    if (content.view !== undefined && content.view !== this.name) return;
    if (content.kind === "bokehjs") this.deliverBokeh?.(buffers[0]);
    else this.queue = this.queue.then(() => this.take(content, buffers)).catch((error) => this.fail(error));
  }

  async take(content, buffers) {
    const mine = bufferMap(content.buffers, buffers);
    if (content.kind === "document") {
      const Bokeh = await loadBokeh(content.bokeh, () => this.fetchBokeh());
      this.plots?.dispose();
      this.plots = new PanelDocument(Bokeh, (patch) => this.tell("patch", { patch }));
      await this.plots.build(content.document, mine, (name) => this.places.get(name));
    } else if (content.skip !== this.name) {
      this.plots?.apply(content.patch, mine);
    }
  }

  fetchBokeh() {
    const arrived = new Promise((resolve) => (this.deliverBokeh = resolve));
    this.tell("bokehjs");
    return arrived;
  }

  drawSummaries() {
    for (const [name, text] of Object.entries(this.model.get("summaries"))) setText(this.summaries.get(name), text);
  }

  fail(error) {
    console.error(error);
    setText(this.summaries.get("scatter"), `The view failed: ${error.message}. Run the cell again.`);
  }

  dispose() {
    this.themes.disconnect();
    this.model.off("msg:custom", this.onMessage);
    this.model.off("change:summaries", this.onSummaries);
    this.queue.then(() => this.plots?.dispose());
    this.root.remove();
  }
}

export default {
  render({ model, el }) {
    const view = new BoardView(model, el);
    view.start();
    return () => view.dispose();
  },
};
