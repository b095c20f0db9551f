import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';
import { button, el } from './dom';
import { WIDGET_MIME } from './names';
import type { Names } from './show';
import type { KernelWatch } from './watch';
import { canDrawWidgets } from './widgets';

/** Which inspector stands at the side, of which notebook and kernel. */
export interface View {
  readonly path: string;
  readonly key: string;
  readonly title: string;
  readonly modelId: string;
  readonly kernelId: string;
  /** The variables it looks at; null where Python opened it. */
  readonly names: Names | null;
}

export interface SideActions {
  /** What the application draws with. */
  readonly rendermime: IRenderMimeRegistry;
  explore(view: SideView): void;
  openNotebook(path: string): void;
}

/** One inspector beside its notebook, or in words why it is not there. */
export class SideView extends Panel {
  constructor(
    public view: View,
    private readonly actions: SideActions
  ) {
    super();
    this.addClass('dxs-side');
    this.sayOpen('Waiting for its notebook…', view.path);
  }

  watch: KernelWatch | null = null;

  /** Whether an inspector is drawn, or about to be. */
  get isShowing(): boolean {
    return this.drawn !== '';
  }

  /** Show the inspector, if it is not shown already. */
  async attach(watch: KernelWatch): Promise<void> {
    const { modelId } = this.view;
    this.follow(watch);
    if (this.drawn === modelId) {
      return;
    }
    await watch.panel.sessionContext.ready;
    const { rendermime } = watch.panel.content;
    const canDraw = await canDrawWidgets(rendermime, this.actions.rendermime);
    if (this.isDisposed || watch.isDisposed || this.view.modelId !== modelId || this.drawn === modelId) {
      return;
    }
    if (watch.kernel?.id !== this.view.kernelId) {
      this.lose();
      return;
    }
    if (!canDraw) {
      this.say('This JupyterLab shows no widgets: run dyn-explorer doctor in a terminal, which says what is missing.');
      return;
    }
    const data = { [WIDGET_MIME]: { version_major: 2, version_minor: 0, model_id: modelId } };
    this.drawn = modelId;
    const renderer = rendermime.createRenderer(WIDGET_MIME);
    this.put(renderer);
    await renderer.renderModel(rendermime.createModel({ data, trusted: true }));
    this.settle(renderer);
  }

  /** Say that all that the kernel held is lost. */
  lose(): void {
    const isDead = this.watch?.kernel?.status === 'dead';
    const what = isDead
      ? 'The kernel has died: restart it, run your cells'
      : 'The kernel was restarted: run your cells';
    this.say(
      `${what}${this.view.names === null ? ', and the one that opened this view, again.' : ' and press Explore.'}`,
      true
    );
  }

  /** Say why the inspector is not shown. */
  say(words: string, canExplore = false): void {
    this.drawn = '';
    const node = el('div', { className: 'dxs-state' }, el('p', { textContent: words }));
    node.setAttribute('role', 'status');
    if (canExplore && this.view.names !== null) {
      const { model, inputs } = this.view.names;
      node.append(
        button('Explore', 'dxs-primary', () => this.actions.explore(this)),
        el('p', { className: 'dxs-hint', textContent: `${model} · ${inputs}` })
      );
    }
    this.put(new Widget({ node }));
  }

  private follow(watch: KernelWatch): void {
    if (this.watch === watch) {
      return;
    }
    this.watch = watch;
    watch.lost.connect(this.lose, this);
    watch.panel.disposed.connect(() => {
      this.watch = null;
      if (!this.isDisposed) {
        this.sayOpen('Its notebook was closed.', watch.path);
      }
    });
  }

  private sayOpen(words: string, path: string): void {
    this.say(words);
    const open = button('Open the notebook', 'dxs-primary', () => this.actions.openNotebook(path));
    this.widgets[0]?.node.append(open, el('p', { className: 'dxs-hint', textContent: path }));
  }

  /** See what became of a drawing: the widget manager draws later, or says in its own words that there is no model. */
  private settle(renderer: IRenderMime.IRenderer): void {
    if (renderer.isDisposed || renderer.parent !== this) {
      return;
    }
    const [inner] = renderer.children();
    if (inner) {
      inner.disposed.connect(() => {
        if (!renderer.isDisposed && renderer.parent === this) {
          this.say('This inspector was closed.', true);
        }
      });
    } else if (renderer.node.textContent?.startsWith('Error')) {
      this.say('The kernel no longer holds this inspector: run your cells and press Explore.', true);
    } else {
      const observer = new MutationObserver(() => {
        observer.disconnect();
        this.settle(renderer);
      });
      observer.observe(renderer.node, { childList: true });
    }
  }

  private put(widget: Widget): void {
    for (const old of [...this.widgets]) {
      old.dispose();
    }
    this.addWidget(widget);
  }

  private drawn = '';
}
