import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { NotebookActions, NotebookPanel as Panel } from '@jupyterlab/notebook';
import text from '../../notebooks/00_tour.ipynb';

const NAME = '00_tour.ipynb';

/** Open the tour in a folder, made there if it is not there yet, and run it. */
export async function openTour(app: JupyterFrontEnd, folder: string): Promise<void> {
  const path = folder === '' ? NAME : `${folder}/${NAME}`;
  const { contents } = app.serviceManager;
  const isThere = await contents.get(path, { content: false }).then(
    () => true,
    () => false
  );
  if (!isThere) {
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
  const running = NotebookActions.runAll(content, sessionContext);
  const first = content.widgets.findIndex(cell => cell.model.sharedModel.getSource().includes('dx.explore('));
  content.activeCellIndex = Math.max(first, 0);
  await running;
  content.activeCellIndex = Math.max(first, 0);
  await content.scrollToItem(content.activeCellIndex, 'start');
}
