import type { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { circleIcon } from './icons';
import { Command, TRACKER } from './names';
import type { Names, Shown } from './show';
import { readNames } from './show';
import type { View } from './sideView';
import { SideView } from './sideView';
import type { KernelWatch } from './watch';
import type { Watches } from './watches';

export type SideTab = MainAreaWidget<SideView>;
type Shows = Pick<View, 'key' | 'title' | 'modelId' | 'names'>;

/** The tabs at the right of notebooks: opened, kept up to date, and restored after a reload. */
export class SideTabs {
  /** A tab was opened, closed, or shows something else. */
  readonly changed = new Signal<this, void>(this);

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly shell: ILabShell,
    private readonly watches: Watches,
    private readonly rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null
  ) {
    watches.added.connect((_, watch) => this.meet(watch));
    watches.reasons.push(watch => this.of(watch).length > 0);
    app.commands.addCommand(Command.restore, {
      execute: args => this.restore(args),
      describedBy: { args: { type: 'object' } }
    });
    if (restorer !== null) {
      void restorer.restore(this.tracker, {
        command: Command.restore,
        args: tab => storedForm(tab.content),
        name: tab => tab.id
      });
    }
  }

  /** Explore some variables at the side of their notebook. */
  async explore(watch: KernelWatch, names: Names): Promise<Shown> {
    const version = this.version(watch, names.model);
    const shown = await watch.show(names);
    if ('modelId' in shown) {
      this.keepVersion(watch, names.model, version);
      this.open(watch, { ...shown, names });
    }
    return shown;
  }

  /** Open a tab, or let the one with this key show this. */
  open(watch: KernelWatch, shown: Shows): void {
    this.reveal(this.set(watch, shown), watch);
  }

  private set(watch: KernelWatch, shown: Shows): SideTab {
    const { key, title, modelId } = shown;
    const known = this.find(watch, key)?.content.view;
    // Python names what it shows by the title alone.
    const names = shown.names ?? (known?.title === title ? known.names : null);
    const view: View = { key, title, modelId, names, path: watch.path, kernelId: watch.kernel?.id ?? '' };
    const tab = this.find(watch, key) ?? this.add(view, watch);
    tab.content.view = view;
    label(tab);
    void this.tracker.save(tab);
    void tab.content.attach(watch);
    this.changed.emit();
    return tab;
  }

  find(watch: KernelWatch, key: string): SideTab | undefined {
    return this.of(watch).find(tab => tab.content.view.key === key);
  }

  /** The variables that a tab of a notebook looks at, if any does. */
  namesBeside(watch: KernelWatch): Names | null {
    return this.of(watch).find(({ content }) => content.view.names !== null)?.content.view.names ?? null;
  }

  private of(watch: KernelWatch): SideTab[] {
    return this.tracker.filter(({ content }) => content.watch === watch || content.view.path === watch.path);
  }

  private meet(watch: KernelWatch): void {
    for (const tab of this.of(watch)) {
      void tab.content.attach(watch);
    }
    watch.asked.connect((_, request) => this.openAsked(watch, request));
    watch.listed.connect(() => void this.refresh(watch));
    watch.panel.context.pathChanged.connect((_, path) => this.rename(watch, path));
  }

  private openAsked(watch: KernelWatch, request: unknown): void {
    const asked = readAsked(request);
    if (asked !== null) {
      this.open(watch, { ...asked, names: null });
    }
  }

  /** Look again at models that have changed since they were shown; the variable of a model is the key of its tab. */
  private async refresh(watch: KernelWatch): Promise<void> {
    for (const { content } of this.of(watch)) {
      const { key } = content.view;
      const version = this.version(watch, key);
      if (!content.isShowing || version === undefined || version === this.versions.get(watch)?.get(key)) {
        continue;
      }
      const shown = await watch.again(key);
      if ('modelId' in shown) {
        this.keepVersion(watch, key, version);
        this.set(watch, { ...shown, names: content.view.names });
      }
    }
  }

  /** Which state of a model the kernel has listed last. */
  private version(watch: KernelWatch, model: string): string | undefined {
    return watch.listing?.models.find(({ name }) => name === model)?.version;
  }

  /** Keep which state of a model is shown; only once it is, so that what a busy kernel refused is asked for again. */
  private keepVersion(watch: KernelWatch, model: string, version: string | undefined): void {
    const known = this.versions.get(watch) ?? new Map<string, string>();
    if (version !== undefined) {
      this.versions.set(watch, known.set(model, version));
    }
  }

  private rename(watch: KernelWatch, path: string): void {
    for (const tab of this.tracker.filter(({ content }) => content.watch === watch)) {
      tab.content.view = { ...tab.content.view, path };
      label(tab);
      void this.tracker.save(tab);
    }
  }

  private restore(args: ReadonlyPartialJSONObject): SideTab | undefined {
    const stored = readStored(args);
    return stored === null ? undefined : this.add(stored, this.watches.at(stored.path));
  }

  private add(view: View, watch: KernelWatch | null): SideTab {
    const content = new SideView(view, {
      rendermime: this.rendermime,
      explore: side => void this.exploreAgain(side),
      openNotebook: path => void this.app.commands.execute('docmanager:open', { path })
    });
    const tab = new MainAreaWidget({ content });
    tab.id = `${TRACKER}:${view.path}:${view.key}`;
    tab.toolbar.hide();
    tab.title.icon = circleIcon;
    tab.title.closable = true;
    label(tab);
    this.place(tab, watch);
    void this.tracker.add(tab);
    tab.disposed.connect(() => this.changed.emit());
    if (watch !== null) {
      void content.attach(watch);
    }
    return tab;
  }

  private place(tab: SideTab, watch: KernelWatch | null): void {
    const beside = watch === null ? undefined : this.of(watch).find(other => other.isAttached);
    if (beside) {
      this.shell.add(tab, 'main', { ref: beside.id, mode: 'tab-after', activate: false });
    } else if (watch !== null) {
      this.shell.add(tab, 'main', { ref: watch.panel.id, mode: 'split-right', activate: false });
    } else {
      this.shell.add(tab, 'main', { activate: false });
    }
  }

  /** Bring a tab to the front, and leave the hand where it is. */
  private reveal(tab: SideTab, watch: KernelWatch): void {
    if (tab.isVisible) {
      return;
    }
    const active = watch.panel.node.contains(document.activeElement);
    this.shell.activateById(tab.id);
    if (active) {
      this.shell.activateById(watch.panel.id);
    }
  }

  private async exploreAgain(side: SideView): Promise<void> {
    const { watch, view } = side;
    if (watch === null || view.names === null) {
      return;
    }
    const shown = await this.explore(watch, view.names);
    if ('problem' in shown) {
      side.say(shown.problem, true);
    }
  }

  private readonly tracker = new WidgetTracker<SideTab>({ namespace: TRACKER });
  private readonly versions = new WeakMap<KernelWatch, Map<string, string>>();
}

function label(tab: SideTab): void {
  const { title, path } = tab.content.view;
  tab.title.label = title;
  tab.title.caption = `${title}\nInspector beside ${path}`;
}

function storedForm({ view }: SideView): ReadonlyPartialJSONObject {
  return { ...view, names: view.names === null ? null : { ...view.names } };
}

function readStored(args: ReadonlyPartialJSONObject): View | null {
  const { path, kernelId } = args;
  const asked = readAsked({ ...args, model_id: args['modelId'] });
  if (asked === null || typeof path !== 'string' || typeof kernelId !== 'string') {
    return null;
  }
  return { ...asked, path, kernelId, names: readNames(args['names']) };
}

/** What Python sends when it asks for a view at the side; null if it is anything else. */
export function readAsked(request: unknown): Pick<View, 'key' | 'title' | 'modelId'> | null {
  const { key, title, model_id: modelId } = (request ?? {}) as Partial<Record<string, unknown>>;
  const complete = typeof key === 'string' && typeof title === 'string' && typeof modelId === 'string';
  return complete ? { key, title, modelId } : null;
}
