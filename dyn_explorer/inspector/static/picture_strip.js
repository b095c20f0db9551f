// The strip of inputs: pictures cut from one sheet, or numbered chips where inputs are no pictures.

class PictureStrip {
  constructor(choose) {
    this.choose = choose;
    this.items = [];
    this.list = h("div", {
      className: "dx-strip",
      role: "listbox",
      tabIndex: 0,
      "aria-label": "Inputs",
      "data-lm-suppress-shortcuts": "true",
      onkeydown: (event) => this.key(event),
    });
    this.heading = h("h3", {}, "Inputs");
    this.element = h("section", { className: "dx-inputs" }, this.heading, this.list);
    this.id = randomName();
    this.list.append(h("p", { className: "dx-quiet" }, "The inputs appear once the model has run."));
  }

  setStrip(strip) {
    const [width, height] = strip.tile ?? [0, 0];
    this.items = strip.captions.map((caption, k) => {
      const picture = h("span", { className: strip.sheet ? "dx-thumb" : "dx-chip" }, strip.sheet ? "" : String(k));
      if (strip.sheet) {
        Object.assign(picture.style, {
          width: `${width}px`,
          height: `${height}px`,
          backgroundImage: `url("${strip.sheet}")`,
          backgroundPosition: `-${(k % strip.columns) * width}px -${Math.floor(k / strip.columns) * height}px`,
          backgroundSize: `${strip.columns * width}px ${strip.rows * height}px`,
        });
      }
      return h(
        "div",
        {
          className: "dx-input",
          role: "option",
          id: `${this.id}-${k}`,
          title: caption ? `input ${k}: ${caption}` : `input ${k}`,
          onclick: () => this.choose({ sample: k }),
        },
        picture,
        h("span", { className: "dx-caption" }, caption),
      );
    });
    this.list.replaceChildren(...this.items);
    this.setChosen(this.sample ?? 0);
  }

  setChosen(sample) {
    const moved = sample !== this.sample;
    this.sample = sample;
    this.items.forEach((item, k) => {
      item.classList.toggle("dx-chosen", k === sample);
      item.setAttribute("aria-selected", String(k === sample));
    });
    const item = this.items[sample];
    this.heading.textContent = item ? `Inputs: ${item.title.replace("input ", "")} of ${this.items.length}` : "Inputs";
    if (!item) return;
    this.list.setAttribute("aria-activedescendant", item.id);
    if (!moved) return;
    this.list.scrollTop = Math.max(0, item.offsetTop - this.list.clientHeight / 2);
    this.list.scrollLeft = Math.max(0, item.offsetLeft - this.list.clientWidth / 2); // in a narrow page the strip is one line
  }

  key(event) {
    const perRow = this.items.filter((item) => item.offsetTop === this.items[0].offsetTop).length;
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow, Home: -Infinity, End: Infinity };
    if (move[event.key] === undefined || this.items.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.max(0, Math.min(this.items.length - 1, this.sample + move[event.key]));
    this.setChosen(next);
    this.choose({ sample: next });
  }
}
