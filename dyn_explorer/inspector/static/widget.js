// One view of an inspector. The kernel holds all state; a view says hello, draws what it is told, and reports the hand.

const SILENCE = 15_000; // milliseconds without an answer after which a view says so
const GONE = "No kernel is behind this view any more. Run the notebook's cells again to bring it back.";
const SILENT = "The kernel has not answered for a while: another cell keeps it busy, or it has ended.";
const NEVER = "No kernel answers behind this view. Run the notebook's cells again to bring it back.";

class InspectorView {
  constructor(model, element) {
    this.model = model;
    this.name = randomName();
    this.waiting = {}; // changes of the hand that the kernel has not been told yet
    this.number = 0; // of the last message of changes
    this.unseen = false; // whether that message is still on its way
    this.stale = false; // whether controls have news that they do not show yet
    this.queue = Promise.resolve(); // messages are worked off one after the other, some of them asynchronous
    this.panelDocument = null;
    this.page = null;
    const set = (changes) => this.change(changes);
    this.header = new Header((name) => this.act(name));
    this.tree = new LayerTree(set);
    this.strip = new PictureStrip(set);
    this.controls = new Controls(set);
    this.frame = new PanelFrame((key) => set({ panel: key }));
    this.frame.resetZoom = (figure) => this.resetZoom(figure);
    this.table = new RowTable(set);
    this.metrics = new MetricsTable();
    this.side = h("div", { className: "dx-side" }, this.tree.element, this.strip.element, this.controls.element);
    const main = h("div", { className: "dx-main" }, this.frame.element, this.metrics.element, this.table.element);
    this.root = h("div", { className: "dx-inspector" }, this.header.element, h("div", { className: "dx-body" }, this.side, main));
    element.append(this.root);
  }

  start() {
    this.onMessage = (content, buffers) => this.receive(content, buffers);
    this.model.on("msg:custom", this.onMessage);
    // The connection was cut: by a restart, which `tell` notices, or for a moment, in which messages may have been lost.
    this.onConnection = () => setTimeout(() => this.sayHello());
    this.model.on("comm_live_update", this.onConnection);
    this.watchTheme();
    this.header.setStatus({ kind: "running", text: "Waiting for the kernel", fraction: null, cancel: false });
    this.sayHello();
  }

  sayHello() {
    this.expectAnswer();
    this.tell("hello", { theme: themeOf(this.root) });
  }

  /** What is drawn stays to be looked at, but the controls no longer pretend to work. */
  setGone() {
    clearTimeout(this.silence);
    this.isGone = true;
    this.side.inert = this.frame.tabs.inert = true;
    this.root.classList.add("dx-gone");
    this.header.setGone(GONE);
  }

