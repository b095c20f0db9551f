// Building elements: text from the kernel only ever becomes text, never markup.

/** An element with properties, attributes (`aria-*`, `data-*`, `role`), listeners (`onclick`) and children. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text that is there already is left alone, because every change costs a layout. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The same for the only class of an element. */
function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

/** A native range input that JupyterLab lets keep its arrow keys. */
function rangeInput(properties) {
  return h("input", { type: "range", "data-lm-suppress-shortcuts": "true", ...properties });
}

/** A random name for a view; views of one widget live in different pages. */
function randomName() {
  return "v" + Math.random().toString(36).slice(2, 12);
}

/** Light or dark, from JupyterLab's own mark, else from the page's background, else from the system. */
function themeOf(element) {
  const mark = document.body.dataset.jpThemeLight;
  if (mark !== undefined) return mark === "false" ? "dark" : "light";
  const color = getComputedStyle(document.body).backgroundColor.match(/\d+(\.\d+)?/g)?.map(Number);
  if (color && (color.length < 4 || color[3] > 0)) {
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 128 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
