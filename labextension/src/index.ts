import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILabShell } from '@jupyterlab/application';
import source from '../../dyn_explorer/kernel_listing.py';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'dyn-explorer:plugin',
  autoStart: true,
  optional: [ILabShell],
  activate: (_app: JupyterFrontEnd) => { void source; }
};
export default plugin;
