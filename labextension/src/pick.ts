import { el } from './dom';

export interface Option {
  readonly name: string;
  readonly detail: string;
  readonly badge?: string;
  /** Why it cannot be chosen. */
  readonly refused?: string;
}

// More rows than anyone reads would make each refresh slow.
const MOST_ROWS = 200;

/** A titled group of radio buttons. */
export function pick(
  title: string,
  options: Option[],
  chosen: string | null,
  choose: (name: string) => void
): HTMLElement {
  const group = el('fieldset', { className: 'dxs-pick' }, el('legend', { textContent: title }));
  const rows = el('div', { className: 'dxs-rows' });
  for (const option of options.slice(0, MOST_ROWS)) {
    rows.append(row(title, option, option.name === chosen, choose));
  }
  group.append(rows);
  if (options.length > MOST_ROWS) {
    group.append(el('p', { className: 'dxs-hint', textContent: `and ${options.length - MOST_ROWS} more` }));
  }
  return group;
}

function row(
  group: string,
  { name, detail, badge, refused }: Option,
  checked: boolean,
  choose: (name: string) => void
) {
  const input = el('input', { type: 'radio', name: `dxs-${group}`, value: name, checked });
  input.disabled = refused !== undefined;
  input.onchange = () => choose(name);
  const head = el(
    'span',
    { className: 'dxs-head' },
    el('span', { className: 'dxs-name', textContent: name, title: name })
  );
  if (badge !== undefined) {
    head.append(el('span', { className: 'dxs-badge', textContent: badge }));
  }
  const text = el('span', { className: 'dxs-detail', textContent: refused ?? detail, title: refused ?? detail });
  return el('label', { className: 'dxs-row' }, input, el('span', { className: 'dxs-text' }, head, text));
}

/** A menu whose first entry stands for none. */
export function menu(
  title: string,
  none: string,
  names: string[],
  chosen: string | null,
  choose: (name: string | null) => void
): HTMLElement {
  const select = el('select', { className: 'dxs-select' });
  select.append(el('option', { value: '', textContent: none }));
  select.append(...names.map(name => el('option', { value: name, textContent: name })));
  select.value = chosen ?? '';
  select.onchange = () => choose(select.value === '' ? null : select.value);
  return el('label', { className: 'dxs-menu' }, el('span', { className: 'dxs-legend', textContent: title }), select);
}
