import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { Choice } from './choices';
import { complete, labelsOf, namesOf, NOTHING } from './choices';
import { codeBox } from './code';
import { button, el, replace } from './dom';
import { circleIcon } from './icons';
import { isIdentifier } from './kernel';
import type { Listing } from './listing';
import { SIDEBAR } from './names';
import { menu, pick } from './pick';
import type { SideTabs } from './sideTabs';
import { emptyState, statusLine } from './states';
import type { KernelWatch } from './watch';
import type { Watches } from './watches';
import { describeInput, describeModel } from './words';

const NO_NAME = 'has no name that Python code could use';

/** What the active notebook's kernel holds; choosing a model and inputs opens them at the side. */
export class Sidebar extends Widget {
  constructor(
    private readonly watches: Watches,
    private readonly tabs: SideTabs,
    private readonly openTour: () => void
  ) {
    super();
    this.id = SIDEBAR;
    this.addClass('dxs-sidebar');
    this.title.icon = circleIcon;
    this.title.caption = 'dyn_explorer: models of the active notebook';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'dyn_explorer');
    this.said.setAttribute('role', 'status');
    this.node.append(this.header, this.said, this.body);
    watches.reasons.push(watch => this.isVisible && watch === this.watches.active);
    watches.added.connect((_, watch) => watch.changed.connect(() => this.onChanged(watch)));
    watches.activeChanged.connect(() => this.look());
    tabs.changed.connect(() => this.draw(true));
    this.look();
  }

  /** Explore what is chosen; false where something is still to be chosen. */
  async explore(): Promise<boolean> {
    const watch = this.watches.active;
    const names = watch?.listing ? namesOf(complete(this.choiceOf(watch), watch.listing)) : null;
    if (watch === null || names === null) {
      return false;
    }
    this.say('Opening…');
    const shown = await this.tabs.explore(watch, names);
    this.codes.set(watch, 'code' in shown ? shown.code : '');
    this.say('problem' in shown ? shown.problem : '');
    this.draw(true);
    return true;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.look();
  }

  private look(): void {
    this.watches.active?.want();
    this.say('');
    this.draw(true);
  }

  private onChanged(watch: KernelWatch): void {
    if (watch === this.watches.active) {
      this.draw();
    }
  }

  /** Draw again if anything has changed, and leave the focus where it was. */
  private draw(always = false): void {
    const watch = this.watches.active;
    const empty = emptyState(watch);
    const state = JSON.stringify([empty, statusLine(watch), watch?.phase, watch?.listing]);
    if (state === this.drawn && !always) {
      return;
    }
    this.drawn = state;
    this.where.textContent = watch === null ? '' : (watch.path.split('/').pop() ?? '');
    this.busy.textContent = statusLine(watch);
    const listing = empty === null ? watch?.listing : null;
    replace(this.body, watch && listing ? this.lists(watch, listing) : this.nothing(watch, empty ?? ''));
  }

  private nothing(watch: KernelWatch | null, words: string): HTMLElement[] {
    const tour = button('Open the tour', 'dxs-primary', this.openTour);
    return [el('div', { className: 'dxs-state' }, el('p', { textContent: words }), ...(watch === null ? [tour] : []))];
  }

  private lists(watch: KernelWatch, listing: Listing): HTMLElement[] {
    const choice = complete(this.choiceOf(watch), listing);
    const input = listing.inputs.find(({ name }) => name === choice.inputs);
    const models = listing.models.map(model => ({
      name: model.name,
      detail: describeModel(model),
      badge: model.training ? 'train' : 'eval',
      ...(isIdentifier(model.name) ? {} : { refused: NO_NAME })
    }));
    const inputs = listing.inputs.map(input => ({
      name: input.name,
      detail: describeInput(input),
      badge: input.kind,
      ...(isIdentifier(input.name) ? {} : { refused: NO_NAME })
    }));
    const lists = el('fieldset', { className: 'dxs-lists', disabled: watch.phase === 'busy' });
    lists.setAttribute('aria-label', 'What to explore');
    lists.append(pick('Model', models, choice.model, model => this.choose(watch, { ...choice, model })));
    if (inputs.length > 0) {
      const labels = labelsOf(input, listing).map(({ name }) => name);
      lists.append(
        pick('Inputs', inputs, choice.inputs, inputs => this.choose(watch, { ...choice, inputs, labels: undefined })),
        menu('Labels', 'none', labels, choice.labels ?? null, labels => this.choose(watch, { ...choice, labels }))
      );
    } else {
      lists.append(
        el('p', {
          className: 'dxs-hint',
          textContent: 'No inputs yet. Give a tensor, an array or a DataLoader a name in a cell, and run it.'
        })
      );
    }
    const explore = button('Explore', 'dxs-primary dxs-explore', () => void this.explore());
    explore.disabled = namesOf(choice) === null || watch.phase !== 'idle';
    const code = this.codes.get(watch);
    return [
      lists,
      el('div', { className: 'dxs-do' }, explore),
      ...(choice.model === null ? [el('p', { className: 'dxs-hint', textContent: 'Choose a model first.' })] : []),
      ...(code ? [codeBox(code, watch.panel, words => this.say(words))] : []),
      ...(listing.notLookedAt > 0 ? [this.left(watch, listing.notLookedAt)] : [])
    ];
  }

  private left(watch: KernelWatch, count: number): HTMLElement {
    const words = `${count.toLocaleString('en')} more variables were not looked at, so that the kernel does not wait. `;
    return el(
      'p',
      { className: 'dxs-hint' },
      words,
      button('Look again', 'dxs-link', () => watch.refresh())
    );
  }

  private choose(watch: KernelWatch, choice: Choice): void {
    this.choices.set(watch, choice);
    this.codes.delete(watch);
    this.say('');
    this.draw(true);
  }

  private choiceOf(watch: KernelWatch): Choice {
    return this.choices.get(watch) ?? this.tabs.namesBeside(watch) ?? NOTHING;
  }

  private say(words: string): void {
    this.said.textContent = words;
  }

  private readonly where = el('span', { className: 'dxs-where' });
  private readonly busy = el('p', { className: 'dxs-busy' });
  private readonly header = el('header', {}, el('h2', { textContent: 'Explore a model' }), this.where, this.busy);
  private readonly said = el('p', { className: 'dxs-said' });
  private readonly body = el('div', { className: 'dxs-body' });
  private readonly choices = new WeakMap<KernelWatch, Choice>();
  private readonly codes = new WeakMap<KernelWatch, string>();
  private drawn = '';
}
