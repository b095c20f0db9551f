/** Names that Python, JupyterLab and the files of this extension agree on. */

export const WIDGET_MIME = 'application/vnd.jupyter.widget-view+json';
export const SIDE_MIME = 'application/vnd.dyn_explorer.side+json';
export const COMM_TARGET = 'dyn_explorer.side';
export const TRACKER = 'dyn-explorer-side';
export const SIDEBAR = 'dyn-explorer-sidebar';
export const CATEGORY = 'dyn_explorer';

export const Command = {
  tour: 'dyn-explorer:open-tour',
  explore: 'dyn-explorer:explore-model',
  side: 'dyn-explorer:open-at-the-side',
  popOut: 'dyn-explorer:pop-out',
  restore: 'dyn-explorer:restore-side'
} as const;
