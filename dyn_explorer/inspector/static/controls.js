// Native controls drawn from the kernel's descriptions. A control in the hand is not pulled from under it.

/** Text of a number with the digits that its step can change. */
function shownNumber(value, digits) {
  return Number.isInteger(value) && digits === undefined ? String(value) : value.toFixed(digits ?? 0);
}

class Control {
  constructor(description, set) {
    this.name = description.name;
    this.kind = description.kind;
    this.set = set;
    this.output = h("output", { className: "dx-value" });
    this.label = h("span", { className: "dx-label" }, description.label);
    this.element = h("div", { className: `dx-control dx-${description.kind}`, title: description.help || null });
    this.element.setAttribute("data-name", description.name);
    this.help = h("p", { className: "dx-hint dx-late", id: randomName() }, description.help || "");
  }

  head() {
    return h("div", { className: "dx-control-head" }, this.label, this.output);
  }

  send(value) {
    this.set({ [this.name]: value });
  }
}

class MenuControl extends Control {
  constructor(description, set) {
    super(description, set);
    this.select = h("select", {
      "aria-label": description.label,
      "data-lm-suppress-shortcuts": "true",
      onchange: () => this.send(this.options[this.select.selectedIndex].value),
    });
    this.hint = h("p", { className: "dx-hint" });
    this.element.append(h("label", { className: "dx-control-head" }, this.label, this.select), this.hint);
  }

  update(description) {
    const key = JSON.stringify(description.options);
    if (key !== this.key) {
      this.key = key;
      this.options = description.options;
      this.select.replaceChildren(...this.options.map((option) => h("option", { title: option.help }, option.label)));
    }
    this.select.selectedIndex = this.options.findIndex((option) => option.value === description.value);
    this.hint.textContent = this.options[this.select.selectedIndex]?.help ?? "";
  }
}

class SliderControl extends Control {
  constructor(description, set) {
    super(description, set);
    this.input = rangeInput({ "aria-label": description.label, oninput: () => this.slid() });
    this.low = h("span");
    this.high = h("span");
    const limits = h("div", { className: "dx-limits", "aria-hidden": "true" }, this.low, this.high);
    this.element.append(this.head(), this.input, limits);
  }

  slid() {
    const value = Number(this.input.value);
    this.output.textContent = shownNumber(value, this.digits);
    this.send(value);
  }

  update(description) {
    this.digits = description.digits;
    Object.assign(this.input, { min: description.min, max: description.max, step: description.step });
    this.input.value = description.value;
    this.output.textContent = shownNumber(description.value, this.digits);
    this.low.textContent = shownNumber(description.min, this.digits);
    this.high.textContent = shownNumber(description.max, this.digits);
  }
}

const FRAME = 600; // milliseconds that a value is shown while playing
const STILL = matchMedia("(prefers-reduced-motion: reduce)"); // then nothing moves by itself: each press is one step

/** A slider over values that are no even steps, with a button that goes through them. */
class StopsControl extends Control {
  constructor(description, set) {
    super(description, set);
    this.input = rangeInput({ "aria-label": description.label, min: 0, step: 1, oninput: () => this.slid() });
    this.button = h("button", { type: "button", className: "dx-preset dx-play", onclick: () => this.toggle() });
    this.low = h("span");
    this.high = h("span");
    const limits = h("div", { className: "dx-limits", "aria-hidden": "true" }, this.low, this.high);
    this.element.append(this.head(), h("div", { className: "dx-stops-row" }, this.button, this.input), limits);
    this.setPlaying(false);
  }

  slid() {
    this.setPlaying(false);
    this.goTo(Number(this.input.value));
  }

  goTo(place) {
    this.input.value = place;
    this.show(place);
    this.send(this.values[place]);
  }

  show(place) {
    this.output.textContent = this.labels[place] ?? "";
    this.input.setAttribute("aria-valuetext", this.output.textContent);
  }

  toggle() {
    if (STILL.matches) return this.goTo((Number(this.input.value) + 1) % this.values.length);
    if (this.timer === undefined && Number(this.input.value) === this.values.length - 1) this.goTo(0);
    this.setPlaying(this.timer === undefined);
  }

  setPlaying(plays) {
    clearInterval(this.timer);
    this.timer = plays ? setInterval(() => this.tick(), FRAME) : undefined;
    const word = plays ? "Pause" : STILL.matches ? "Next" : "Play";
    this.button.textContent = word;
    this.button.setAttribute("aria-label", `${word}: ${this.label.textContent}`);
  }

  tick() {
    const next = Number(this.input.value) + 1;
    if (next >= this.values.length || !this.element.isConnected) this.setPlaying(false);
    else this.goTo(next);
  }

  update(description) {
    Object.assign(this, { values: description.values, labels: description.labels });
    this.input.max = this.values.length - 1;
    const place = Math.max(0, this.values.indexOf(description.value));
    this.input.value = place;
    this.show(place);
    this.low.textContent = this.labels[0];
    this.high.textContent = this.labels.at(-1);
  }
}