  expectAnswer() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.isSilent = true;
      this.header.setStatus({ kind: "error", text: this.page ? SILENT : NEVER, fraction: null });
    }, SILENCE);
  }

  answered() {
    clearTimeout(this.silence);
    if (this.isSilent && this.sections?.status) this.header.setStatus(this.sections.status);
    this.isSilent = false;
  }

  watchTheme() {
    this.themes = new MutationObserver(() => this.tell("theme", { theme: themeOf(this.root) }));
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  }

  tell(kind, content = {}) {
    if (this.isGone) return;
    try {
      this.model.send({ kind, view: this.name, ...content });
    } catch {
      this.setGone(); // a kernel that died takes the connection with it without a word
    }
  }

  // ------------------------------------------------------------ the hand

  /** Pass changes on, one message at a time; what the hand does meanwhile goes with the next. */
  change(changes) {
    Object.assign(this.waiting, changes);
    if (!this.unseen) this.sendChanges();
  }

  sendChanges() {
    if (Object.keys(this.waiting).length === 0) return;
    const changes = this.waiting;
    this.waiting = {};
    this.unseen = true;
    this.number += 1;
    this.expectAnswer();
    this.tell("set", { number: this.number, changes });
  }

  seen(number) {
    if (number !== this.number) return;
    this.answered();
    this.unseen = false;
    this.sendChanges();
  }

  act(name) {
    if (name === "copy") this.copyCode();
    else this.tell("do", { action: name });
  }

  async copyCode() {
    const code = this.sections.code ?? "";
    try {
      await navigator.clipboard.writeText(code);
      this.header.setStatus({ kind: "note", text: "Code copied.", fraction: null });
    } catch {
      this.showCode(code); // pages that are not served securely have no clipboard
    }
  }

  showCode(code) {
    const text = h("textarea", { className: "dx-code", readOnly: true, value: code, "aria-label": "Code for this view" });
    const dialog = h("dialog", {}, text, h("form", { method: "dialog" }, h("button", {}, "Close")));
    this.root.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    text.select();
  }

  saveFile(name, bytes) {
    const address = URL.createObjectURL(new Blob([bytes], { type: "text/html" }));
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  resetZoom(figure) {
    const root = this.panelDocument?.document?.roots().find((candidate) => candidate.name === figure);
    if (!root) return;
    for (const range of [root.x_range, root.y_range]) range.setv({ start: range.reset_start, end: range.reset_end });
  }

  // ------------------------------------------------------------ the kernel

  receive(content, buffers) {
    if (content.view !== undefined && content.view !== this.name) return;
    if (content.kind === "seen") this.seen(content.number);
    else if (content.kind === "bokehjs") this.deliverBokeh?.(buffers[0]);
    else if (content.kind === "export") this.saveFile(content.name, buffers[0]);
    else this.queue = this.queue.then(() => this.take(content, buffers)).catch((error) => this.fail(error));
  }

  fail(error) {
    console.error(error);
    this.header.setStatus({ kind: "error", text: `The view failed: ${error.message}. Reload the page.`, fraction: null });
  }

  async take(content, buffers) {
    if (content.kind === "page") await this.takePage(content);
    else if (this.page === null) return; // not for this view yet: the page that is on its way holds it
    else if (content.kind === "document") await this.takeDocument(content, buffers);
    else if (content.kind === "update") await this.takeUpdate(content, buffers);
  }

  async takePage({ sections, bokeh }) {
    this.answered();
    this.page = true;
    this.sections = {};
    this.documentOf = null;
    this.Bokeh = await loadBokeh(bokeh, () => this.fetchBokeh());
    this.draw(sections);
  }

  fetchBokeh() {
    const arrived = new Promise((resolve) => (this.deliverBokeh = resolve));
    this.tell("bokehjs");
    return arrived;
  }

  async takeDocument({ panel, document: text, buffers: ids }, buffers) {
    if (panel !== this.frame.open) return;
    this.panelDocument?.dispose();
    this.panelDocument = new PanelDocument(this.Bokeh, (patch) => this.tell("patch", { panel, patch }));
    const placeOf = (name) => this.frame.places.get(name).plot;
    await this.panelDocument.build(text, bufferMap(ids, buffers), placeOf, (root) => this.frame.watch(root));
    this.documentOf = panel;
  }

  async takeUpdate({ number, sections, patches }, buffers) {
    let first = 0;
    for (const { panel, skip, patch, buffers: ids } of patches) {
      const mine = buffers.slice(first, first + ids.length);
      first += ids.length;
      if (panel === this.documentOf && skip !== this.name) this.panelDocument.apply(patch, bufferMap(ids, mine));
    }
    this.draw(sections);
    await this.painted();
    this.tell("ack", { number });
  }

  // A hidden page is never painted; it must not hold the kernel back.
  painted() {
    return Promise.race([
      new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))),
      new Promise((resolve) => setTimeout(resolve, 250)),
    ]);
  }

  draw(sections) {
    Object.assign(this.sections, sections);
    const drawers = {
      header: (section) => this.header.setHeader(section),
      status: (section) => this.header.setStatus(section),
      undo: (section) => this.header.setUndo(section),
      tree: (section) => this.tree.setLayers(section),
      strip: (section) => this.strip.setStrip(section),
      panels: (section) => this.openPanel(section),
      documents: () => this.wantDocument(),
      summaries: (section) => this.frame.setSummaries(section),
      numbers: (section) => this.frame.setNumbers(section),
      meaning: (section) => (this.frame.meaning.textContent = section),
      empty: (section) => this.frame.setEmpty(section),
      metrics: (section) => this.metrics.update(section),
      table: (section) => this.table.update(section),
    };
    for (const [name, drawSection] of Object.entries(drawers)) {
      if (name in sections) drawSection(sections[name]);
    }
    this.stale ||= "controls" in sections || "choices" in sections || "table" in sections;
    if (this.stale && !this.isAhead()) this.drawChosen();
  }

  // While the hand is ahead of the kernel, its controls and marks stay where the hand put them.
  isAhead() {
    const seen = this.sections.seen?.[this.name] ?? 0;
    return seen < this.number || Object.keys(this.waiting).length > 0;
  }

  drawChosen() {
    this.stale = false;
    if ("controls" in this.sections) this.controls.update(this.sections.controls);
    if ("choices" in this.sections) this.drawChoices(this.sections.choices);
  }

  drawChoices(choices) {
    this.tree.setChosen(choices.layer, choices.layers);
    if (choices.sample !== this.strip.sample) this.strip.setChosen(choices.sample);
    this.table.follow(choices);
  }

  openPanel(section) {
    if (this.frame.update(section)) this.wantDocument();
  }

  wantDocument() {
    const panel = this.frame.open;
    if (panel && panel !== this.documentOf && this.sections.documents?.includes(panel)) this.tell("document", { panel });
  }

  dispose() {
    clearTimeout(this.silence);
    this.themes.disconnect();
    this.tree.dispose();
    this.model.off("msg:custom", this.onMessage);
    this.model.off("comm_live_update", this.onConnection);
    this.tell("bye");
    this.isGone = true;
    this.queue.then(() => this.panelDocument?.dispose());
    this.root.remove();
  }
}

export default {
  render({ model, el }) {
    const view = new InspectorView(model, el);
    view.start();
    return () => view.dispose();
  },
};
