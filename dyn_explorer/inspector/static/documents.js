// Bokeh documents in the page: loading BokehJS from the kernel, building, patching, letting go.

const LOADED_BOKEH = Symbol.for("dyn_explorer.bokeh");
const LOAD_TIMEOUT = 30_000;
// What a hand can change in a plot; everything else in a document is the kernel's to write.
const SHARED = new Set(["start", "end", "indices"]);

/** BokehJS of one version, loaded once per page and kept apart from any other copy on it. */
function loadBokeh(version, fetchScript) {
  const cache = (window[LOADED_BOKEH] ??= new Map());
  if (!cache.has(version)) {
    const loading = withTimeout(fetchScript(), LOAD_TIMEOUT, "BokehJS did not arrive from the kernel").then(runBokeh);
    cache.set(version, loading);
    loading.catch(() => cache.delete(version));
  }
  return cache.get(version);
}

function withTimeout(promise, milliseconds, message) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(message)), milliseconds));
  return Promise.race([promise, late]);
}

async function runBokeh(compressed) {
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const scope = {};
  new Function(await new Response(stream).text()).call(scope);
  scope.Bokeh.set_log_level("error");
  keepStyles(scope.Bokeh);
  return scope.Bokeh;
}

// At each repaint BokehJS writes the style sheet of every axis, grid and glyph anew, mostly with what stands there
// already, and the browser then works out the page's styles again each time: most of a repaint's time.
function keepStyles(Bokeh) {
  const { prototype } = Bokeh.require("core/dom").InlineStyleSheet;
  const write = prototype._update;
  prototype._update = function (css) {
    if (this.el.textContent !== css) write.call(this, css);
  };
}

function bufferMap(ids, buffers) {
  return new Map(
    ids.map((id, k) => {
      const { buffer, byteOffset, byteLength } = buffers[k];
      return [id, buffer.slice(byteOffset, byteOffset + byteLength)];
    }),
  );
}

/** One panel's document in one view. */
class PanelDocument {
  constructor(Bokeh, sendPatch) {
    this.Bokeh = Bokeh;
    this.sendPatch = sendPatch;
    this.document = null;
    this.changed = new Map();
  }

  /** Build the document that the kernel described; `placeOf(name)` is where each figure goes, `watch` follows it. */
  async build(text, buffers, placeOf, watch = () => {}) {
    const { Document } = this.Bokeh.require("document");
    this.document = Document.from_json(JSON.parse(text), undefined, buffers);
    const places = this.document.roots().map((root) => placeOf(root.name));
    await this.Bokeh.embed.add_document_standalone(this.document, places[0], places);
    this.document.on_change((event) => this.note(event));
    this.document.roots().forEach(watch);
  }

  note(event) {
    if (event.kind !== "ModelChanged" || event.sync === false || !SHARED.has(event.attr)) return;
    if (this.changed.size === 0) requestAnimationFrame(() => this.flush());
    this.changed.set(`${event.model.id} ${event.attr}`, event);
  }

  flush() {
    const events = [...this.changed.values()];
    this.changed.clear();
    if (this.document === null || events.length === 0) return;
    this.sendPatch(this.document.create_json_patch(events));
  }

  /** Take over what the kernel, or a hand in another view, has changed. */
  apply(text, buffers) {
    this.document?.apply_json_patch(JSON.parse(text), buffers);
  }

  /** Free everything that BokehJS holds for this document. */
  dispose() {
    if (this.document === null) return;
    this.document.views_manager?.clear();
    this.document.clear({ sync: false });
    const all = this.Bokeh.documents;
    if (all.includes(this.document)) all.splice(all.indexOf(this.document), 1);
    this.document = null;
  }
}
