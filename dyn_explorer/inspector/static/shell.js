// The header: which model this is, what is running, what went wrong, and the actions on the whole view.

const ACTIONS = [
  ["undo", "Undo", "Go back to the choices before the last change"],
  ["redo", "Redo", "Take the last undo back"],
  ["refresh", "Refresh", "Look at the model again: its weights may have changed"],
  ["copy", "Copy code", "Copy Python that rebuilds these numbers without the widget"],
  ["export", "Export HTML", "Save this panel as a page that works without a kernel"],
];

const CALM = 1000; // milliseconds that a status stays before it is read out

class Header {
  constructor(act) {
    this.model = h("strong", { className: "dx-model" });
    this.facts = h("span", { className: "dx-facts" });
    this.buttons = new Map(
      ACTIONS.map(([name, label, help]) => [
        name,
        h("button", { type: "button", className: "dx-action", title: help, onclick: () => act(name) }, label),
      ]),
    );
    this.text = h("span", { className: "dx-status-text" });
    this.bar = h("progress", { max: 1, hidden: true, "aria-label": "Progress" });
    this.cancel = h(
      "button",
      { type: "button", className: "dx-action dx-cancel", hidden: true, title: "Stop at the next batch", onclick: () => act("cancel") },
      "Cancel",
    );
    this.status = h("div", { className: "dx-status" }, this.text, this.bar, this.cancel);
    this.spoken = h("p", { className: "dx-spoken", role: "status" });
    this.warning = h("p", { className: "dx-warning", hidden: true });
    const title = h("div", { className: "dx-title" }, this.model, this.facts);
    const actions = h("div", { className: "dx-actions", role: "toolbar", "aria-label": "Actions" }, ...this.buttons.values());
    this.element = h("div", { className: "dx-header" }, title, actions, this.status, this.spoken, this.warning);
  }

  setHeader({ model, facts, hints, warning }) {
    this.model.textContent = model;
    this.facts.replaceChildren(...facts.map((fact, k) => h("span", { title: hints[k] }, fact)));
    this.warning.hidden = warning === null;
    this.warning.textContent = warning ?? "";
  }

  setStatus({ kind, text, fraction, cancel = true }) {
    this.status.dataset.kind = kind;
    this.text.textContent = text;
    // Every step of a progress would talk over everything else: what stays for a moment is read out.
    clearTimeout(this.talk);
    this.talk = setTimeout(() => setText(this.spoken, text), kind === "error" ? 0 : CALM);
    this.bar.hidden = kind !== "running";
    this.cancel.hidden = kind !== "running" || !cancel;
    if (fraction === null) this.bar.removeAttribute("value");
    else this.bar.value = fraction;
  }

  /** Nothing here works without a kernel. */
  setGone(text) {
    this.setStatus({ kind: "error", text, fraction: null });
    for (const button of this.buttons.values()) button.disabled = true;
  }

  setUndo({ undo, redo }) {
    this.buttons.get("undo").disabled = !undo;
    this.buttons.get("redo").disabled = !redo;
  }
}
