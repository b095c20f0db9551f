import { Clipboard } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';
import { button, el } from './dom';

/** The Python that does the same, to be copied or put into the notebook. */
export function codeBox(line: string, panel: NotebookPanel, say: (words: string) => void): HTMLElement {
  const code = `import dyn_explorer as dx\n\n${line}`;
  const copy = button('Copy', '', () => {
    Clipboard.copyToSystem(code);
    say('Copied.');
  });
  const insert = button('Insert in a cell', '', () => {
    insertCell(panel, code);
    say('Inserted below the active cell.');
  });
  return el(
    'section',
    { className: 'dxs-code', ariaLabel: 'The same in Python' },
    el('h3', { textContent: 'The same in Python' }),
    el('pre', { tabIndex: 0 }, el('code', { textContent: code })),
    el('div', { className: 'dxs-buttons' }, copy, insert)
  );
}

function insertCell({ content }: NotebookPanel, code: string): void {
  NotebookActions.insertBelow(content);
  content.activeCell?.model.sharedModel.setSource(code);
  content.mode = 'edit';
  content.activate();
}
