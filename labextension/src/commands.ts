import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import { circleIcon, exploreIcon, tourIcon } from './icons';
import { CATEGORY, Command } from './names';
import { inActiveCell, popOut } from './popOut';
import type { Sidebar } from './sidebar';
import type { SideTabs } from './sideTabs';
import { openTour } from './tour';
import type { Watches } from './watches';

const NO_ARGUMENTS = { args: { type: 'object' } } as const;

/** What a person can do from the launcher and from the command palette. */
export function addCommands(
  app: JupyterFrontEnd,
  parts: { shell: ILabShell; watches: Watches; tabs: SideTabs; sidebar: Sidebar; files: IDefaultFileBrowser | null }
): void {
  const { shell, watches, tabs, sidebar, files } = parts;
  app.commands.addCommand(Command.tour, {
    label: 'Open the tour',
    caption: 'Two minutes with dyn_explorer, on a small trained network',
    icon: tourIcon,
    describedBy: NO_ARGUMENTS,
    execute: args => openTour(app, typeof args['cwd'] === 'string' ? args['cwd'] : (files?.model.path ?? ''))
  });
  app.commands.addCommand(Command.explore, {
    label: 'Explore a model',
    caption: 'List the PyTorch models in the kernel of the active notebook',
    icon: exploreIcon,
    describedBy: NO_ARGUMENTS,
    execute: () => shell.activateById(sidebar.id)
  });
  app.commands.addCommand(Command.side, {
    label: 'Open at the side',
    caption: 'Open the inspector on the chosen model, beside its notebook',
    icon: circleIcon,
    isEnabled: () => watches.active !== null,
    describedBy: NO_ARGUMENTS,
    execute: async () => {
      if (!(await sidebar.explore())) {
        shell.activateById(sidebar.id);
      }
    }
  });
  app.commands.addCommand(Command.popOut, {
    label: 'Pop the inspector out of this cell',
    caption: 'Show the widget in the output of the active cell at the side, too',
    icon: circleIcon,
    isEnabled: () => inActiveCell(watches.active) !== null,
    describedBy: NO_ARGUMENTS,
    execute: () => popOut(watches.active, tabs)
  });
}

/** Offer the commands. */
export function offerCommands(launcher: ILauncher | null, palette: ICommandPalette | null): void {
  launcher?.add({ command: Command.tour, category: CATEGORY, rank: 1 });
  launcher?.add({ command: Command.explore, category: CATEGORY, rank: 2 });
  for (const command of [Command.tour, Command.explore, Command.side, Command.popOut]) {
    palette?.addItem({ command, category: CATEGORY });
  }
}
