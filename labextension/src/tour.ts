import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions, NotebookPanel as Panel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import text from '../../notebooks/00_tour.ipynb';

const NAME = '00_tour.ipynb';

/** Open the tour in a folder, made there if it is not there yet, and run it up to the inspector. */
export async function openTour(app: JupyterFrontEnd, folder: string): Promise<void> {
  const path = folder === '' ? NAME : `${folder}/${NAME}`;
  const { contents } = app.serviceManager;
  const { content } = await contents.get(folder, { type: 'directory', content: true });
  if (!(content as Contents.IModel[]).some(({ name }) => name === NAME)) {
    await contents.save(path, { type: 'notebook', format: 'json', content: JSON.parse(text) });
  }
  const panel: unknown = await app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  if (panel instanceof Panel) {
    await run(panel);
  }
}

async function run(panel: NotebookPanel): Promise<void> {
  const { content, sessionContext } = panel;
  await panel.revealed;
  await sessionContext.ready;
  await sessionContext.session?.kernel?.info;
  const first = content.widgets.findIndex(({ model }) => model.sharedModel.getSource().includes('dx.explore('));
  const last = first < 0 ? content.widgets.length - 1 : first;
  content.activeCellIndex = last;
  // What follows is for the reader to run: the last cell closes the inspector.
  await NotebookActions.runCells(content, content.widgets.slice(0, last + 1), sessionContext);
  // Unless the reader has gone elsewhere in the meantime.
  if (content.activeCellIndex === last) {
    await content.scrollToItem(last, 'start');
  }
}
