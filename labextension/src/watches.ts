import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { KernelWatch } from './watch';

/** One watch for each notebook that is open, and which of them is the active one. */
export class Watches {
  readonly added = new Signal<this, KernelWatch>(this);
  readonly activeChanged = new Signal<this, void>(this);
  /** Says of a notebook whether anybody looks at what its kernel holds. */
  readonly reasons: ((watch: KernelWatch) => boolean)[] = [];

  constructor(private readonly notebooks: INotebookTracker) {}

  /** Watch the notebooks that are open and those to come; called once all that listen are connected. */
  start(): void {
    this.notebooks.forEach(panel => this.add(panel));
    this.notebooks.widgetAdded.connect((_, panel) => this.add(panel));
    this.notebooks.currentChanged.connect(() => this.activeChanged.emit());
  }

  get active(): KernelWatch | null {
    const panel = this.notebooks.currentWidget;
    return panel === null ? null : this.of(panel);
  }

  of(panel: NotebookPanel): KernelWatch | null {
    return this.watches.get(panel) ?? null;
  }

  at(path: string): KernelWatch | null {
    return [...this.watches.values()].find(watch => watch.path === path) ?? null;
  }

  private add(panel: NotebookPanel): void {
    const watch = new KernelWatch(panel, candidate => this.reasons.some(reason => reason(candidate)));
    this.watches.set(panel, watch);
    panel.disposed.connect(() => this.watches.delete(panel));
    this.added.emit(watch);
    this.activeChanged.emit();
  }

  private readonly watches = new Map<NotebookPanel, KernelWatch>();
}
