import type { IRenderMime } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';
import { button, el } from './dom';
import { SIDE_MIME, WIDGET_MIME } from './names';
import type { SideTabs } from './sideTabs';
import { readAsked } from './sideTabs';
import type { View } from './sideView';
import type { KernelWatch } from './watch';

// The widget manager takes -10 for the widget itself.
export const RANK = -20;

/** In the cell: that the inspector is at the side, and ways to see it. */
class SideRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(
    private readonly watch: KernelWatch,
    private readonly tabs: SideTabs
  ) {
    super();
    this.addClass('dxs-line');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const shown = readAsked(model.data[SIDE_MIME]);
    if (shown === null) {
      await this.renderHere(model);
      return;
    }
    const words = el('span');
    const tell = () => {
      const isOpen = this.tabs.find(this.watch, shown.key) !== undefined;
      words.textContent = isOpen ? `${shown.title} is open at the side.` : `${shown.title} was closed at the side.`;
    };
    tell();
    this.tabs.changed.connect(tell);
    this.disposed.connect(() => this.tabs.changed.disconnect(tell));
    this.addWidget(new Widget({ node: this.line(words, shown, model) }));
  }

  private line(words: HTMLElement, shown: Pick<View, 'key' | 'title' | 'modelId'>, model: IRenderMime.IMimeModel) {
    const show = button('Show', '', () => this.tabs.open(this.watch, { ...shown, names: null }));
    const here = button('Show here', '', () => {
      here.remove();
      void this.renderHere(model);
    });
    return el('p', { className: 'dxs-open' }, words, show, here);
  }

  private async renderHere(model: IRenderMime.IMimeModel): Promise<void> {
    const renderer = this.watch.panel.content.rendermime.createRenderer(WIDGET_MIME);
    this.addWidget(renderer);
    await renderer.renderModel(model);
  }
}

/** Lets a notebook show what Python opened at the side. */
export function addRenderer(watch: KernelWatch, tabs: SideTabs): void {
  watch.panel.content.rendermime.addFactory(
    { safe: false, mimeTypes: [SIDE_MIME], createRenderer: () => new SideRenderer(watch, tabs) },
    RANK
  );
}
