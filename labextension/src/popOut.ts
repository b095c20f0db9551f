import type { CodeCell } from '@jupyterlab/cells';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { SIDE_MIME, WIDGET_MIME } from './names';
import type { SideTabs } from './sideTabs';
import { readAsked } from './sideTabs';
import type { View } from './sideView';
import type { KernelWatch } from './watch';

/** The inspector, or any widget, in the output of a notebook's active cell. */
export function inActiveCell(watch: KernelWatch | null): Pick<View, 'key' | 'title' | 'modelId'> | null {
  const cell = watch?.panel.content.activeCell;
  if (cell?.model.type !== 'code') {
    return null;
  }
  const { model } = (cell as CodeCell).outputArea;
  for (let i = model.length - 1; i >= 0; i--) {
    const output = model.get(i);
    const found = output.trusted ? ofBundle(output.data) : null;
    if (found !== null) {
      return found;
    }
  }
  return null;
}

/** Show it at the side. */
export function popOut(watch: KernelWatch | null, tabs: SideTabs): void {
  const found = inActiveCell(watch);
  if (watch !== null && found !== null) {
    tabs.open(watch, { ...found, names: null });
  }
}

function ofBundle(data: ReadonlyPartialJSONObject): Pick<View, 'key' | 'title' | 'modelId'> | null {
  const asked = readAsked(data[SIDE_MIME]);
  const widget = data[WIDGET_MIME] as { model_id?: unknown } | undefined;
  if (asked !== null || typeof widget?.model_id !== 'string') {
    return asked;
  }
  const text = data['text/plain'];
  const words = (Array.isArray(text) ? text.join('') : String(text ?? '')).split('(')[0]!.trim();
  return { key: `cell:${widget.model_id}`, title: words || 'Inspector', modelId: widget.model_id };
}