class SpanControl extends Control {
  constructor(description, set) {
    super(description, set);
    const thumb = (which, k) =>
      rangeInput({ step: 1, "aria-label": `${description.label}, ${which}`, oninput: () => this.slid(k) });
    this.inputs = [thumb("first snapshot", 0), thumb("end", 1)];
    this.bar = h("div", { className: "dx-span-bar" });
    this.low = h("span");
    this.high = h("span");
    this.element.append(
      this.head(),
      h("div", { className: "dx-span-track" }, this.bar, ...this.inputs),
      h("div", { className: "dx-limits", "aria-hidden": "true" }, this.low, this.high),
    );
  }

  slid(which) {
    const value = this.inputs.map((input) => Number(input.value));
    if (value[1] - value[0] < this.least) {
      value[which] = which === 0 ? value[1] - this.least : value[0] + this.least;
      this.inputs[which].value = value[which];
    }
    this.draw(value);
    this.send(value);
  }

  draw([start, stop]) {
    const share = (value) => (100 * (value - this.min)) / Math.max(1, this.max - this.min);
    Object.assign(this.bar.style, { left: `${share(start)}%`, right: `${100 - share(stop)}%` });
    this.output.textContent = `${start} to ${stop - 1} (${stop - start})`;
    // The thumb that still has room to move stays on top where both meet.
    this.inputs[0].style.zIndex = start > (this.min + this.max) / 2 ? 3 : 2;
  }

  update(description) {
    Object.assign(this, { min: description.min, max: description.max, least: description.least });
    this.inputs.forEach((input, k) => {
      Object.assign(input, { min: this.min, max: this.max });
      input.value = description.value[k];
    });
    this.low.textContent = this.min;
    this.high.textContent = this.max - 1;
    this.draw(description.value);
  }
}

class RankControl extends Control {
  constructor(description, set) {
    super(description, set);
    this.input = rangeInput({ step: 1, min: 1, "aria-label": description.label, oninput: () => this.slid() });
    this.low = h("span");
    this.high = h("span");
    this.presets = h("div", { className: "dx-presets", role: "group", "aria-label": "Let the data choose the rank" });
    this.element.append(
      this.head(),
      this.input,
      h("div", { className: "dx-limits", "aria-hidden": "true" }, this.low, this.high),
      this.presets,
    );
  }

  slid() {
    const value = Number(this.input.value);
    this.output.textContent = String(value);
    this.send(value);
  }

  update(description) {
    this.input.max = description.max;
    this.input.value = description.effective;
    this.output.textContent = String(description.effective);
    this.low.textContent = description.min;
    this.high.textContent = description.max;
    // Buttons stay, so that the one that was pressed keeps the keyboard's focus.
    if (this.presets.children.length !== description.presets.length) {
      this.presets.replaceChildren(...description.presets.map((preset) => this.preset(preset)));
    }
    description.presets.forEach((preset, k) => {
      this.presets.children[k].setAttribute("aria-pressed", String(preset.value === description.value));
    });
  }

  preset({ label, help, value }) {
    return h("button", { type: "button", className: "dx-preset", title: help, onclick: () => this.send(value) }, label);
  }
}

class ToggleControl extends Control {
  constructor(description, set) {
    super(description, set);
    this.input = h("input", { type: "checkbox", onchange: () => this.send(this.input.checked) });
    this.element.append(h("label", { className: "dx-control-head" }, this.label, this.input));
  }

  update(description) {
    this.input.checked = description.value;
  }
}

const CONTROL_KINDS = { toggle: ToggleControl, menu: MenuControl, slider: SliderControl, stops: StopsControl, span: SpanControl, rank: RankControl };

class Controls {
  constructor(set) {
    this.set = set;
    this.controls = new Map();
    this.groups = new Map();
    this.element = h("section", { className: "dx-controls", "aria-label": "Controls of this panel" });
  }

  /** Show what the kernel describes; controls that stay are changed in place, so that a drag goes on. */
  update(descriptions) {
    const names = new Set(descriptions.map((description) => description.name));
    for (const [name, control] of this.controls) {
      if (names.has(name)) continue;
      control.element.remove();
      this.controls.delete(name);
    }
    const places = new Map();
    for (const description of descriptions) {
      const kept = this.controls.get(description.name);
      const control = kept ?? this.make(description);
      this.controls.set(description.name, control);
      const group = this.group(description);
      const place = places.get(group) ?? 0;
      if (group.children[place] !== control.element) group.insertBefore(control.element, group.children[place] ?? null);
      places.set(group, place + 1);
      control.update(description);
    }
    for (const group of this.groups.values()) group.parentElement.hidden = !places.has(group);
  }

  make(description) {
    const control = new CONTROL_KINDS[description.kind](description, this.set);
    if (!description.help) return control;
    control.element.append(control.help); // shown while the keyboard is at the control, as the title is under a pointer
    for (const field of control.element.querySelectorAll("input, select")) field.setAttribute("aria-describedby", control.help.id);
    return control;
  }

  group({ group: title, folded }) {
    if (!this.groups.has(title)) {
      const body = h("div", { className: "dx-group-body" });
      this.groups.set(title, body);
      this.element.append(h("details", { className: "dx-group", open: !folded }, h("summary", {}, title), body));
    }
    return this.groups.get(title);
  }
}
