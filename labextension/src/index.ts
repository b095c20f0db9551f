import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { addCommands, offerCommands } from './commands';
import { Command } from './names';
import { Sidebar } from './sidebar';
import { addRenderer } from './sideRenderer';
import { SideTabs } from './sideTabs';
import { Watches } from './watches';

const SIDEBAR_RANK = 650;

/** Finds the models in a notebook's kernel and shows the inspector beside it. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'dyn-explorer:plugin',
  description: 'Finds the PyTorch models in a notebook and explores them at the side.',
  autoStart: true,
  // Notebook 7 loads this extension as well, and has no side to open anything at.
  requires: [IRenderMimeRegistry],
  optional: [ILabShell, INotebookTracker, ILayoutRestorer, ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    shell: ILabShell | null,
    notebooks: INotebookTracker | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    files: IDefaultFileBrowser | null
  ) => {
    if (shell === null || notebooks === null) {
      return;
    }
    const watches = new Watches(notebooks);
    const tabs = new SideTabs(app, shell, watches, rendermime, restorer);
    const sidebar = new Sidebar(watches, tabs, () => void app.commands.execute(Command.tour));
    watches.added.connect((_, watch) => addRenderer(watch, tabs));
    addCommands(app, { shell, watches, tabs, sidebar, files });
    offerCommands(launcher, palette);
    shell.add(sidebar, 'left', { rank: SIDEBAR_RANK, type: 'dyn_explorer' });
    restorer?.add(sidebar, sidebar.id);
    watches.start();
  }
};

export default plugin;
