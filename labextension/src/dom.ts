/** Make an element. What comes from a kernel is only ever given as text, so that nothing of it becomes markup. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Make a button. */
export function button(text: string, className: string, onclick: () => void): HTMLButtonElement {
  return el('button', { type: 'button', className: `dxs-button ${className}`, textContent: text, onclick });
}

/** Put other children into an element; the one that stands for the focused one gets the focus, and the scroll stays. */
export function replace(parent: HTMLElement, children: HTMLElement[]): void {
  const focused = parent.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  const { scrollTop } = parent;
  parent.replaceChildren(...children);
  parent.scrollTop = scrollTop;
  if (focused !== null) {
    [...parent.querySelectorAll<HTMLElement>('input, select, button')].find(one => nameOf(one) === focused)?.focus();
  }
}

function nameOf(element: Element | null): string {
  return element instanceof HTMLInputElement ? `${element.name} ${element.value}` : (element?.className ?? '');
}
